"""Which requests the verbs of logs make of Azure Monitor, and what they need to be allowed.

"Logs Ingestion API" (https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview)
and "Manage access to Log Analytics workspaces"
(https://learn.microsoft.com/azure/azure-monitor/logs/manage-access). A connection names rule and
workspace by ids that are no resource's.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.ports.calls import ApiCall, CallTable

_WORKSPACES = "Microsoft.OperationalInsights/workspaces"


def _resource(kind: str, facts: Mapping[str, str]) -> str:  # noqa: ARG001  # see above
    return f"{{{kind}}}"


TABLE = CallTable(
    {
        "write_entries": (
            ApiCall(
                call="POST dataCollectionRules/{rule}/streams/{stream}",
                permissions=("Microsoft.Insights/Telemetry/Write",),
                resource="data_collection_rule",
            ),
        ),
        "query_entries": (
            ApiCall(
                call="POST workspaces/{workspace}/query",
                permissions=(f"{_WORKSPACES}/query/read", f"{_WORKSPACES}/query/*/read"),
                resource="log_analytics_workspace",
            ),
        ),
    },
    _resource,
)
