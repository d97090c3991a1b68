"""What a run counts, for its report and its log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.replication import progress as progress_module
from airflow_multicloud.core.replication.items import Item, Replica, Untouched
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.progress import Progress, Snapshot
from airflow_multicloud.core.replication.report import (
    DestinationReport,
    Failure,
    ReplicationReport,
    Tally,
    without_effect,
)
from airflow_multicloud.errors import ErrorKind

if TYPE_CHECKING:
    from collections.abc import Mapping

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def item(name: str, *outcomes: Outcome | None, size: int = 10, **given: Any) -> Item:
    replicas = tuple(Replica(outcome=outcome, **given) for outcome in outcomes)
    return Item(name, size, "etag", None, THEN, replicas)


def destination(uri: str, outcomes: Mapping[Outcome, int]) -> DestinationReport:
    return DestinationReport(uri, outcomes, 0, 0, {}, None)


def report(*destinations: DestinationReport) -> ReplicationReport:
    return ReplicationReport("run", "mem://a", 3, 30, 30, "root", THEN, 1.0, destinations, ())


class TestOutcomes:
    PROVEN = frozenset({Outcome.COPIED, Outcome.REPLACED, Outcome.UNCHANGED, Outcome.VERIFIED})

    def test_each(self) -> None:
        assert {one for one in Outcome if one.proven} == self.PROVEN
        assert {one for one in Outcome if one.sound} == self.PROVEN | {Outcome.UNVERIFIABLE}
        assert {one for one in Outcome if one.written} == {
            Outcome.COPIED,
            Outcome.REPLACED,
            Outcome.UNVERIFIABLE,
        }
        assert {one for one in Outcome if not one.owed} == {Outcome.RESERVED}
        for one in Outcome:
            assert all(isinstance(x, bool) for x in (one.proven, one.sound, one.written, one.owed))


class TestTally:
    def test_each_destination_is_counted_by_itself(self) -> None:
        tally = Tally(("mem://a", "mem://b"))
        passed = [
            item("1", Outcome.COPIED, Outcome.UNCHANGED, size=1, not_kept=("tags",)),
            item("2", Outcome.COPIED, Outcome.UNVERIFIABLE, size=20),
            item("3", Outcome.RESERVED, Outcome.FAILED, size=300),
        ]
        assert list(tally.over(passed)) == passed
        assert tally.objects == 3
        first = tally.destination(0, deleted=7)
        assert first.outcomes == {Outcome.COPIED: 2, Outcome.RESERVED: 1}
        assert (first.bytes_written, first.deleted, first.commit) == (21, 7, None)
        assert first.not_kept == {"tags": 1}
        assert (first.sound, first.owed) == (2, 2)
        second = tally.destination(1)
        assert (second.bytes_written, second.deleted) == (20, 0)
        assert (second.sound, second.owed) == (2, 3)
        assert [tally.sound(index) for index in (0, 1)] == [True, False]
        assert [one.name for one in tally.failures] == ["3"]
        assert tally.failures[0].destination == "mem://b"
        assert [one.name for one in tally.left_out] == ["3"]
        assert tally.left_out[0].destination == "mem://a"

    def test_twenty_of_each_are_named(self) -> None:
        """Keys that are left out don't crowd out what failed."""
        tally = Tally(("mem://a",))
        for number in range(25):
            tally.add(item(f"r{number:02}", Outcome.RESERVED))
        for number in range(25):
            tally.add(item(f"s{number:02}", Outcome.CONFLICT))
        assert [one.name for one in tally.left_out] == [f"r{number:02}" for number in range(20)]
        assert [one.name for one in tally.failures] == [f"s{number:02}" for number in range(20)]

    def test_an_object_without_an_end_is_a_mistake(self) -> None:
        with pytest.raises(AssertionError, match="'1' has no outcome at destination 1"):
            Tally(("mem://a", "mem://b")).add(item("1", Outcome.COPIED, None))

    def test_the_newest(self) -> None:
        tally = Tally(())
        assert tally.newest is None
        for days in (2, 5, 1):
            modified = THEN + timedelta(days=days)
            tally.add(Item("a", 1, "etag", None, modified, ()))
        assert tally.newest == THEN + timedelta(days=5)
        tally.add_untouched(Untouched(7, 70, THEN))
        assert tally.newest == THEN + timedelta(days=5)
        tally.add_untouched(Untouched(7, 70, THEN + timedelta(days=6)))
        assert tally.newest == THEN + timedelta(days=6)

    def test_what_is_untouched(self) -> None:
        tally = Tally(("mem://a", "mem://b"))
        tally.add_untouched(Untouched())
        assert tally.destination(0).outcomes == {}
        tally.add(item("1", Outcome.COPIED, Outcome.UNCHANGED))
        tally.add_untouched(Untouched(7, 70, THEN))
        assert tally.objects == 8
        found = [dict(tally.destination(index).outcomes) for index in (0, 1)]
        assert found == [{Outcome.COPIED: 1, Outcome.UNCHANGED: 7}, {Outcome.UNCHANGED: 8}]
        assert tally.destination(0).bytes_written == 10

    def test_a_failure_is_one_line(self) -> None:
        failure = Failure("a", "mem://b", Outcome.FAILED, "busy", "so")
        assert str(failure) == "'a' at mem://b: failed (busy): so"


