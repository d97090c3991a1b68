"""What the labels of an order say, and who can be taken for it."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_multicloud.core.database.identity import (
    GENERATION,
    KIND,
    MOMENT,
    NAME,
    ORDER,
    RESTORE,
    SCRATCH,
    SOURCE,
    OrderIdentity,
    Requester,
    identity_of,
    identity_of_order,
)
from airflow_multicloud.operators.database.base import requester_of
from airflow_multicloud.ports.database import TOKEN_LABEL

_NAME = re.compile(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,59}")


def ordered(requester: Requester | None = None, **more: Any) -> OrderIdentity:
    given: dict[str, Any] = {"again_when_cleared": True, "scratch": True, **more}
    return identity_of_order(
        RESTORE, requester or Requester(run="run", readable="dag"), "full/id", {"at": None}, **given
    )


def carried(identity: OrderIdentity) -> dict[str, str]:
    return {**identity.labels(), TOKEN_LABEL: identity.token}


@pytest.mark.parametrize("readable", ["dag", "", "Äußerst--lange_ID " * 20, "-x-", "7" * 80, "İ"])
def test_derived_names_are_legal_everywhere(readable: str) -> None:
    named = ordered().named(None, readable)
    assert _NAME.fullmatch(named.name)
    # Cloud SQL knows an instance by these before it has its labels.
    assert uuid.UUID(named.token).hex[:8] in named.name
    assert replace(named, generation=1).named(None, readable).name != named.name


def test_labels_are_legal_and_say_all_of_it() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    identity = replace(ordered(), generation=2, moment=moment).named(None, "dag")
    labels = carried(identity)
    assert all(re.fullmatch(r"[a-z0-9_-]{1,63}", value) for value in labels.values())
    assert all(re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key) for key in labels)
    assert identity_of({"team": "x", **labels}, identity.name) == identity


@pytest.mark.parametrize(
    "changed",
    [
        {KIND: "other"},
        {ORDER: "0" * 40},
        {SOURCE: "0" * 39},
        {GENERATION: "x"},
        {GENERATION: "1"},
        {NAME: "another"},
        {SCRATCH: "maybe"},
        {MOMENT: "9" * 15},
        {MOMENT: "soon"},
        {TOKEN_LABEL: "another"},
    ],
    ids=str,
)
def test_what_was_changed_is_nobodys(changed: dict[str, str]) -> None:
    identity = ordered().named(None, "dag")
    assert identity_of(carried(identity), identity.name) == identity
    assert identity_of({**carried(identity), **changed}, identity.name) is None
    assert identity_of(carried(identity), f"{identity.name}-clone") is None


def test_who_asks_for_the_same_gets_the_same_token() -> None:
    same = Requester(run="run", readable="other words")
    assert ordered().token == ordered(same).token
    others = (
        ordered(Requester(run="other")),
        ordered(Requester(run="run", map_index=0)),
        ordered(Requester(run="run", clearings=1)),
        replace(ordered(), generation=1),
    )
    assert len({ordered().token, *(one.token for one in others)}) == len(others) + 1
    cleared = Requester(run="run", clearings=1)
    assert (
        ordered(again_when_cleared=False).token == ordered(cleared, again_when_cleared=False).token
    )


def test_a_task_is_the_same_requester_in_every_try() -> None:
    task: Any = SimpleNamespace(dag_id="d", task_id="t")

    def at(try_number: int, clear_number: int | None, map_index: int = -1) -> Requester:
        ti = SimpleNamespace(run_id="r", map_index=map_index, try_number=try_number)
        dag_run = SimpleNamespace(clear_number=clear_number)
        return requester_of({"ti": ti, "dag_run": dag_run}, task)  # type: ignore[typeddict-item]

    assert at(1, 0) == at(2, 0) == at(1, None)
    assert at(1, 0) != at(3, 1)
    assert at(1, 0) != at(1, 0, map_index=0)
    assert at(3, 1).run_digest == at(1, 0, map_index=4).run_digest
