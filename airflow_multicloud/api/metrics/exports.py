"""Metrics to the clouds, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from airflow_multicloud.api.metrics.origins import current_origin
from airflow_multicloud.core.metrics.checking import CheckReport
from airflow_multicloud.core.metrics.collecting import RESOURCE_ATTRIBUTES, refused
from airflow_multicloud.core.metrics.report import ExportReport
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.opening import metrics as _opening
from airflow_multicloud.opening.metrics import ExportRequest, MetricsInput
from airflow_multicloud.ports.metrics import AttributeValue, MetricQuery, MetricReading

Documents = Sequence[Mapping[str, Any]]


@operation("metrics.export")
def export_metrics_to_cloud(
    destinations: Sequence[str] | str,
    *,
    namespace: str,
    metrics: Documents | None = None,
    metrics_data: Callable[[], Any] | Any = None,
    otlp_json: str | Path | None = None,
    prometheus_text: str | Path | None = None,
    resource_attributes: Sequence[str] = RESOURCE_ATTRIBUTES,
    on_invalid: str = "fail",
    min_success_ratio: float | Mapping[str, float] = 1.0,
    transport: str = "native",
    time: datetime | None = None,
) -> ExportReport:
    """Export metrics to one or more clouds at the same time, and account for each point.

    The parameters are those of
    :class:`~airflow_multicloud.operators.metrics.export.ExportMetricsOperator`, and inside of a
    task so are the attributes that are added to each point.

    :param time: of points without one: aware; by default the start of the DAG run, which a retry
        has in common with the try before, and outside of a task now.
    :return: what became of every point. Call its ``raise_if_failed`` for an error when a
        destination accepted too few.
    :raises CloudError: when a parameter is wrong, the input can't be read, or a point can't be
        exported and none must be left out; nothing was sent then. What a destination can't do is
        in the report.
    """
    return _opening.export_metrics(
        MetricsInput(
            metrics=metrics,
            metrics_data=metrics_data,
            otlp_json=otlp_json,
            prometheus_text=prometheus_text,
            resource_attributes=resource_attributes,
        ),
        ExportRequest(
            destinations=destinations,
            namespace=namespace,
            on_invalid=on_invalid,
            min_success_ratio=min_success_ratio,
            transport=transport,
        ),
        current_origin(_aware("time", time)),
    )


@operation("metrics.check")
def check_metrics(
    destinations: Sequence[str] | str,
    *,
    namespace: str,
    metrics: Documents | None = None,
    metrics_data: Callable[[], Any] | Any = None,
    otlp_json: str | Path | None = None,
    prometheus_text: str | Path | None = None,
    resource_attributes: Sequence[str] = RESOURCE_ATTRIBUTES,
    transport: str = "native",
    time: datetime | None = None,
) -> CheckReport:
    """Say which points could be exported where, and why others could not; nothing is sent.

    The parameters are those of :func:`export_metrics_to_cloud`.

    :raises CloudError: when a parameter is wrong, or the input can't be read.
    """
    return _opening.check_metrics(
        MetricsInput(
            metrics=metrics,
            metrics_data=metrics_data,
            otlp_json=otlp_json,
            prometheus_text=prometheus_text,
            resource_attributes=resource_attributes,
        ),
        ExportRequest(destinations=destinations, namespace=namespace, transport=transport),
        current_origin(_aware("time", time)),
    )


@operation("metrics.read")
def read_metric(
    conn_id: str,
    name: str,
    *,
    namespace: str,
    since: datetime | None = None,
    until: datetime | None = None,
    attributes: Mapping[str, AttributeValue] = MappingProxyType({}),
) -> MetricReading:
    """The points of a metric, as its cloud shows them now.

    Clouds show points minutes after they have taken them: that one is not there proves nothing.

    :param name: of the metric, as it was exported.
    :param since: the first moment, aware; an hour before ``until`` by default.
    :param until: the moment after the last; now by default.
    :param attributes: which the points must have, beside others.
    :raises CloudError: when the cloud can't be asked.
    """
    end = datetime.now(UTC) if until is None else until
    try:
        query = MetricQuery(
            name=name,
            namespace=namespace,
            since=end - timedelta(hours=1) if since is None else since,
            until=end,
            attributes=dict(attributes),
        )
    except (ValueError, OverflowError) as err:
        raise refused(str(err)) from None
    return _opening.read_metric(conn_id, query)


def _aware(parameter: str, given: datetime | None) -> datetime | None:
    if given is not None and given.tzinfo is None:
        raise refused(f"{parameter}: a datetime without a timezone given, expected an aware one")
    return given
