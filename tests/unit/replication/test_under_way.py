"""Runs that write to a place now, and how long their news is waited for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from airflow_multicloud.core.clocks import CLOCKS_DIFFER
from airflow_multicloud.core.ledger.commits import (
    FORMAT,
    SILENT,
    VERSION,
    Commit,
    Identity,
    Look,
    OpenRun,
    Step,
)
from airflow_multicloud.core.replication.under_way import (
    Clock,
    Waiting,
    open_runs,
    run_text,
    unfinished,
)
from tests.unit.ledger.made import NOON, at, look

SECOND = timedelta(seconds=1)
RUN = OpenRun(Identity("r", "token"), "copy/", NOON, at(10))


def commit(*runs: OpenRun, looks: tuple[Look, ...] = ()) -> Commit:
    made = Commit(FORMAT, VERSION, 1, "mem://lab/", NOON, RUN.identity, Step.BEGIN)
    return replace(made, open_runs=runs, looks=looks)


@pytest.mark.parametrize(
    ("later", "open_"),
    [
        (timedelta(0), True),
        (SILENT, True),
        (SILENT + SECOND, False),
        (-SILENT, True),
        (-SILENT - SECOND, False),  # Forged, most likely.
    ],
)
def test_a_run_is_open_that_was_heard_of_in_the_last_hours(later: timedelta, open_: bool) -> None:
    found = open_runs(commit(RUN), "copy/a", RUN.seen + later)
    assert found == ((RUN,) if open_ else ())


def test_only_runs_that_write_to_the_place_are_told() -> None:
    runs = (RUN, replace(RUN, prefix="other/"), replace(RUN, prefix="copy/x/"))
    assert open_runs(commit(*runs), "copy/", RUN.seen) == (runs[0], runs[2])
    assert open_runs(commit(*runs), "copy/a", RUN.seen) == (runs[0],)


@pytest.mark.parametrize(
    ("prefix", "key", "looks", "unfinished_"),
    [
        ("copy/", "copy/", (), True),
        ("copy/", "copy/a", (), True),
        ("copy/", "other/", (), False),
        ("", "copy/", (), True),
        ("copy/a", "copy/", (), False),  # A single object says all by its entry.
        ("copy/", "copy/", (look("copy/"),), False),
        ("copy/", "copy/", (look(""),), False),
        ("copy/", "copy/", (look("copy/x/"),), True),
        ("copy/", "copy/", (look("other/"),), True),
        ("copy/", "copy/", (look("other/"), look("copy/")), False),
    ],
)
def test_a_place_is_unfinished_until_a_replication_has_come_to_its_end(
    prefix: str, key: str, looks: tuple[Look, ...], unfinished_: bool
) -> None:
    run = replace(RUN, prefix=prefix)
    said = unfinished(commit(run, looks=looks), key)
    expected = f"the first replication to it has not ended: {run_text(run)}"
    assert said == (expected if unfinished_ else None)


def test_any_of_the_runs_may_be_the_first() -> None:
    other = replace(RUN, prefix="copy/x/")
    found = unfinished(commit(replace(RUN, prefix="y/"), RUN, other, looks=(look("y/"),)), "copy/")
    assert found == f"the first replication to it has not ended: {run_text(RUN)}"
    assert unfinished(commit(), "copy/") is None


def test_a_run_for_readers() -> None:
    since = "since 2026-01-01T12:00:00+00:00, heard of last at 2026-01-01T12:10:00+00:00"
    assert run_text(RUN) == f"run r, {since}"
    task = Identity("r\n", "token", dag_id="dag", task_id="task")
    assert run_text(replace(RUN, identity=task)) == f"run r\\n (dag.task), {since}"


class Times:
    """A clock that goes on when it is told."""

    def __init__(self, *, after_seen: timedelta = timedelta(0)) -> None:
        self.seconds, self._after = 1000.0, RUN.seen + after_seen

    def clock(self) -> Clock:
        def sleep(seconds: float) -> None:
            raise AssertionError("nobody sleeps here")

        return Clock(
            now=lambda: self._after + timedelta(seconds=self.seconds - 1000),
            monotonic=lambda: self.seconds,
            sleep=sleep,
        )


def waited(run: OpenRun, **given: Any) -> float:
    """Seconds until no news of a run is due any more, if there was none."""
    times = Times(**given)
    waiting = Waiting(times.clock())
    for _ in range(1000):
        if waiting.over([run]):
            return times.seconds - 1000
        times.seconds += 0.5
    raise AssertionError("it is never over")


@pytest.mark.parametrize(
    ("minutes", "due"),
    [
        (0, 5 + 10),
        (0.5, 5 + 15 + 10),
        (1, 5 + 30 + 10),
        (10, 60 + 10),  # Once a minute it says something.
    ],
)
def test_news_comes_less_and_less_often(minutes: float, due: float) -> None:
    run = replace(RUN, started=RUN.seen - timedelta(minutes=minutes))
    # What was due and did not come is due no more.
    assert waited(run) == due
    assert waited(run, after_seen=timedelta(seconds=due) - SECOND) == 1.5
    assert waited(run, after_seen=timedelta(seconds=due) + SECOND) == 0


def test_a_run_that_seems_to_be_of_the_future_is_not_waited_for() -> None:
    """A little may be due to clocks that differ."""
    run = replace(RUN, started=RUN.seen)
    assert waited(run, after_seen=-CLOCKS_DIFFER) == 15
    assert waited(run, after_seen=-CLOCKS_DIFFER - SECOND) == 0


def test_the_run_that_is_silent_for_longest_is_waited_for() -> None:
    times = Times()
    waiting = Waiting(times.clock())
    assert waiting.over([])
    times.seconds += 40
    quick = replace(RUN, started=RUN.seen)
    assert waiting.over([quick])
    assert not waiting.over([quick, RUN])


def test_with_news_the_wait_begins_again_but_not_for_ever() -> None:
    times = Times(after_seen=-CLOCKS_DIFFER)
    waiting = Waiting(times.clock())
    for _ in range(14):
        times.seconds += 10
        waiting.heard()
        assert not waiting.over([replace(RUN, seen=times.clock().now())])
    times.seconds += 9.5
    assert not waiting.over([replace(RUN, seen=times.clock().now())])
    times.seconds += 0.5  # 150 s altogether.
    waiting.heard()
    assert waiting.over([replace(RUN, seen=times.clock().now())])
