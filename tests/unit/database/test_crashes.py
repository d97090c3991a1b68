"""A task is killed before and after every single call that it makes, and tried again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_multicloud.core.database.identity import Requester
from airflow_multicloud.core.database.restores import RestoreWish
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import DatabaseState, FromPointInTime
from airflow_multicloud.testing.memory_cloud.database import Hook
from airflow_multicloud.testing.sql_faults import (
    DatabaseCall,
    DatabaseFault,
    DatabaseFaultKind,
)

from .lab import RUN, Death, Killed, Lab

BEFORE_AND_AFTER = pytest.mark.parametrize("after", [True, False], ids=["after", "before"])


def nothing(_lab: Lab) -> None:
    """Nothing is there before, and nothing fails."""


def name_is_taken(lab: Lab) -> None:
    """Somebody else has the first name that would be derived."""
    lab.restore()
    (taken,) = lab.restored()
    lab.remove()
    lab.space.create(taken)


def first_try_fails(lab: Lab) -> None:
    """What an earlier try of the order has made has failed."""
    for call in (DatabaseCall.RESTORE, DatabaseCall.SNAPSHOT):
        lab.space.faults.plant(
            [DatabaseFault(kind=DatabaseFaultKind.FAIL_LATER, call=call, error=ErrorKind.CAPACITY)]
        )
    for order in (lab.restore, lab.snapshot):
        with pytest.raises(DatabaseError, match="planted"):
            order()


def answers_are_lost(lab: Lab) -> None:
    """The first answer to each order never arrives."""
    for call in (DatabaseCall.RESTORE, DatabaseCall.SNAPSHOT):
        lab.space.faults.plant([DatabaseFault(kind=DatabaseFaultKind.LOSE_ANSWER, call=call)])
    for order in (lab.restore, lab.snapshot):
        with pytest.raises(DatabaseError, match="without an answer"):
            order()


def labels_follow(lab: Lab) -> None:
    """What is restored is labelled later, as on Google Cloud."""
    lab.space.labels_follow = True


def labels_follow_a_failure(lab: Lab) -> None:
    """Likewise, and the first try's instance has failed before it was labelled."""
    lab.space.labels_follow = True
    first_try_fails(lab)


SCENARIOS = pytest.mark.parametrize(
    "scenario",
    [
        nothing,
        name_is_taken,
        first_try_fails,
        answers_are_lost,
        labels_follow,
        labels_follow_a_failure,
    ],
    ids=lambda one: one.__name__,
)


def _ready(scenario: Callable[[Lab], None]) -> Lab:
    lab = Lab()
    scenario(lab)
    return lab


def _calls(scenario: Callable[[Lab], None], work: Callable[[Lab], object]) -> int:
    lab = _ready(scenario)
    lab.death = Death()
    work(lab)
    return lab.death.calls


def _ours(lab: Lab) -> list[str]:
    """What was restored for orders, by the labels' kind."""
    kept = lab.space.servers.values()
    return [
        one.name
        for one in kept
        if "multicloud-database-kind" in one.labels or one.coming_labels is not None
    ]


@BEFORE_AND_AFTER
@SCENARIOS
def test_a_restore_that_is_killed_makes_one_instance(
    scenario: Callable[[Lab], None], *, after: bool
) -> None:
    calls = _calls(scenario, Lab.restore)
    assert calls >= 5
    for at in range(1, calls + 1):
        lab = _ready(scenario)
        lab.death = Death(at=at, after=after)
        with pytest.raises(Killed):
            lab.restore()
        restored = lab.restore()
        assert _ours(lab) == [restored.name], f"killed at call {at}"
        assert lab.space.rows(restored.name, "orders") == [(1, "a"), (2, "b")]
        assert restored.endpoint is not None
        again = lab.restore()
        assert (again.id, again.found) == (restored.id, True)
        assert _ours(lab) == [restored.name]
        lab.remove()
        assert _ours(lab) == []
        assert "shop" in lab.space.servers


@BEFORE_AND_AFTER
@SCENARIOS
def test_a_restore_that_died_is_removed_without_a_retry(
    scenario: Callable[[Lab], None], *, after: bool
) -> None:
    for at in range(1, _calls(scenario, Lab.restore) + 1):
        lab = _ready(scenario)
        before = {*lab.space.servers} - {*_ours(lab)}
        lab.death = Death(at=at, after=after)
        with pytest.raises(Killed):
            lab.restore()
        lab.death = Death()
        lab.remove()
        assert {*lab.space.servers} == before, f"killed at call {at}"


def _restored(lab: Lab) -> None:
    lab.restore()
    lab.restore(Requester(run=RUN, map_index=3))


@BEFORE_AND_AFTER
def test_a_removal_that_is_killed_is_finished_by_the_next(*, after: bool) -> None:
    calls = _calls(_restored, Lab.remove)
    assert calls >= 3
    for at in range(1, calls + 1):
        lab = _ready(_restored)
        other = lab.restore(Requester(run="another"))
        lab.death = Death(at=at, after=after)
        with pytest.raises(Killed):
            lab.remove()
        lab.death = Death()
        assert lab.remove().done
        assert lab.restored() == [other.name], f"killed at call {at}"


@BEFORE_AND_AFTER
@SCENARIOS
def test_a_snapshot_that_is_killed_is_taken_once(
    scenario: Callable[[Lab], None], *, after: bool
) -> None:
    calls = _calls(scenario, Lab.snapshot)
    assert calls >= 4
    for at in range(1, calls + 1):
        lab = _ready(scenario)
        lab.death = Death(at=at, after=after)
        with pytest.raises(Killed):
            lab.snapshot()
        taken = lab.snapshot()
        assert [*lab.space.snapshots] == [taken.name], f"killed at call {at}"
        again = lab.snapshot()
        assert (again.id, again.found, again.taken_at) == (taken.id, True, taken.taken_at)


def test_two_tries_at_once_make_one_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was lost goes on beside its successor: both listed before either ordered."""
    lab = Lab()
    other: list[str] = []
    listed = Hook.list_databases

    def listing(hook: Hook, *args: Any, **kwargs: Any) -> Any:
        found = list(listed(hook, *args, **kwargs))
        if not other:
            other.append("under way")
            other.append(lab.restore().id)
        return iter(found)

    monkeypatch.setattr(Hook, "list_databases", listing)
    assert lab.restore().id == other[-1]
    assert len(lab.restored()) == 1


def test_what_is_asked_for_anew_is_another_instance() -> None:
    """Cleared, mapped, of another run, of another moment: none takes the other's for its own."""
    lab = Lab()
    requesters = (
        Requester(run=RUN),
        Requester(run=RUN, map_index=0),
        Requester(run=RUN, map_index=1),
        Requester(run=RUN, clearings=1),
        Requester(run="another"),
    )
    assert len({lab.restore(one).id for one in requesters}) == len(requesters)
    assert not any(lab.restore(one).found is False for one in requesters)
    at = lab.space.moment()
    wish = RestoreWish(source=FromPointInTime(lab.shop, at))
    assert lab.restore(requesters[0], wish).found is False
    assert len(lab.restored()) == len(requesters) + 1
    lab.remove()
    assert len(lab.restored()) == 1


def test_a_failed_instance_goes_before_the_next_one() -> None:
    lab = _ready(first_try_fails)
    (failed,) = lab.restored()
    restored = lab.restore()
    assert restored.name != failed
    assert lab.restored() == [restored.name]
    assert Hook(lab.conn_id).describe_database(lab.shop).state is DatabaseState.AVAILABLE
