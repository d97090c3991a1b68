"""Which requests the verbs of metrics make of Cloud Monitoring, and what they need to be allowed.

"Cloud Monitoring API permissions" (https://cloud.google.com/monitoring/access-control); the
Telemetry API's: https://cloud.google.com/stackdriver/docs/reference/telemetry/overview.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.ports.calls import ApiCall, CallTable


def _call(name: str, *permissions: str, without: str = "") -> ApiCall:
    named = tuple(f"monitoring.{one}" for one in permissions)
    return ApiCall(call=name, permissions=named, resource="project", without=without)


def _resource(kind: str, facts: Mapping[str, str]) -> str:  # noqa: ARG001  # all are the project's
    return f"//cloudresourcemanager.googleapis.com/projects/{facts['project']}"


TABLE = CallTable(
    {
        # A time series of a type that is new makes the type's descriptor.
        "export_points": (
            _call(
                "google.monitoring.v3.MetricService/CreateTimeSeries",
                *("timeSeries.create", "metricDescriptors.create"),
            ),
            _call(
                *("google.monitoring.v3.MetricService/ListTimeSeries", "timeSeries.list"),
                without="what became of an earlier try is not known",
            ),
        ),
        "otlp_metrics_target": (
            _call("POST /v1/metrics", "timeSeries.create", "metricDescriptors.create"),
        ),
    },
    _resource,
)
