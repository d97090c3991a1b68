"""Points as Cloud Monitoring has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api.metric_pb2 import MetricDescriptor
from google.cloud.monitoring_v3 import ListTimeSeriesRequest, ListTimeSeriesResponse

from airflow_multicloud.adapters.answers import Tokens, well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.metrics.client import REQUEST_S, MetricsBase
from airflow_multicloud.clouds.gcp.metrics.converting import RESOURCE, moment_of, stamp
from airflow_multicloud.clouds.gcp.metrics.distributions import histogram_of
from airflow_multicloud.clouds.gcp.metrics.errors import translated
from airflow_multicloud.clouds.gcp.metrics.naming import check_namespace, has, is_kept, type_of
from airflow_multicloud.errors import ErrorKind, MetricsError
from airflow_multicloud.ports.metrics import (
    MetricQuery,
    MetricReading,
    ReadPoint,
    Temporality,
    attribute_text,
)

#: What needs no care in a filter's quotes; other values are looked for here.
_PLAIN = re.compile(r"[A-Za-z0-9_.:/@+ -]{1,200}")
#: Nothing is kept for so long: a time before it is one that nobody chose.
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CUMULATIVE = MetricDescriptor.MetricKind.CUMULATIVE


class GCPReading(MetricsBase):
    """Reading."""

    def read_points(self, query: MetricQuery) -> MetricReading:
        """The points that Cloud Monitoring shows now; see the port."""
        check_namespace(query.namespace)
        metric_type, _ = type_of(query.namespace, query.name)
        doing = f"reading metric {query.name}"
        points: list[ReadPoint] = []
        wanted = [
            f'metric.labels.{name} = "{attribute_text(value)}"'
            for name, value in query.attributes.items()
            if is_kept(name) and _PLAIN.fullmatch(attribute_text(value))
        ]
        for one in self._series(
            metric_type, query.since, query.until - _MICROSECOND, doing=doing, wanted=wanted
        ):
            if all(has(one.metric.labels, *pair) for pair in query.attributes.items()):
                with well_formed(doing, NAME, area=MetricsError):
                    points += _read(one)
        return MetricReading(points=tuple(sorted(points, key=lambda point: point.time)))

    def _series(
        self,
        metric_type: str,
        first: datetime,
        last: datetime,
        *,
        doing: str,
        wanted: list[str] | None = None,
    ) -> Iterator[Any]:
        """The series of a metric with their points between two moments, both included.

        :param wanted: further comparisons of the filter.
        :raises MetricsError: when they can't be asked for. A metric that is not there has none.
        """
        conditions = [
            f'metric.type = "{metric_type}"',
            f'resource.type = "{RESOURCE}"',
            *(wanted or ()),
        ]
        request = ListTimeSeriesRequest.pb()(name=self._project, filter=" AND ".join(conditions))
        # The start is not part of it.
        stamp(request.interval.start_time, max(first, _EARLIEST) - _MICROSECOND)
        stamp(request.interval.end_time, last)
        tokens = Tokens(doing, NAME, area=MetricsError)
        try:
            with translated(doing):
                pages = self._client.list_time_series(
                    ListTimeSeriesRequest.wrap(request), retry=self._retry, timeout=REQUEST_S
                ).pages
                for page in pages:
                    if page.next_page_token:
                        tokens.note(page.next_page_token)
                    yield from ListTimeSeriesResponse.pb(page).time_series
        except MetricsError as err:
            # "Cannot find metric(s) that match type": nobody has written it yet.
            if err.kind is not ErrorKind.NOT_FOUND:
                raise


def _read(one: Any) -> Iterator[ReadPoint]:
    attributes: dict[str, str] = dict(one.metric.labels)
    cumulative = one.metric_kind == _CUMULATIVE
    for point in one.points:
        told = _value(point.value, Temporality.CUMULATIVE if cumulative else Temporality.DELTA)
        yield ReadPoint(
            time=moment_of(point.interval.end_time),
            start=moment_of(point.interval.start_time) if cumulative else None,
            attributes=attributes,
            unit=one.unit,
            **told,
        )


def _value(value: Any, temporality: Temporality) -> dict[str, Any]:
    kind = value.WhichOneof("value")
    if kind == "distribution_value":
        found = histogram_of(value.distribution_value, temporality)
        return {
            "count": found.count,
            "total": found.total,
            "histogram": found if found.counts else None,
        }
    number = float(getattr(value, kind))
    return {"count": 1, "total": number, "minimum": number, "maximum": number}
