"""Which targets go together: the canary first, then wave by wave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def waves_of(
    names: Sequence[str], *, canary: int, max_parallel: int | None
) -> tuple[tuple[str, ...], ...]:
    """The names in waves, in the order given; each once, and no wave empty.

    :param canary: how many the first wave has; 0 for no canary.
    :param max_parallel: how many each later wave has at most; ``None`` for all the rest.
    """
    return tuple(_waves(tuple(names), canary, max_parallel))


def _waves(
    names: tuple[str, ...], canary: int, max_parallel: int | None
) -> Iterator[tuple[str, ...]]:
    size, left = canary or max_parallel, names
    while left:
        yield left[:size]
        left = left[size:] if size is not None else ()
        size = max_parallel
