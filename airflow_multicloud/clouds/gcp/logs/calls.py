"""Which requests the verbs of logs make of Cloud Logging, and what they need to be allowed.

"API permissions" (https://cloud.google.com/logging/docs/access-control#api-permissions).
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.ports.calls import ApiCall, CallTable

_SERVICE = "google.logging.v2.LoggingServiceV2"


def _call(name: str, permission: str) -> ApiCall:
    return ApiCall(call=f"{_SERVICE}/{name}", permissions=(permission,), resource="project")


def _resource(kind: str, facts: Mapping[str, str]) -> str:  # noqa: ARG001  # all are the project's
    return f"//cloudresourcemanager.googleapis.com/projects/{facts['project']}"


TABLE = CallTable(
    {
        "write_entries": (_call("WriteLogEntries", "logging.logEntries.create"),),
        "query_entries": (_call("ListLogEntries", "logging.logEntries.list"),),
    },
    _resource,
)
