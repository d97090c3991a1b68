"""Waves: every target once, the canary first, none too large."""

from __future__ import annotations

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.core.rollout.waves import waves_of

NAMES = st.lists(st.text("abcdef", min_size=1), unique=True, max_size=12)


@given(NAMES, st.integers(0, 15), st.none() | st.integers(1, 15))
def test_every_target_is_in_one_wave_and_sizes_hold(
    names: list[str], canary: int, max_parallel: int | None
) -> None:
    waves = waves_of(names, canary=canary, max_parallel=max_parallel)
    assert list(chain.from_iterable(waves)) == names
    assert all(waves)
    rest = waves[1:] if canary else waves
    if canary and names:
        assert waves[0] == tuple(names[:canary])
    # Each is as large as it may be, but for the last one.
    if max_parallel is None:
        assert len(rest) <= 1
    else:
        assert all(len(wave) == max_parallel for wave in rest[:-1])
        assert all(len(wave) <= max_parallel for wave in rest)


def test_a_canary_then_two_at_a_time() -> None:
    waves = waves_of(["a", "b", "c", "d"], canary=1, max_parallel=2)
    assert waves == (("a",), ("b", "c"), ("d",))
