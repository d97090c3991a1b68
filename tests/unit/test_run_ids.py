"""No two replications share a name, however long or odd their ids are."""

from __future__ import annotations

import re
from itertools import combinations
from types import SimpleNamespace
from typing import Any

from airflow_multicloud.operators.run_ids import run_id_of


def context(dag_id: str = "d", run_id: str = "r", map_index: int = -1, try_number: int = 1) -> Any:
    return {
        "dag": SimpleNamespace(dag_id=dag_id),
        "run_id": run_id,
        "ti": SimpleNamespace(map_index=map_index, try_number=try_number),
    }


def test_what_differs_in_anything_has_another_name() -> None:
    long = "x" * 250
    cases = [
        (context(), "t"),
        (context("d-r", "t"), ""),
        (context("d", "r-t"), ""),
        (context("d", "r"), "t-0"),
        (context(map_index=0), "t"),
        (context(map_index=1), "t"),
        (context(map_index=1, try_number=2), "t"),
        (context(run_id="a+b"), "t"),
        (context(run_id="a:b"), "t"),
        (context(run_id="ä"), "t"),
        (context(long + "a", long), "t"),
        (context(long + "b", long), "t"),
        (context(long, long + "a"), "t"),
        (context(long, long), "t"),
        (context(".d"), "t"),
        (context("_d"), "t"),
    ]
    names = [run_id_of(given, part) for given, part in cases]
    names += [run_id_of(given, part, shared=True) for given, part in cases[:4]]
    for one, other in combinations(names, 2):
        assert one != other
        assert not one.startswith(f"{other}-")  # a prefix of keys is one name's
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}", name)
        assert len(name) <= 150


def test_a_name_can_be_read() -> None:
    name = run_id_of(context("sales", "manual__2026-11-01T00:00:00+00:00", 3, 2), "group.copy")
    readable = "sales-manual__2026-11-01T00_00_00_00_00-group.copy-3-"
    assert re.fullmatch(rf"{re.escape(readable)}[0-9a-f]{{16}}-2", name)


def test_the_tasks_of_one_sharded_replication_share_a_name() -> None:
    plan = run_id_of(context(), "g", shared=True)
    assert plan == run_id_of(context(map_index=4, try_number=3), "g", shared=True)
    assert plan != run_id_of(context(), "h", shared=True)


def test_tries_differ_and_are_recognised() -> None:
    first, second = (run_id_of(context(try_number=n), "t") for n in (1, 2))
    assert first != second
    assert first.rpartition("-")[0] == second.rpartition("-")[0]
