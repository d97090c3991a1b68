"""What a cloud has of a metric, in figures that mean the same in every cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from airflow_multicloud.ports.metrics.values import AttributeValue, Histogram
from airflow_multicloud.ports.windows import check_window


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricQuery:
    """Which points to read.

    :param name: of the metric, as it was exported.
    :param namespace: as it was exported with.
    :param since: the first moment, aware.
    :param until: the moment after the last, aware.
    :param attributes: which the points must have, beside others; under the names and values that
        they were exported with.
    """

    name: str
    namespace: str
    since: datetime
    until: datetime
    attributes: Mapping[str, AttributeValue] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        check_window(self.since, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPoint:
    """One point as its cloud has it. A cloud may have made one of all points of a minute.

    :param time: its end, or the beginning of the period that the cloud has added up.
    :param start: from when it counts, where the cloud keeps that.
    :param attributes: as the cloud has them: as text, under its names.
    :param count: of values: 1 for a gauge's or a counter's point.
    :param total: of the values: the value, for a gauge or a counter.
    :param minimum: none where the cloud does not keep it.
    :param histogram: with its buckets, where the cloud keeps them.
    :param unit: as the cloud has it.
    """

    time: datetime
    attributes: Mapping[str, str]
    count: int
    total: float
    start: datetime | None = None
    minimum: float | None = None
    maximum: float | None = None
    histogram: Histogram | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricReading:
    """What was read, oldest first.

    :param notes: why there may be more than this, in words: no notes, no known reason. That a
        point is not there yet proves nothing: clouds show points minutes after they took them.
    """

    points: tuple[ReadPoint, ...]
    notes: tuple[str, ...] = ()
