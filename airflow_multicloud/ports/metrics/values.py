"""What is measured: points of four kinds, after OpenTelemetry's data model.

https://opentelemetry.io/docs/specs/otel/metrics/data-model/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

AttributeValue = str | bool | int | float


def attribute_text(value: AttributeValue) -> str:
    """An attribute's value where only text is kept: as JSON writes it, without quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return str(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "an integer without end"


class Temporality(StrEnum):
    """What a counter's or histogram's figures are counted from."""

    #: From the point's ``start``, which is the end of the point before.
    DELTA = "delta"
    #: From the point's ``start``, which stays the same until the counter is reset.
    CUMULATIVE = "cumulative"


@dataclass(frozen=True, slots=True)
class Gauge:
    """What something is at one time."""

    value: float


@dataclass(frozen=True, slots=True)
class Counter:
    """What was counted since the point's ``start``.

    :param monotonic: whether it only grows until it is reset.
    """

    value: float
    temporality: Temporality
    monotonic: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How often values fell between bounds since the point's ``start``.

    :param bounds: ascending; bucket ``i`` is over ``(bounds[i - 1], bounds[i]]``, the first has no
        lower and the last no upper bound. Empty for a histogram without buckets.
    :param counts: one more than bounds; empty for a histogram without buckets.
    :param total: of all values, where it is known.
    """

    count: int
    temporality: Temporality
    bounds: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    total: float | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class ExponentialBuckets:
    """Bucket ``i`` is over ``(base ** (offset + i), base ** (offset + i + 1)]``."""

    offset: int = 0
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExponentialHistogram:
    """How often values fell into buckets that grow by ``base = 2 ** 2 ** -scale``.

    :param zero_count: values whose size is at most ``zero_threshold``.
    :param negative: of the sizes of values below zero.
    :param total: of all values, where it is known.
    """

    count: int
    temporality: Temporality
    scale: int
    zero_count: int = 0
    zero_threshold: float = 0.0
    positive: ExponentialBuckets = field(default_factory=ExponentialBuckets)
    negative: ExponentialBuckets = field(default_factory=ExponentialBuckets)
    total: float | None = None
    minimum: float | None = None
    maximum: float | None = None


PointData = Gauge | Counter | Histogram | ExponentialHistogram


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPoint:
    """One point of one series.

    A series is what has the same name and the same attributes. What a point holds may be of no use
    (not a number, a name without end): each cloud says of it why it can't be exported.

    :param name: as OpenTelemetry names instruments: ``multicloud.bytes``.
    :param unit: in UCUM: ``By``, ``s``, ``1``, ``{object}``; empty where there is none.
    :param time: when it was measured, aware.
    :param start: from when it counts, aware; none for gauges.
    """

    name: str
    data: PointData
    time: datetime
    start: datetime | None = None
    unit: str = ""
    attributes: Mapping[str, AttributeValue] = field(default_factory=lambda: MappingProxyType({}))
    description: str = ""

    def __post_init__(self) -> None:
        for name, moment in (("time", self.time), ("start", self.start)):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(
                    f"{name}: a datetime without a timezone given, expected an aware one"
                )

    @property
    def series(self) -> tuple[str, frozenset[tuple[str, str]]]:
        """What tells its series from others; clouds keep attributes as text."""
        return self.name, frozenset(
            (name, attribute_text(value)) for name, value in self.attributes.items()
        )
