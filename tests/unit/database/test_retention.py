"""Which snapshots go: those of the series that are older than the newest few, and no others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.database.identity import NAME, ORDER, SERIES, Requester
from airflow_multicloud.core.database.promotions import Allowance
from airflow_multicloud.core.database.retention import (
    OlderSnapshots,
    begin_retention,
    check_keep,
    spared,
)
from airflow_multicloud.core.database.snapshot_removals import (
    GivenUp,
    SnapshotRemoval,
    advance_snapshot_removal,
)
from airflow_multicloud.core.database.snapshots import SnapshotWish, begin_snapshot
from airflow_multicloud.core.database.wanted_snapshots import OneSnapshot, SnapshotsOf, Wanted
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import TOKEN_LABEL, DatabaseRef, SnapshotState
from airflow_multicloud.testing.sql_faults import DatabaseCall, DatabaseFault, DatabaseFaultKind
from tests.unit.database.lab import Killed, Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SERIES_OF_TASK = '["dag", "snapshot"]'
DAY = timedelta(days=1)


def of_run(run: str, map_index: int = -1, series: str = SERIES_OF_TASK) -> Requester:
    return Requester(run=run, map_index=map_index, readable="dag", series=series)


@pytest.fixture
def lab() -> Iterator[Lab]:
    made = Lab()
    yield made
    assert "shop" in made.space.servers


def taken(lab: Lab, requester: Requester, wish: SnapshotWish | None = None) -> OlderSnapshots:
    """A day later than the one before; what one of it removes."""
    lab.space.advance(DAY)
    begun = begin_snapshot(lab.service, requester, wish or SnapshotWish(database=lab.shop))
    lab.finish(begun.operation)
    return OlderSnapshots.than(begun, 2)


def removed(lab: Lab, wanted: Wanted, removal: SnapshotRemoval | None = None) -> SnapshotRemoval:
    now = datetime.now(UTC)
    removal = removal or begin_retention(now)
    for _ in range(50):
        removal = advance_snapshot_removal(lab.service, wanted, removal, now=now)
        if removal.done:
            return removal
    raise AssertionError(f"not done: {removal}")


def names(lab: Lab) -> list[str]:
    return sorted(lab.space.snapshots)


def test_the_newest_stay(lab: Lab) -> None:
    older = [taken(lab, of_run(f"run{n}")) for n in range(5)]
    outcome = older[-1].outcome(lab.service, removed(lab, older[-1]))
    assert names(lab) == sorted(one.identity.name for one in older[-2:])
    assert [one.name for one in outcome.removed] == [one.identity.name for one in older[:3]]
    assert (outcome.keep, outcome.kept, outcome.left) == (2, 2, ())
    again = older[-1].outcome(lab.service, removed(lab, older[-1]))
    assert (again.removed, again.kept) == ((), 2)


def test_what_was_taken_of_an_instance_of_the_same_name_is_never_removed(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    """RDS and Cloud SQL use names again, and full ids with them: the new one may be empty."""
    old = [taken(lab, of_run(f"run{n}")) for n in range(2)]
    del lab.space.servers["shop"]
    lab.space.advance(DAY)
    lab.space.create("shop")
    new = [taken(lab, of_run(f"new{n}")) for n in range(3)]
    with caplog.at_level("WARNING"):
        outcome = new[-1].outcome(lab.service, removed(lab, new[-1]))
    assert names(lab) == sorted(one.identity.name for one in (*old, *new[1:]))
    assert [one.name for one in outcome.removed] == [new[0].identity.name]
    assert (outcome.predating, outcome.kept) == (2, 4)
    assert "2 snapshots that were taken before" in caplog.text
    # A retry that finds what was taken of the old one.
    late = taken(lab, of_run("run1"))
    assert (late.taken, removed(lab, replace(late, keep=1)).removed) == (old[1].taken, ())


def test_nothing_is_removed_when_it_is_not_known_since_when_the_instance_is_there(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    older = [taken(lab, of_run(f"run{n}")) for n in range(4)]
    unknown = replace(older[-1], database_created_at=None)
    with caplog.at_level("WARNING"):
        outcome = unknown.outcome(lab.service, removed(lab, unknown))
    assert (len(names(lab)), outcome.removed, outcome.predating) == (4, (), None)
    assert "not known since when" in caplog.text


def test_nothing_of_others_goes(lab: Lab) -> None:
    """Not of another task, of another instance, nor what somebody else has made or labelled."""
    lab.space.create("till")
    till = SnapshotWish(database=lab.space.servers["till"].ref)
    others = [
        taken(lab, of_run("run0", series='["dag", "other"]')),
        taken(lab, of_run("run0", series="")),
        taken(lab, of_run("run0"), till),
    ]
    mine = taken(lab, of_run("run1"))
    copied = lab.space.snapshots[mine.identity.name]
    for name, change in (
        ("copied", {}),
        ("relabelled", {NAME: "relabelled", ORDER: "0" * 40}),
        ("adopted", {NAME: "adopted", TOKEN_LABEL: "00000000-0000-4000-8000-000000000000"}),
    ):
        ref = replace(copied.ref, id=copied.ref.id.replace(mine.identity.name, name))
        labels = {**copied.labels, **change, "note": name}
        lab.space.snapshots[name] = replace(copied, ref=ref, name=name, labels=labels)
    foreign = lab.space.snapshots[others[1].identity.name]
    foreign.labels[SERIES] = mine.identity.series
    before = names(lab)
    for n in range(2, 5):
        newest = taken(lab, of_run(f"run{n}"))
        removed(lab, newest)
    assert {*before} - {*names(lab)} == {mine.identity.name}


def test_a_run_removes_nothing_that_is_newer_and_nothing_of_its_own(lab: Lab) -> None:
    """Runs overlap, are cleared, and their tasks are mapped."""
    first = taken(lab, of_run("run1"))
    cleared = taken(lab, replace(of_run("run2"), clearings=1))
    mapped = [taken(lab, of_run("run2", map_index=n)) for n in range(3)]
    newest = taken(lab, of_run("run3"))
    late = replace(first, keep=1)
    assert removed(lab, late).removed == ()
    last = replace(mapped[-1], keep=1)
    assert [one.name for one in removed(lab, last).removed] == [first.identity.name]
    assert {one.identity.name for one in (cleared, *mapped, newest)} == {*names(lab)}
    removed(lab, replace(newest, keep=2))
    assert {one.identity.name for one in (cleared, *mapped, newest)} == {*names(lab)}
    removed(lab, replace(newest, keep=1))
    assert names(lab) == [newest.identity.name]


def test_runs_are_counted(lab: Lab) -> None:
    """One that is cleared again and again pushes no other night out, and neither does a map."""
    nights = [taken(lab, of_run(f"run{n}")) for n in range(3)]
    for clearings in range(1, 7):
        again = taken(lab, replace(of_run("run2"), clearings=clearings))
        assert removed(lab, replace(again, keep=3)).removed == ()
    for index in range(7):
        mapped = taken(lab, of_run("run3", map_index=index))
    assert len(names(lab)) == 16
    gone = removed(lab, replace(mapped, keep=3)).removed
    assert [one.name for one in gone] == [nights[0].identity.name]


def test_what_is_not_old_enough_stays(lab: Lab) -> None:
    """A restore may still read it; and runs that overlap do not undo each other."""
    first = taken(lab, of_run("run1"))
    lab.space.advance(DAY)
    second = begin_snapshot(lab.service, of_run("run2"), SnapshotWish(database=lab.shop))
    lab.finish(second.operation)
    lab.space.advance(timedelta(hours=1))
    third = begin_snapshot(lab.service, of_run("run3"), SnapshotWish(database=lab.shop))
    lab.finish(third.operation)
    gone = removed(lab, OlderSnapshots.than(third, 1)).removed
    assert [one.name for one in gone] == [first.identity.name]
    hour = timedelta(hours=1)
    gone = removed(lab, OlderSnapshots.than(third, 1, hour)).removed
    assert [one.name for one in gone] == [second.identity.name]


def test_what_is_being_taken_is_neither_counted_nor_removed(lab: Lab) -> None:
    older = [taken(lab, of_run(f"run{n}")) for n in range(3)]
    lab.space.snapshots[older[0].identity.name].state = SnapshotState.CREATING
    lab.space.snapshots[older[1].identity.name].state = SnapshotState.FAILED
    done = removed(lab, replace(older[2], keep=1))
    assert [one.name for one in done.removed] == [older[1].identity.name]
    assert names(lab) == sorted(older[n].identity.name for n in (0, 2))


def test_a_listing_that_lacks_the_snapshot_removes_nothing(lab: Lab) -> None:
    older = [taken(lab, of_run(f"run{n}")) for n in range(4)]
    del lab.space.snapshots[older[-1].identity.name]
    assert removed(lab, older[-1]).removed == ()
    assert len(names(lab)) == 3


def test_one_that_cannot_be_removed_costs_itself(lab: Lab) -> None:
    older = [taken(lab, of_run(f"run{n}")) for n in range(5)]
    name = older[1].identity.name
    lab.space.faults.plant(
        [
            DatabaseFault(
                kind=DatabaseFaultKind.REFUSE,
                call=DatabaseCall.REMOVE,
                error=ErrorKind.PERMISSION_DENIED,
                name=name,
            )
        ]
    )
    done = removed(lab, older[-1])
    outcome = older[-1].outcome(lab.service, done)
    assert [one.name for one in outcome.left] == [name]
    assert outcome.left[0].kind is ErrorKind.PERMISSION_DENIED
    assert [one.name for one in outcome.removed] == [older[n].identity.name for n in (0, 2)]
    assert outcome.kept == 3
    with pytest.raises(DatabaseError, match=name) as caught:
        done.raise_if_left("memory")
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED


def test_what_is_refused_for_a_while_is_tried_again_and_given_up_in_time(lab: Lab) -> None:
    older = [taken(lab, of_run(f"run{n}")) for n in range(3)]
    fault = DatabaseFault(
        kind=DatabaseFaultKind.REFUSE, call=DatabaseCall.REMOVE, error=ErrorKind.BUSY, times=2
    )
    lab.space.faults.plant([fault])
    now = datetime.now(UTC)
    removal = begin_retention(now)
    look = advance_snapshot_removal(lab.service, older[-1], removal, now=now)
    assert (look.done, look.left, look.removed) == (False, (), ())
    assert removal.gives_up_at is not None
    late = advance_snapshot_removal(lab.service, older[-1], look, now=removal.gives_up_at)
    assert [one.kind for one in late.left] == [ErrorKind.TIMEOUT]
    assert late.done
    assert len(removed(lab, older[-1], look).removed) == 1


def failing(kind: ErrorKind) -> Callable[[], SnapshotRemoval]:
    def advance() -> SnapshotRemoval:
        raise DatabaseError("list_snapshots: no", kind=kind)

    return advance


def test_an_error_of_the_retention_costs_no_snapshot() -> None:
    now = datetime.now(UTC)
    removal = begin_retention(now)
    assert spared(removal, now, failing(ErrorKind.BUSY)) is removal
    assert removal.gives_up_at is not None
    for kind, at in ((ErrorKind.BUSY, removal.gives_up_at), (ErrorKind.PERMISSION_DENIED, now)):
        ended = spared(removal, at, failing(kind))
        assert ended.done
        assert ended.given_up == GivenUp(kind=kind, error="list_snapshots: no")
        with pytest.raises(DatabaseError, match="list_snapshots: no") as caught:
            ended.raise_if_left("memory")
        assert caught.value.kind is kind
    with cancellation.cancellable() as work:
        work.cancel("marked as failed")
        for kind in (ErrorKind.BUSY, ErrorKind.PERMISSION_DENIED):
            with pytest.raises(DatabaseError):
                spared(removal, now, failing(kind))


def test_a_retention_takes_no_more_than_what_is_left_of_the_time() -> None:
    now = datetime.now(UTC)
    for left, taken_of_it in ((60, 60), (3600, 600), (-5, 0)):
        removal = begin_retention(now, timedelta(seconds=left))
        assert removal.gives_up_at == now + timedelta(seconds=taken_of_it)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 8))
def test_a_death_at_any_call_leaves_it_to_the_next_try(lab: Lab, at: int, *, after: bool) -> None:
    older = [taken(lab, of_run(f"run{n}")) for n in range(5)]
    lab.death.calls, lab.death.at, lab.death.after = 0, at, after
    try:
        removed(lab, older[-1])
    except Killed:
        lab.death.at = 0
    removed(lab, older[-1])
    assert names(lab) == sorted(one.identity.name for one in older[-2:])


def test_the_snapshots_of_a_task_of_a_run(lab: Lab) -> None:
    mine = [taken(lab, of_run("run", map_index=n)) for n in range(2)]
    other = taken(lab, of_run("other"))
    one = SnapshotsOf.by(of_run("run", map_index=1), (), None)
    gone = SnapshotRemoval(certain_from=datetime.now(UTC) - DAY)
    assert [r.name for r in removed(lab, one, gone).removed] == [mine[1].identity.name]
    everything = SnapshotsOf.by(of_run("run"), [lab.shop, lab.shop], "another")
    with pytest.raises(DatabaseError, match="account"):
        removed(lab, everything, gone)
    removed(lab, replace(everything, account=None), gone)
    assert names(lab) == [other.identity.name]


def test_what_was_just_ordered_may_not_be_listed_yet(lab: Lab) -> None:
    now = datetime.now(UTC)
    wanted = SnapshotsOf.by(of_run("run"), (), None)
    removal = SnapshotRemoval(certain_from=now + timedelta(seconds=30))
    look = advance_snapshot_removal(lab.service, wanted, removal, now=now)
    assert not look.done
    late = advance_snapshot_removal(lab.service, wanted, look, now=removal.certain_from)
    assert late.done


def test_one_snapshot_needs_its_name_and_identity(lab: Lab) -> None:
    mine = taken(lab, of_run("run"))
    ref = DatabaseRef(mine.taken)
    name = mine.identity.name

    def wanted(confirm: str = name, allow: str = name, account: str | None = None) -> OneSnapshot:
        return OneSnapshot(ref=ref, allowance=Allowance.read(confirm, [allow], account))

    for wrong in (wanted(confirm="other"), wanted(allow="other"), wanted(account="other")):
        with pytest.raises(DatabaseError):
            removed(lab, wrong)
    labels = lab.space.snapshots[name].labels
    kept, labels[ORDER] = labels[ORDER], "0" * 40
    with pytest.raises(DatabaseError, match="full identity") as caught:
        removed(lab, wanted())
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    labels[ORDER] = kept
    assert [one.name for one in removed(lab, wanted(allow=ref.id)).removed] == [name]
    assert removed(lab, wanted()).removed == ()


@pytest.mark.parametrize("keep", [0, -1, True, "3", 1.0, 10_001])
def test_a_number_to_keep_that_is_none(keep: object) -> None:
    with pytest.raises(DatabaseError, match="keep"):
        check_keep(keep)
