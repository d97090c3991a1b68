"""Averages that a few odd values don't move."""

from __future__ import annotations

from collections.abc import Callable, Sequence

#: A normal deviation per median absolute deviation.
NORMAL = 1.4826


def around(
    values: Sequence[float], reach: int, average: Callable[[Sequence[float]], float]
) -> list[float]:
    """Of each value the average of those up to ``reach`` before and after.

    Near the ends it is that of as many values as elsewhere.
    """
    width = 2 * reach + 1
    starts = (max(0, min(place - reach, len(values) - width)) for place in range(len(values)))
    return [average(values[start : start + width]) for start in starts]
