"""Reading points back: the table AppMetrics of the workspace, by Log Analytics.

https://learn.microsoft.com/azure/azure-monitor/reference/tables/appmetrics. An answer holds up to
500,000 rows or 100 MB (https://learn.microsoft.com/azure/azure-monitor/service-limits); where there
are more, Log Analytics says that it is a part.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.kql import literal, moment
from airflow_multicloud.clouds.azure.log_analytics import ask, query_client
from airflow_multicloud.clouds.azure.metrics import custom_reading, naming
from airflow_multicloud.clouds.azure.metrics.client import MetricsBase
from airflow_multicloud.clouds.azure.metrics.errors import translated
from airflow_multicloud.errors import MetricsError
from airflow_multicloud.ports.metrics import MetricQuery, MetricReading, ReadPoint

if TYPE_CHECKING:
    from azure.monitor.query import LogsTableRow

_DOING = "reading metrics from Log Analytics"


class MetricReads(MetricsBase):
    """The port's ``read_points``."""

    def read_points(self, query: MetricQuery) -> MetricReading:
        """The points that the workspace or the resource shows now, minutes after they were sent.

        :raises MetricsError: when it can't be asked.
        :raises CredentialsError: when the connection names no workspace, or is refused.
        """
        naming.check_namespace(query.namespace)
        monitor, resource = self._monitor, self._monitor.resource
        if resource is not None:
            make = self._azure.client
            return custom_reading.read_custom(
                query,
                resource,
                make("definitions", lambda: custom_reading.definitions_client(monitor)),
                make(
                    "custom metrics read", lambda: custom_reading.values_client(monitor, resource)
                ),
            )
        workspace = self._monitor.require_workspace()
        client = self._azure.client("log analytics", lambda: query_client(monitor))
        with well_formed(_DOING, NAME, area=MetricsError), translated(_DOING):
            answer = ask(client, workspace, kql_of(query), since=query.since, until=query.until)
        with well_formed(_DOING, NAME, area=MetricsError):
            points = sorted(map(_point, answer.rows), key=lambda point: point.time)
        return MetricReading(points=tuple(points), notes=answer.notes)


def kql_of(query: MetricQuery) -> str:
    """The query in Kusto's language."""
    properties = {
        naming.NAMESPACE: query.namespace,
        **{
            naming.property_name(name): naming.property_value(value)
            for name, value in query.attributes.items()
        },
    }
    return "\n| ".join(
        (
            "AppMetrics",
            f"where TimeGenerated >= {moment(query.since)}",
            f"where TimeGenerated < {moment(query.until)}",
            f"where Name == {literal(naming.metric_name(query.name))}",
            *(
                f"where tostring(Properties[{literal(name)}]) == {literal(value)}"
                for name, value in properties.items()
            ),
            "project TimeGenerated, Sum, Min, Max, ItemCount, Properties",
        )
    )


def _point(row: LogsTableRow) -> ReadPoint:
    time: datetime = row["TimeGenerated"]
    properties = _properties(row["Properties"])
    count, total = int(row["ItemCount"]), float(row["Sum"])
    minimum, maximum = float(row["Min"]), float(row["Max"])
    if count > 1 and minimum == maximum:
        # What was not given is filled in with the mean (or, by others, with the sum).
        minimum = maximum = None  # type: ignore[assignment]
    return ReadPoint(
        time=time.astimezone(UTC),
        attributes=naming.attributes_of(properties),
        count=count,
        total=total,
        minimum=minimum,
        maximum=maximum,
        unit=str(properties.get(naming.UNIT, "")),
    )


def _properties(value: Any) -> Mapping[str, Any]:
    """A dynamic column: JSON in a text; nothing where there are none."""
    found: Mapping[str, Any] = json.loads(value) if isinstance(value, str) and value else value
    return found or {}
