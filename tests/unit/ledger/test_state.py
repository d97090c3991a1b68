"""The state that a commit holds: the one before it, and what is new."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.core.ledger import commits, reading
from airflow_multicloud.core.ledger.commits import (
    MOST_RECENT,
    Commit,
    Identity,
    OpenRun,
    Sibling,
    Step,
)
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin
from airflow_multicloud.core.ledger.losses import Losses
from airflow_multicloud.core.ledger.merging import Merging
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.ledger.state import (
    Effects,
    entries_after,
    looks_after,
    open_runs_after,
    siblings_after,
    why_not_read,
)
from airflow_multicloud.core.replication.outcomes import Outcome
from tests.unit.replication.memory import endpoint

from .made import NOON, at, commit, draft, entry, look, proof

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.state import Draft


def state(end: Endpoint) -> Commit:
    head = reading.newest(end)
    assert head is not None
    return head.commit


def some(count: int, start: int = 0) -> list[Entry]:
    return [entry(f"{number:04}") for number in range(start, start + count)]


def removed(key: str) -> Entry:
    return Entry(key, removed=True)


class TestEntries:
    def test_256_of_the_newest_are_in_the_commit_itself(self) -> None:
        end = endpoint()
        assert entries_after(end, None, some(256)) == ((), tuple(some(256)))
        runs, recent = entries_after(end, None, some(257))
        assert recent == ()
        assert [ref.count for run in runs for ref in run] == [257]
        assert (runs[0][0].first, runs[0][0].last) == ("0000", "0256")
        assert MOST_RECENT == 256

    def test_those_of_the_commit_before_count(self) -> None:
        end = endpoint()
        commit(end, some(250))
        runs, recent = entries_after(end, state(end), some(6, 250))
        assert (runs, recent) == ((), tuple(some(256)))
        # The same keys again are no more.
        assert entries_after(end, state(end), some(250))[1] == tuple(some(250))
        runs, recent = entries_after(end, state(end), some(7, 250))
        assert recent == ()
        assert [ref.count for ref in runs[0]] == [257]

    def test_many_at_once_go_with_them_into_one_segment(self) -> None:
        end = endpoint()
        commit(end, some(3))
        runs, recent = entries_after(end, state(end), some(300, 2))
        assert recent == ()
        assert [ref.count for ref in runs[0]] == [302]

    def test_what_was_removed_is_known_only_where_a_segment_may_tell_otherwise(self) -> None:
        end = endpoint()
        changes = [removed("0001"), entry("0002")]
        assert entries_after(end, None, changes) == ((), (entry("0002"),))
        commit(end, some(257))
        assert entries_after(end, state(end), changes)[1] == tuple(changes)
        runs, recent = entries_after(end, None, [removed("x"), *some(300)])
        assert recent == ()
        assert [ref.count for ref in runs[0]] == [300]

    def test_a_segment_beside_another_keeps_what_was_removed(self) -> None:
        end = endpoint()
        commit(end, some(2000))
        commit(end, [removed("0001"), *some(300, 1000)])
        known = reading.newest(end)
        assert known is not None
        assert [sum(ref.count for ref in run) for run in known.commit.segments] == [2000, 301]
        assert known.entry("0001") is None
        assert [one.key for one in known.entries()] == [
            one.key for one in some(2000) if one.key != "0001"
        ]


def opened(token: str, *, prefix: str = "", minutes: float = 0, run_id: str = "") -> OpenRun:
    run = run_id or f"run-{token}"
    return OpenRun(Identity(run, token), prefix, at(minutes), at(minutes))


def with_runs(*runs: OpenRun) -> Commit:
    end = endpoint()
    commit(end, [])
    return changed(state(end), open_runs=runs)


def effects(before: Commit | None, *overtaken: Entry) -> Effects:
    losses = Losses(before.looks if before else (), "", "mem://lab/", at(60))
    if before is None:
        return Effects(losses, None, 0)
    head = Head(endpoint(), before, "0" * 64)
    merging = Merging(
        head.end, head, "", lambda _: None, (), losses, NOON, overtaken=list(overtaken)
    )
    return Effects(losses, merging, 0)


class TestOpenRuns:
    @pytest.mark.parametrize(
        ("step", "opens"),
        [(Step.BEGIN, True), (Step.PROGRESS, True), (Step.END, False), (Step.UPLOAD, False)],
    )
    def test_one_is_open_until_its_end(self, step: Step, opens: bool) -> None:
        this = draft("one", step, prefix="d/")
        wanted = (OpenRun(this.identity, "d/", NOON, at(7)),) if opens else ()
        assert open_runs_after(None, this, at(7)) == wanted
        assert open_runs_after(with_runs(opened("one", prefix="d/")), this, at(7)) == wanted

    @pytest.mark.parametrize(
        ("hours", "kept"), [(6, True), (6.01, False), (-6, True), (-6.01, False)]
    )
    def test_one_counts_as_under_way_for_six_hours(self, hours: float, kept: bool) -> None:
        """Also of one whose clock is ahead; but not of one that a forger has put far off."""
        run = opened("other")
        found = open_runs_after(with_runs(run), draft(step=Step.END), at(60 * hours))
        assert found == ((run,) if kept else ())
        assert timedelta(hours=6) == commits.SILENT

    @pytest.mark.parametrize(
        ("step", "run", "ended"),
        [
            (Step.END, opened("one"), True),
            (Step.PROGRESS, opened("one", prefix="d/"), False),
            (Step.END, opened("one", prefix="d/"), False),
            # The end of a run is the end of its earlier tries, which were killed.
            (Step.END, opened("before", run_id="run-one"), True),
            (Step.PROGRESS, opened("before", run_id="run-one"), False),
            (Step.UPLOAD, opened("before", run_id="run-one"), False),
            (Step.END, opened("one", run_id="another"), False),
            (Step.END, opened("other"), False),
        ],
    )
    def test_a_commit_speaks_for_its_own_run(self, step: Step, run: OpenRun, ended: bool) -> None:
        found = open_runs_after(with_runs(run), draft("one", step), at(1))
        assert (run not in found) is ended

    def test_a_later_try_of_a_task_ends_the_one_before(self) -> None:
        def tried(number: int) -> Draft:
            return draft(f"t{number}", Step.BEGIN, task="copy", tried=number)

        first = open_runs_after(None, tried(1), at(0))
        assert len(first) == 1
        second = open_runs_after(with_runs(*first), tried(2), at(1))
        assert [run.identity.token for run in second] == ["t2"]


def sibling(place: str, number: int, root: str = "0" * 64) -> Sibling:
    return Sibling(place, number, root, at(number))


@pytest.mark.parametrize(
    ("new", "wanted"),
    [
        ([], [sibling("a", 2), sibling("c", 2)]),
        ([sibling("b", 1)], [sibling("a", 2), sibling("b", 1), sibling("c", 2)]),
        ([sibling("a", 3)], [sibling("a", 3), sibling("c", 2)]),
        ([sibling("a", 1)], [sibling("a", 2), sibling("c", 2)]),
        # Of one number what was seen last counts.
        ([sibling("a", 2, "1" * 64)], [sibling("a", 2, "1" * 64), sibling("c", 2)]),
    ],
)
def test_the_newest_known_commit_of_each_sibling_is_kept(
    new: list[Sibling], wanted: list[Sibling]
) -> None:
    before = changed(with_runs(), siblings=(sibling("c", 2), sibling("a", 2)))
    assert siblings_after(before, replace(draft(), siblings=tuple(new))) == tuple(wanted)
    assert siblings_after(None, replace(draft(), siblings=tuple(new))) == tuple(new)


def test_looks_are_kept_and_the_one_that_was_had_is_added() -> None:
    before = changed(with_runs(), looks=(look("d/", 0),))
    assert looks_after(before, draft(), effects(before)) == (look("d/", 0),)
    found = draft(found=look("e/", 5))
    assert looks_after(before, found, effects(before)) == (look("d/", 0), look("e/", 5))
    assert looks_after(None, found, effects(None)) == (look("e/", 5),)
    assert looks_after(None, draft(), effects(None)) == ()


def test_what_a_run_has_written_over_holds_back_what_others_had_found() -> None:
    def over(key: str, minutes: float) -> Entry:
        behind = Behind(Outcome.CONFLICT, "r", Origin("s"), 1, at(9), since=at(minutes))
        return Entry(key, proof(), behind)

    before = changed(with_runs(), looks=(look("d/", 8), look("e/", 9)))
    found = looks_after(before, draft(), effects(before, over("d/a", 3), over("d/b", 2)))
    assert [(one.behind, one.holds) for one in found] == [(2, at(2)), (0, at(9))]


def test_a_commit_that_no_reader_takes_is_told_before_it_is_written() -> None:
    line = commits.write(with_runs())
    most = 16 << 20
    assert why_not_read(line, len(line)) is None
    assert why_not_read(line, most) is None
    assert why_not_read(line, most + 1) == f"it would have {most + 1} bytes, more than {most}"
    assert why_not_read(b"{}", 2) is not None


def test_times_are_by_the_clock_of_who_commits() -> None:
    end = endpoint()
    before = datetime.now(UTC)
    commit(end, [], this=draft(step=Step.BEGIN))
    made = state(end)
    assert before <= made.made_at <= datetime.now(UTC)
    assert [run.seen for run in made.open_runs] == [made.made_at]
