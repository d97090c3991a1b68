"""CreateTimeSeries: every series is written, or there is a reason why not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from google.api.label_pb2 import LabelDescriptor
from google.api.metric_pb2 import MetricDescriptor
from google.cloud.monitoring_v3 import CreateTimeSeriesSummary
from google.protobuf.empty_pb2 import Empty

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Refused, invalid
from airflow_multicloud.testing.local_clouds.gcp.metrics.rules import (
    MOST_LABELS,
    kind_of,
    type_of,
    why_not_metric,
    why_not_point,
)
from airflow_multicloud.testing.local_clouds.gcp.metrics.store import (
    NAME,
    Key,
    Series,
    Store,
    check_project,
    nanos,
)
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults

_MOST_SERIES = 200
_INVALID_ARGUMENT = 3  # google.rpc.Code
_MILLISECOND = 1_000_000
#: https://cloud.google.com/monitoring/quotas: one point each 5 seconds, of one time series.
_PERIOD = 5_000 * _MILLISECOND
_OLDER = "Points must be written in order. One or more of the points specified had an older {} time"


class Writing:
    """The method, on one store."""

    def __init__(self, store: Store, faults: SeededDeliveryFaults) -> None:
        self._store = store
        self._faults = faults

    def create_time_series(self, request: Any) -> Empty:
        """Write what can be written.

        :raises Refused: when anything could not.
        """
        check_project(request.name)
        given = request.time_series
        if not 1 <= len(given) <= _MOST_SERIES:
            raise invalid(
                f"Field timeSeries had an invalid value: {len(given)} given, expected 1 to "
                f"{_MOST_SERIES} TimeSeries objects."
            )
        refused: dict[str, list[int]] = {}
        seen: set[Key] = set()
        now = time.time_ns()
        with self._store.lock:
            for place, one in enumerate(given):
                if (reason := self._write(one, seen, now)) is not None:
                    refused.setdefault(reason, []).append(place)
        if refused:
            raise _refusal(refused, len(given))
        return Empty()

    def _write(self, one: Any, seen: set[Key], now: int) -> str | None:
        reason = why_not_metric(one) or why_not_point(one, now)
        if reason is None and self._faults.rejects(one.metric.type):
            reason = "a fault was planted"
        if reason is not None:
            return reason
        labels = {name: value for name, value in one.metric.labels.items() if value}
        key = (one.metric.type, one.resource.type, frozenset(labels.items()))
        if key in seen:
            return (
                "Duplicate TimeSeries encountered. Only one point can be written per TimeSeries "
                "per request."
            )
        seen.add(key)
        described = self._store.descriptors.get(one.metric.type)
        found = self._store.series.get(key)
        reason = _why_not_described(one, labels, described) or _why_not_in_order(one, found)
        if reason is not None:
            return reason
        self._describe(one, labels, described)
        if found is None:
            found = self._store.series[key] = Series(_header(one, labels))
        found.points.append(one.points[0])
        return None

    def _describe(self, one: Any, labels: dict[str, str], found: MetricDescriptor | None) -> None:
        if found is None:
            found = self._store.descriptors[one.metric.type] = MetricDescriptor(
                name=f"{NAME}/metricDescriptors/{one.metric.type}",
                type=one.metric.type,
                metric_kind=kind_of(one),
                value_type=type_of(one),
                monitored_resource_types=["global", "generic_task", "generic_node"],
            )
        found.unit = found.unit or one.unit
        found.description = found.description or one.description
        known = {label.key for label in found.labels}
        found.labels.extend(LabelDescriptor(key=name) for name in sorted(labels.keys() - known))


def _why_not_described(
    one: Any, labels: dict[str, str], found: MetricDescriptor | None
) -> str | None:
    if found is None:
        return None
    metric = one.metric.type
    if kind_of(one) != found.metric_kind:
        kinds = MetricDescriptor.MetricKind
        return (
            f"Metric kind for metric {metric} must be {kinds.Name(found.metric_kind)}, but is "
            f"{kinds.Name(kind_of(one))}."
        )
    if type_of(one) != found.value_type:
        types = MetricDescriptor.ValueType
        return (
            f"Value type for metric {metric} must be {types.Name(found.value_type)}, but is "
            f"{types.Name(type_of(one))}."
        )
    if one.unit and found.unit and one.unit != found.unit:
        return f"Unit for metric {metric} must be {found.unit}, but is {one.unit}."
    if len({label.key for label in found.labels} | labels.keys()) > MOST_LABELS:
        return f"New labels would cause the metric {metric} to have over {MOST_LABELS} labels."
    return None


def _why_not_in_order(one: Any, found: Series | None) -> str | None:
    if found is None or not found.points:
        return None
    new, last = one.points[0].interval, found.points[-1].interval
    since = nanos(new.end_time) - nanos(last.end_time)
    if since <= 0:
        return f"{_OLDER.format('end')} than the most recent point."
    start, before = nanos(new.start_time), nanos(last.start_time)
    is_reset = start != before
    if (
        kind_of(one) == MetricDescriptor.MetricKind.CUMULATIVE
        and is_reset
        and start < nanos(last.end_time) + _MILLISECOND
    ):
        return f"{_OLDER.format('start')} than the most recent point."
    if since < _PERIOD:
        return (
            "One or more points were written more frequently than the maximum sampling period "
            "configured for the metric."
        )
    return None


def _header(one: Any, labels: dict[str, str]) -> Any:
    found = type(one)()
    found.CopyFrom(one)
    del found.points[:]
    found.ClearField("description")
    found.ClearField("unit")
    found.metric.labels.clear()
    found.metric.labels.update(labels)
    found.resource.labels["project_id"] = PROJECT
    found.metric_kind = kind_of(one)
    found.value_type = type_of(one)
    return found


def _refusal(refused: dict[str, list[int]], total: int) -> Refused:
    texts = [
        f"timeSeries[{_places(places)}]: write for resource=global{{project_id:{PROJECT}}} "
        f"failed with: {reason}"
        for reason, places in refused.items()
    ]
    failed = sum(map(len, refused.values()))
    summary = CreateTimeSeriesSummary.pb()(
        total_point_count=total, success_point_count=total - failed
    )
    summary.errors.add(point_count=failed).status.code = _INVALID_ARGUMENT
    return invalid(f"One or more TimeSeries could not be written: {'; '.join(texts)}", summary)


def _places(places: Sequence[int]) -> str:
    """``0-3,7``."""
    runs: list[list[int]] = []
    for place in places:
        if runs and runs[-1][-1] == place - 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
