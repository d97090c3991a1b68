"""Whose the objects are that are not the source's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from airflow_multicloud.core.ledger.commits import Selection
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.strangers import Strangers, strange
from tests.unit.ledger.made import at, look, proof

if TYPE_CHECKING:
    from airflow_multicloud.core.ledger.commits import Look

OURS, THEIRS = "mem://ours/a", "mem://theirs/a"


def behind(uri: str, outcome: Outcome = Outcome.FAILED) -> Behind:
    return Behind(outcome, "r", Origin(uri), 1, at(5))


def proven(uri: str) -> Entry:
    return Entry("d/a", replace(proof(), origin=Origin(uri)))


@pytest.mark.parametrize(
    ("entry", "uris"),
    [
        (Entry("d/a"), ()),
        (proven(OURS), ()),
        (proven("file:a"), ()),
        (proven(THEIRS), (THEIRS,)),
        (Entry("d/a", None, behind(THEIRS)), (THEIRS,)),
        (Entry("d/a", None, behind(OURS)), ()),
        (replace(proven("file:a"), behind=behind(THEIRS)), (THEIRS,)),
        (replace(proven("mem://third/a"), behind=behind(THEIRS)), ("mem://third/a", THEIRS)),
        # Not owed: gone at their source, or a name that is kept for this package.
        (replace(proven(THEIRS), gone=at(1)), ()),
        (Entry("d/a", None, behind(THEIRS, Outcome.RESERVED)), ()),
    ],
)
def test_an_entry_may_be_of_others(entry: Entry, uris: tuple[str, ...]) -> None:
    assert strange(entry, OURS) == uris


OLD = look("d/", source="mem://old/")
CSV = look("d/", source="mem://old/", selection=Selection(include=("*.csv",)))
NESTED = look("d/x/", source="mem://other/")
ALL = (OLD, CSV, NESTED)


@pytest.mark.parametrize(
    ("key", "uri", "stay"),
    [
        ("d/a", "mem://old/a", (OLD,)),
        ("d/a.csv", "mem://old/a.csv", (OLD, CSV)),
        ("d/x/a", "mem://other/a", (NESTED,)),
        ("d/x/a", "mem://old/x/a", (OLD,)),
        ("d/x/a", "mem://other/x/a", ()),
        ("d/a", "mem://other/a", ()),
        ("d", "mem://old/", ()),
        ("d/a", "mem://old/b", ()),
        ("d/", "mem://old/", (OLD,)),
    ],
)
def test_a_look_stays_for_an_object_of_its_source(
    key: str, uri: str, stay: tuple[Look, ...]
) -> None:
    found = Strangers(ALL)
    assert not any(map(found.stay_of, ALL))
    found.add(key, uri)
    assert tuple(filter(found.stay_of, ALL)) == stay
    found.add(key, uri)
    assert tuple(filter(found.stay_of, ALL)) == stay


def test_one_that_came_later_stays() -> None:
    found = Strangers(ALL)
    assert found.stay_of(replace(OLD, finished=at(99)))
    assert found.stay_of(replace(OLD, source="mem://new/"))
    assert found.stay_of(replace(OLD, prefix="d/y/"))
    assert not found.stay_of(replace(OLD, behind=3, displaced=2))
