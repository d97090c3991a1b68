"""Which requests the verbs of metrics make of Azure Monitor, and what they need to be allowed.

"Azure permissions for Monitor"
(https://learn.microsoft.com/azure/role-based-access-control/permissions/monitor); the role that has
both is Monitoring Metrics Publisher. Without tokens, Application Insights takes what has its key.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.ports.calls import ApiCall, CallTable

_RESOURCE, _INSIGHTS, _OTLP = "metrics_resource", "application_insights", "data_collection_rule"
_TELEMETRY = "Microsoft.Insights/Telemetry/Write"


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    return facts.get(kind) or f"{{{kind}}}"


TABLE = CallTable(
    {
        "export_points": (
            ApiCall(
                call="POST {resource}/metrics",
                permissions=("Microsoft.Insights/Metrics/Write",),
                resource=_RESOURCE,
                when=_RESOURCE,
            ),
            ApiCall(
                call="POST /v2.1/track",
                permissions=(_TELEMETRY,),
                resource=_INSIGHTS,
                when=_INSIGHTS,
            ),
        ),
        "otlp_metrics_target": (
            ApiCall(call="POST otlp/v1/metrics", permissions=(_TELEMETRY,), resource=_OTLP),
        ),
    },
    _resource,
)
