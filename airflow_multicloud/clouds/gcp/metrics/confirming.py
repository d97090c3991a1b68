"""Whether points that were refused for their time are there already, with the same value.

A series takes no point of a time that it has or is past. So a point that is exported again is
refused, and what it was the first time is read back: the same value is as good as accepted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Any

from google.api.metric_pb2 import MetricDescriptor

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.metrics.converting import key_of, moment_of
from airflow_multicloud.clouds.gcp.metrics.reading import GCPReading
from airflow_multicloud.errors import CloudError, MetricsError

_DOING = "reading back what was refused"


class GCPConfirming(GCPReading):
    """Reading back."""

    def _kept(self, series: Sequence[Any]) -> dict[Hashable, Hashable]:
        """What is there of points: identity → essence.

        Nothing of those that can't be read: who may write need not be allowed to read, and an error
        of this question is none of the export's.

        :param series: of one point each.
        """
        by_type: defaultdict[str, list[Any]] = defaultdict(list)
        for one in series:
            by_type[one.metric.type].append(one)
        kept: dict[Hashable, Hashable] = {}
        for metric_type, asked in by_type.items():
            times = [_time(one) for one in asked]
            try:
                found = self._series(metric_type, min(times), max(times), doing=_DOING)
                for one in found:
                    with well_formed(_DOING, NAME, area=MetricsError):
                        kept |= _points(one)
            except CloudError:
                continue
        return kept


def identity_of(series: Any) -> Hashable:
    """What a series of one point is about: the series and its time."""
    return key_of(series), _time(series)


def essence_of(series: Any) -> Hashable:
    """What a series of one point says."""
    return _essence(series, series.points[0])


def _time(series: Any) -> datetime:
    return moment_of(series.points[0].interval.end_time)


def _points(series: Any) -> dict[Hashable, Hashable]:
    key = key_of(series)
    return {
        (key, moment_of(point.interval.end_time)): _essence(series, point)
        for point in series.points
    }


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
