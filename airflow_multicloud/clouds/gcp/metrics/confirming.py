"""Whether points that were refused for their time are there already, with the same value.

A series takes no point of a time that it has or is past. So a point that is exported again is
refused, and what it was the first time is read back: the same value is as good as accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from typing import Any, Final

from google.api.metric_pb2 import MetricDescriptor

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.metrics.converting import key_of, moment_of
from airflow_multicloud.errors import CloudError, MetricsError

DOING: Final = "reading back what was refused"


class Kept:
    """What is there of the points of one export, asked for once per metric.

    :param read: the series of a metric type, with their points in the time that matters.
    """

    def __init__(self, read: Callable[[str], Iterator[Any]]) -> None:
        self._read = read
        self._asked: set[str] = set()
        self._found: dict[Hashable, Hashable] = {}

    def has(self, series: Any) -> bool | None:
        """Whether a point is there as it was sent; ``None`` when there is none of its time.

        Nothing is there that can't be read: who may write need not be allowed to read, and an error
        of this question is none of the export's.

        :param series: of one point.
        """
        self._ask(series.metric.type)
        there = self._found.get(_identity(series, series.points[0]))
        return None if there is None else there == _essence(series, series.points[0])

    def note(self, series: Any) -> None:
        """That a point was written."""
        self._found.setdefault(
            _identity(series, series.points[0]), _essence(series, series.points[0])
        )

    def ask_again(self) -> None:
        """Take nothing for known: what was sent may have been carried out unheard."""
        self._asked.clear()

    def _ask(self, metric_type: str) -> None:
        if metric_type in self._asked:
            return
        self._asked.add(metric_type)
        with suppress(CloudError):
            for one in self._read(metric_type):
                with well_formed(DOING, NAME, area=MetricsError):
                    self._found |= {
                        _identity(one, point): _essence(one, point) for point in one.points
                    }


def _identity(series: Any, point: Any) -> Hashable:
    """The series and the time."""
    return key_of(series), moment_of(point.interval.end_time)


def _essence(series: Any, point: Any) -> Hashable:
    cumulative = series.metric_kind == MetricDescriptor.MetricKind.CUMULATIVE
    start = moment_of(point.interval.start_time) if cumulative else None
    kind = point.value.WhichOneof("value")
    if kind != "distribution_value":
        return start, kind, getattr(point.value, kind)
    told = point.value.distribution_value
    counts = list(told.bucket_counts)
    while counts and not counts[-1]:
        counts.pop()
    return start, told.count, told.mean, tuple(counts), told.bucket_options.SerializeToString()
