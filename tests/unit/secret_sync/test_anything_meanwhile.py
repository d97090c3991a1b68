"""Runs that are killed, overlap, or meet a moving source and another writer end well."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_multicloud.core.secret_sync.outcomes import SyncOutcome
from airflow_multicloud.errors import SecretsError
from airflow_multicloud.testing.memory_cloud import secrets

from .lab import HOME, ONE, TWO, A, B, C, Killed, World

_OTHERS = b"another's"
_NAMES = (A, B, C)
#: More moments than a run of three secrets to two destinations has.
_LAST = 90


def _kill() -> None:
    raise Killed


def _standing(world: World, how: tuple[str, ...]) -> None:
    """Secrets that stand in every relation to their copies."""
    for name, state in zip(_NAMES, how, strict=True):
        if state == "gone":
            continue
        world.write(HOME, name, b"1")
        if state in ("equal", "behind"):
            world.sync(ONE, names=(name,))
        if state == "there before":
            world.write(ONE, name, b"1")
        if state in ("behind", "there before"):
            world.write(HOME, name, b"2")


STATES = st.tuples(
    st.sampled_from(["absent", "behind", "equal", "there before"]),
    st.sampled_from(["absent", "behind", "equal", "gone"]),
    st.sampled_from(["absent", "behind", "equal", "gone"]),
)
HAPPENINGS = st.dictionaries(
    st.integers(1, _LAST),
    st.sampled_from(
        ["kill", "rotate", "rotate twice", "other run", "others write", "filtered run"]
    ),
    min_size=1,
    max_size=4,
)


@given(how=STATES, happenings=HAPPENINGS)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_happens_all_is_equal_in_the_end(how, happenings):
    secrets.reset()
    world = World()
    _standing(world, how)
    touched: set[str] = set()

    def others_write() -> None:
        # Whoever creates a secret of that name first has it; the run is told.
        world.write(ONE, B, _OTHERS)
        touched.add(B)

    def other_run(**options) -> None:
        kept, world.at = world.at, {}
        with suppress(SecretsError):
            world.sync(ONE, TWO, **options)
        world.at = kept

    doings = {
        "kill": _kill,
        "rotate": lambda: world.write(HOME, A, b"3"),
        "rotate twice": lambda: (world.write(HOME, A, b"4"), world.write(HOME, A, b"2")),
        "other run": other_run,
        "others write": others_write,
        "filtered run": partial(other_run, names=(A,)),
    }
    world.moments = 0
    world.at = {moment: doings[name] for moment, name in happenings.items()}
    with suppress(Killed):
        world.sync(ONE, TWO)
    world.at = {}
    report = world.sync(ONE, TWO)
    home, one, two = (world.values(conn_id) for conn_id in (HOME, ONE, TWO))
    assert two == home
    for name, value in home.items():
        if name not in touched:
            # What was there before is no copy of ours: only such a one may be left as a conflict,
            # when it was replaced by a run that was killed, or met, by a move of the source.
            assert one[name] == value, (name, report)
    history = world.history(ONE, B)
    if B in touched:
        assert history[-1] == _OTHERS
        assert one[B] == _OTHERS
    # No run writes again what is there: a value follows itself nowhere.
    for conn_id in (ONE, TWO):
        for name in _NAMES:
            values = [one for one in world.history(conn_id, name) if one != _OTHERS]
            assert all(a != b for a, b in pairwise(values))
    for destination in report.destinations:
        assert destination.secrets == len(home)


@pytest.mark.parametrize("policy", ["fail", "keep"])
@given(moment=st.integers(1, 40))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_anothers_value_is_never_replaced_unasked(policy, moment):
    secrets.reset()
    world = World()
    world.write(HOME, A, b"1")
    world.sync(ONE)
    world.write(HOME, A, b"2")
    world.moments, world.at = 0, {moment: lambda: world.write(ONE, A, _OTHERS)}
    world.sync(ONE, on_conflict=policy)
    world.at = {}
    world.sync(ONE, on_conflict=policy)
    history = world.history(ONE, A)
    if _OTHERS in history:
        assert history[-1] == _OTHERS


def test_a_removal_that_is_killed_anywhere_is_done_by_the_next_run():
    for moment in range(1, 90):
        secrets.reset()
        world = World()
        for name in _NAMES:
            world.write(HOME, name, b"1")
        world.sync(ONE)
        world.remove(HOME, A)
        world.write(HOME, B, b"2")
        world.moments, world.at = 0, {moment: _kill}
        with suppress(Killed):
            world.sync(ONE, deletion_policy="remove")
        over = world.at != {}
        world.at = {}
        assert world.sync(ONE, deletion_policy="remove").succeeded
        assert world.values(ONE) == {B: b"2", C: b"1"}
        if over:
            return
    raise AssertionError("a run has more moments than were tried")


def test_it_gives_up_where_the_source_never_rests():
    secrets.reset()
    world = World()
    world.write(HOME, A, b"0")
    numbers = count(1)
    for moment in range(1, 400):
        world.at[moment] = lambda: world.write(HOME, A, b"%d" % next(numbers))
    report = world.sync(ONE)
    (finding,) = report.findings
    assert finding.outcome is SyncOutcome.FAILED
    with pytest.raises(SecretsError, match="changed 5 times meanwhile") as err:
        report.raise_if_failed()
    assert err.value.retryable


@pytest.mark.parametrize("before", ["copied", "there before"])
def test_a_run_that_is_killed_after_the_source_moved_under_it_is_no_conflict(before):
    """Its write is later than the source's newest version, and of an earlier one."""
    for moment in range(1, 90):
        secrets.reset()
        world = World()
        world.write(HOME, A, b"1")
        if before == "copied":
            world.sync(ONE)
        else:
            world.write(ONE, A, b"1")
        world.write(HOME, A, b"2")
        world.moments = 0
        world.at = {moment: partial(world.write, HOME, A, b"3"), moment + 1: _kill}
        with suppress(Killed):
            world.sync(ONE)
        over = world.at != {}
        world.at = {}
        assert world.sync(ONE).succeeded
        assert world.values(ONE) == {A: b"3"} or over
        if over:
            return
    raise AssertionError("a run has more moments than were tried")
