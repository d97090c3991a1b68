"""Reading custom metrics of a resource back: its definitions, and the figures of each minute.

https://learn.microsoft.com/azure/azure-monitor/platform/rest-api-walkthrough. Series are told apart
by naming every dimension in the filter; which ones there are, the metric's definition says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    ProxyPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest, HttpResponse
from azure.monitor.querymetrics import MetricAggregationType, MetricsClient, MetricsQueryResult

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.metrics import custom
from airflow_multicloud.clouds.azure.metrics.errors import translated
from airflow_multicloud.clouds.azure.monitor import Monitor, ResourceMetrics
from airflow_multicloud.clouds.azure.resending import ReadableWaits
from airflow_multicloud.errors import MetricsError
from airflow_multicloud.ports.metrics import MetricQuery, MetricReading, ReadPoint

_API_VERSION = "2024-02-01"
_MINUTE = timedelta(minutes=1)
#: More series than this are not asked for; by default it would be ten.
_MOST_SERIES = 10_000
_AGGREGATIONS = (
    MetricAggregationType.TOTAL,
    MetricAggregationType.COUNT,
    MetricAggregationType.MINIMUM,
    MetricAggregationType.MAXIMUM,
)


def definitions_client(monitor: Monitor) -> PipelineClient[HttpRequest, HttpResponse]:
    """A client of Azure Resource Manager, which has the definitions."""
    manager = monitor.manager
    return PipelineClient(
        base_url=manager.endpoint,
        policies=[
            RequestIdPolicy(),
            UserAgentPolicy("airflow-multicloud"),
            ProxyPolicy(),
            ReadableWaits(),
            BearerTokenCredentialPolicy(manager.require_credential(), *manager.scopes),
        ],
        connection_verify=manager.verify,
    )


def values_client(monitor: Monitor, resource: ResourceMetrics) -> MetricsClient:
    """The SDK's client of a region's metrics."""
    return MetricsClient(
        resource.query_endpoint,
        monitor.require_credential(),
        credential_scopes=[resource.query_scope],
        retry_policy=ReadableWaits(),
        connection_verify=monitor.verify,
    )


def read_custom(
    query: MetricQuery,
    resource: ResourceMetrics,
    definitions: PipelineClient[HttpRequest, HttpResponse],
    values: MetricsClient,
) -> MetricReading:
    """The points of a metric.

    :raises MetricsError: when one of both services can't be asked.
    """
    doing = f"reading metrics of {resource.resource_id}"
    metric = custom.safe_name(query.name)
    wanted = custom.dimensions_of(query.attributes).items()
    with translated(doing):
        found = _definitions(definitions, resource.resource_id, query.namespace)
    with well_formed(doing, NAME, area=MetricsError):
        names = _dimensions(found.json(), metric)
    if names is None:
        return MetricReading(points=())
    # A query changes nothing, so that it may be sent again.
    options: dict[str, Any] = {"retry_on_methods": frozenset({"POST"})}
    if names:
        options["filter"] = " and ".join(f"{name} eq '*'" for name in names)
        options["max_results"] = _MOST_SERIES
    with well_formed(doing, NAME, area=MetricsError), translated(doing):
        answer = values.query_resources(
            resource_ids=[resource.resource_id],
            metric_namespace=query.namespace,
            metric_names=[metric],
            timespan=(query.since, query.until),
            granularity=_MINUTE,
            aggregations=_AGGREGATIONS,
            **options,
        )
    with well_formed(doing, NAME, area=MetricsError):
        points = [
            point
            for point in _points(answer, names)
            if query.since <= point.time < query.until and wanted <= point.attributes.items()
        ]
        notes = tuple(_notes(answer))
    return MetricReading(points=tuple(sorted(points, key=lambda one: one.time)), notes=notes)


def _definitions(
    client: PipelineClient[HttpRequest, HttpResponse], resource_id: str, namespace: str
) -> HttpResponse:
    asked = urlencode({"api-version": _API_VERSION, "metricnamespace": namespace})
    url = f"{resource_id}/providers/Microsoft.Insights/metricDefinitions?{asked}"
    answer = client.send_request(HttpRequest("GET", client.format_url(url)))
    if answer.status_code != HTTPStatus.OK:
        raise HttpResponseError(response=answer)
    return answer


def _dimensions(definitions: Any, metric: str) -> Sequence[str] | None:
    """The dimensions of a metric; ``None`` when there is no such metric."""
    for one in definitions["value"]:
        if one["name"]["value"].casefold() == metric.casefold():
            return [str(dimension["value"]) for dimension in one.get("dimensions") or ()]
    return None


def _points(answer: Sequence[MetricsQueryResult], names: Sequence[str]) -> Iterator[ReadPoint]:
    # Names come back in lower case.
    known = {name.casefold(): name for name in names}
    for result in answer:
        for metric in result.metrics:
            for series in metric.timeseries:
                attributes = _attributes(series.metadata_values, known)
                for value in series.data:
                    if value.count:
                        yield ReadPoint(
                            time=value.timestamp.astimezone(UTC),
                            attributes=attributes,
                            count=int(value.count),
                            total=float(value.total or 0.0),
                            minimum=value.minimum,
                            maximum=value.maximum,
                        )


def _attributes(values: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """What a series has of the dimensions; one that it lacks has no value."""
    return {
        known.get(str(name).casefold(), str(name)): str(value)
        for name, value in values.items()
        if value
    }


def _notes(answer: Sequence[MetricsQueryResult]) -> Iterator[str]:
    if any(len(one.timeseries) >= _MOST_SERIES for result in answer for one in result.metrics):
        yield f"only {_MOST_SERIES} series of the metric were read"