class TestReport:
    def test_the_share_that_is_sound(self) -> None:
        made = report(
            destination("mem://a", {Outcome.COPIED: 1, Outcome.FAILED: 3, Outcome.RESERVED: 9}),
            destination("mem://b", {Outcome.UNVERIFIABLE: 4}),
        )
        assert made.owed == 8
        assert made.success_ratio == 5 / 8
        assert report().success_ratio == 1.0
        assert report(destination("mem://a", {Outcome.RESERVED: 1})).success_ratio == 1.0

    def test_options_that_did_nothing(self) -> None:
        made = report(
            destination("mem://a", {Outcome.UNCHANGED: 2, Outcome.VERIFIED: 3, Outcome.COPIED: 1}),
            destination("mem://b", {Outcome.COPIED: 1}),
            destination("mem://c", {Outcome.UNCHANGED: 1}),
        )
        given = {"storage_class": ["mem://a", "mem://b"], "encryption_key": {"mem://a"}}
        (told,) = without_effect(made, given)
        assert told.startswith(
            "storage_class and encryption_key did nothing for 5 objects at mem://a: "
        )
        assert without_effect(made, {}) == []


class TestItems:
    def test_what_is_open(self) -> None:
        made = item("a", None, Outcome.COPIED, None)
        assert made.open_replicas == (0, 2)
        done = made.with_replica(0, Replica(outcome=Outcome.REPLACED))
        assert [one.outcome for one in done.replicas] == [Outcome.REPLACED, Outcome.COPIED, None]
        ended = done.end_open(Outcome.FAILED, ErrorKind.BUSY, "so")
        assert [one.outcome for one in ended.replicas] == [
            Outcome.REPLACED,
            Outcome.COPIED,
            Outcome.FAILED,
        ]
        assert (ended.replicas[2].kind, ended.replicas[2].reason) == (ErrorKind.BUSY, "so")
        assert ended.replicas[1].kind is None
        assert ended.open_replicas == ()


class TestProgress:
    def test_counts(self) -> None:
        progress = Progress()
        assert not progress.planned
        progress.expect(1, 100)
        assert progress.planned
        progress.expect(4, 100)
        progress.wrote(10)
        progress.wrote(20)
        progress.read(15)
        progress.read(1)
        progress.found(30, 50)
        progress.found(5, 10)
        progress.kept(30)
        progress.kept(2)
        progress.finished()
        progress.finished(2)
        now = progress.snapshot()
        assert (now.objects, now.to_copy, now.written, now.to_write) == (3, 4, 30, 100)
        assert (now.kept, now.found, now.found_of, now.done) == (32, 35, 60, 62)
        assert progress.bytes_read == 16

    def test_rate_and_time_left(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = [1000.0]
        clock = SimpleNamespace(monotonic=lambda: now[0])
        monkeypatch.setattr(progress_module, "time", clock)
        progress = Progress()
        now[0] += 50  # Planning took so long, in which nothing could be written.
        progress.expect(1, 1000)
        assert (progress.snapshot().rate, progress.snapshot().eta) == (0, None)
        now[0] += 0.5
        progress.wrote(400)
        progress.kept(200)
        assert (progress.snapshot().rate, progress.snapshot().eta) == (800, 0.5)
        progress.wrote(4000)  # More than was planned.
        assert progress.snapshot().eta == 0

    def test_an_interval_begins_with_the_plan_and_with_each_telling(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [1000.0]
        clock = SimpleNamespace(monotonic=lambda: now[0])
        monkeypatch.setattr(progress_module, "time", clock)
        told: list[Snapshot] = []
        progress = Progress(told.append, interval=10)
        now[0] += 60
        progress.expect(9, 9)
        counts: list[int] = []
        for seconds in (0, 9.5, 0.5, 9.5, 0.5, 60):
            now[0] += seconds
            progress.finished()
            counts.append(len(told))
        assert counts == [0, 0, 1, 1, 2, 3]
        assert [one.objects for one in told] == [3, 5, 6]

    def test_is_told_at_intervals_and_nothing_twice(self) -> None:
        told: list[Snapshot] = []
        progress = Progress(told.append, interval=3600)
        progress.finished()
        assert told == []
        progress.tell(force=True)
        progress.tell(force=True)
        assert [one.objects for one in told] == [1]
        for count in (progress.wrote, progress.kept, progress.finished):
            count(1)
            progress.tell(force=True)
        progress.found(1, 1)
        progress.tell(force=True)
        assert len(told) == 5
        progress.interval = 0
        progress.finished(2)
        assert [one.objects for one in told][-1] == 4

    def test_lines(self) -> None:
        kib = 1024
        plan = Snapshot(1, 2, 1 * kib, 4 * kib, 512.0, 6.0, kept=1 * kib)
        assert plan.resuming is None
        assert "resuming" not in str(plan)
        assert str(plan).startswith("1 of 2 objects, ")
        assert "ETA" in plan.brief
        bare = Snapshot(1, 2, 1 * kib, 0, 512.0, None, found=2 * kib, found_of=3 * kib)
        assert "ETA" not in bare.brief
        assert bare.resuming is not None
        assert str(bare).endswith(f" ({bare.resuming})")
        unknown = Snapshot(0, 2, 0, 4 * kib, 0.0, None)
        assert unknown.brief.endswith("ETA unknown")
