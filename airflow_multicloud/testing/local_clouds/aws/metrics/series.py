"""What CloudWatch keeps: for each second or minute of a series, what came, and statistics of it.

"Statistics" and "Percentiles" in "CloudWatch concepts" of the user guide.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_MINUTE = 60
_PERCENTILE = re.compile(r"p(\d{1,2}(\.\d{1,10})?|100)")
#: "Data points with a period of less than 60 seconds are available for 3 hours", and so on
#: (GetMetricData): what began before → the periods that are answered are multiples of this.
_KEPT = ((63 * 86400, 3600), (15 * 86400, 300), (3 * 3600, 60))

#: Namespace, name and dimensions.
Key = tuple[str, str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One datum.

    :param second: when, in seconds since 1970, by its resolution.
    :param values: with how often each is there; none of a statistic set.
    """

    second: int
    resolution: int
    unit: str
    count: float
    total: float
    minimum: float
    maximum: float
    values: tuple[tuple[float, float], ...] = ()


@dataclass(slots=True)
class Series:
    """The data of one series, in the order they came."""

    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    samples: list[Sample] = field(default_factory=list)


@dataclass(slots=True)
class Region:
    """All series of a region."""

    series: defaultdict[Key, Series] = field(default_factory=lambda: defaultdict(Series))
    lock: threading.RLock = field(default_factory=threading.RLock)


def is_statistic(name: str) -> bool:
    """Whether it can be asked for here."""
    return name in _SIMPLE or _PERCENTILE.fullmatch(name) is not None


def periods(
    samples: Iterable[Sample], *, since: float, until: float, period: int, unit: str | None
) -> dict[tuple[float, str], list[Sample]]:
    """Samples by the beginning of their period and their unit.

    :param unit: only these.
    """
    age = datetime.now(UTC).timestamp() - since
    finest = next((least for longer, least in _KEPT if age > longer), 1)
    if period % finest:
        return {}
    start = since // period * period if period >= _MINUTE else since // 1
    found: defaultdict[tuple[float, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        if not start <= sample.second < until or (unit and sample.unit != unit):
            continue
        if period < _MINUTE <= sample.resolution:
            continue
        found[start + (sample.second - start) // period * period, sample.unit].append(sample)
    return found


def statistic(name: str, samples: Sequence[Sample]) -> float | None:
    """A statistic of the samples of one period; ``None`` where there is none.

    Percentiles need values: "CloudWatch needs raw data points to calculate percentile statistics",
    and are "not available for metrics when any of the metric values are negative numbers".
    """
    if (simple := _SIMPLE.get(name)) is not None:
        return float(simple(samples))
    values = sorted(pair for sample in samples for pair in sample.values)
    raw = all(sample.values or sample.minimum == sample.maximum for sample in samples)
    if not raw or not values or values[0][0] < 0:
        return None
    wanted = float(name[1:]) / 100 * sum(count for _, count in values)
    seen = 0.0
    for value, count in values:
        seen += count
        if seen >= wanted:
            return value
    return values[-1][0]


def _count(samples: Sequence[Sample]) -> float:
    return sum(sample.count for sample in samples)


def _total(samples: Sequence[Sample]) -> float:
    return sum(sample.total for sample in samples)


_SIMPLE: Mapping[str, Any] = {
    "SampleCount": _count,
    "Sum": _total,
    "Average": lambda samples: _total(samples) / _count(samples),
    "Minimum": lambda samples: min(sample.minimum for sample in samples),
    "Maximum": lambda samples: max(sample.maximum for sample in samples),
}
