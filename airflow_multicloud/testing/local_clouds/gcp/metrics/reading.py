"""ListTimeSeries and the methods of descriptors."""

from __future__ import annotations

import hashlib
from itertools import groupby
from typing import Any

import grpc
from google.api.metric_pb2 import Metric, MetricDescriptor
from google.cloud.monitoring_v3 import ListMetricDescriptorsResponse, ListTimeSeriesResponse
from google.protobuf.empty_pb2 import Empty

from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Refused, invalid
from airflow_multicloud.testing.local_clouds.gcp.metrics.filters import parsed
from airflow_multicloud.testing.local_clouds.gcp.metrics.store import (
    NAME,
    Series,
    Store,
    check_project,
    nanos,
)

_MOST = 100_000
_HEADERS = 1  # ListTimeSeriesRequest.TimeSeriesView


class Reading:
    """The methods, on one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list_time_series(self, request: Any) -> Any:
        """Series with their points, the newest first; a page is of so many points."""
        check_project(request.name)
        metric_type, test = parsed(request.filter)
        if metric_type is None:
            raise invalid("Field filter had an invalid value: it must specify a metric type.")
        if not request.interval.HasField("end_time"):
            raise invalid("Request was missing field interval.endTime.")
        if request.order_by or request.aggregation.per_series_aligner:
            raise invalid("Neither an order nor an aggregation is served here.")
        with self._store.lock:
            series = [
                one
                for (its_type, _, _), one in self._store.series.items()
                if its_type == metric_type and test(one.header)
            ]
            described = self._store.descriptors.get(metric_type)
            if described is None:
                raise Refused(
                    grpc.StatusCode.NOT_FOUND,
                    f'Cannot find metric(s) that match type = "{metric_type}".',
                )
            found = [(one, point) for one in series for point in _within(one, request.interval)]
        if request.view == _HEADERS:
            found = [next(points) for _, points in groupby(found, key=lambda pair: id(pair[0]))]
        page, token = _page(request, found)
        answer = ListTimeSeriesResponse.pb()(next_page_token=token)
        for _, pairs in groupby(page, key=lambda pair: id(pair[0])):
            told = list(pairs)
            one = answer.time_series.add()
            one.CopyFrom(told[0][0].header)
            one.unit = described.unit
            if request.view != _HEADERS:
                one.points.extend(point for _, point in told)
        return answer

    def list_metric_descriptors(self, request: Any) -> Any:
        """Those that a filter by ``metric.type`` means, by name."""
        check_project(request.name)
        _, test = parsed(request.filter) if request.filter else (None, lambda _: True)
        with self._store.lock:
            found = [
                one
                for name, one in sorted(self._store.descriptors.items())
                if test(_Described(name))
            ]
        page, token = _page(request, found)
        return ListMetricDescriptorsResponse.pb()(metric_descriptors=page, next_page_token=token)

    def get_metric_descriptor(self, request: Any) -> MetricDescriptor:
        """One of them."""
        with self._store.lock:
            return self._store.descriptors[self._type_of(request.name)]

    def delete_metric_descriptor(self, request: Any) -> Empty:
        """Delete one, with its series."""
        with self._store.lock:
            gone = self._type_of(request.name)
            del self._store.descriptors[gone]
            for key in [key for key in self._store.series if key[0] == gone]:
                del self._store.series[key]
        return Empty()

    def _type_of(self, name: str) -> str:
        metric_type = name.removeprefix(f"{NAME}/metricDescriptors/")
        if metric_type not in self._store.descriptors:
            raise Refused(
                grpc.StatusCode.NOT_FOUND, f"Could not find descriptor for metric '{metric_type}'."
            )
        return metric_type


class _Described:
    """What a filter of descriptors looks at."""

    def __init__(self, metric_type: str) -> None:
        self.metric = Metric(type=metric_type)
        self.resource = None


def _within(series: Series, interval: Any) -> list[Any]:
    """The points in ``(start, end]``, the newest first; one moment where there is no start."""
    end = nanos(interval.end_time)
    start = nanos(interval.start_time) if interval.HasField("start_time") else end - 1
    if start >= end:
        raise invalid("Field interval had an invalid value: it must start before its end.")
    return [
        point for point in reversed(series.points) if start < nanos(point.interval.end_time) <= end
    ]


def _page(request: Any, found: list[Any]) -> tuple[list[Any], str]:
    asked = type(request)()
    asked.CopyFrom(request)
    asked.ClearField("page_token")
    proof = hashlib.sha256(asked.SerializeToString(deterministic=True)).hexdigest()[:16]
    place, _, of = (request.page_token or f"0.{proof}").partition(".")
    if request.page_size < 0 or of != proof or not place.isdecimal():
        raise invalid("Field pageToken or pageSize had an invalid value.")
    start = int(place)
    end = start + min(request.page_size or _MOST, _MOST)
    return found[start:end], f"{end}.{proof}" if end < len(found) else ""
