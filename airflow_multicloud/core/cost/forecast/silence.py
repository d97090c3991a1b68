"""What comes after days without any cost, from how it went after earlier ones. Pure arithmetic.

What was shut down costs nothing from then on, and a job that rests for weeks goes on when it did
before: the means of the last weeks know neither.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

#: Fewer days without a cost are no silence.
_LEAST = 3
#: Nothing comes any more after a silence that is so many times the longest one before.
_UNHEARD_OF = 2
#: Days after an earlier silence that are too few to tell how it went on.
_FEW = 7


@dataclass(frozen=True, slots=True)
class AfterSilence:
    """The mean of the days to come.

    :param spread: of its error.
    :param trials: that it is known from.
    """

    level: float
    spread: float
    trials: float


def silent_days(values: Sequence[float]) -> int:
    """How many days at the end have no cost."""
    return next((n for n, value in enumerate(reversed(values)) if value), len(values))


def after_silence(values: Sequence[float], ahead: int) -> AfterSilence | None:
    """What is to be expected of so many days when the last ones cost nothing.

    :returns: ``None`` when there is no silence, or none was nearly as long before.
    """
    silent = silent_days(values)
    if silent < _LEAST:
        return None
    earlier = _silences(values[: len(values) - silent])
    if silent > _UNHEARD_OF * max((length for _, length in earlier), default=0):
        return AfterSilence(0.0, 0.0, float(silent))
    # Of each earlier silence: the days that followed when it was as long as this one is now.
    followed = [values[first + silent :][:ahead] for first, length in earlier if length >= silent]
    means = [fmean(days) for days in followed if len(days) >= min(ahead, _FEW)]
    if not means:
        return None
    level = fmean(means)
    if len(means) == 1:
        return AfterSilence(level, max(level, fmean(values)), 1.0)
    variance = math.fsum((mean - level) ** 2 for mean in means) / (len(means) - 1)
    return AfterSilence(level, math.sqrt(variance * (1 + 1 / len(means))), float(len(means)))


def _silences(values: Sequence[float]) -> list[tuple[int, int]]:
    """The first place and the length of every run of days without a cost, between others."""
    found: list[tuple[int, int]] = []
    place = 0
    for has_cost, run in groupby(values, key=bool):
        length = len(list(run))
        if not has_cost and place:
            found.append((place, length))
        place += length
    return found
