"""What the errors of Azure Monitor's metrics mean: Application Insights' ingestion, Log Analytics.

Statuses of the ingestion: as Microsoft's exporter (``azure-monitor-opentelemetry-exporter``) reads
them: 402 and 439 are a quota that is used up "over extended time", 307 and 308 name another
endpoint. Codes of Log Analytics:
https://learn.microsoft.com/azure/azure-monitor/logs/api/errors.
"""

from __future__ import annotations

from functools import partial

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.azure import errors
from airflow_multicloud.errors import ErrorKind, MetricsError

#: Statuses of the ingestion, which has no codes.
STATUSES = {
    307: ErrorKind.INVALID_ARGUMENT,
    308: ErrorKind.INVALID_ARGUMENT,
    402: ErrorKind.QUOTA,
    439: ErrorKind.QUOTA,
}

#: What the codes and statuses of both services mean.
TABLE = errors.BASE.overlay(
    by_code(
        {
            ErrorKind.INVALID_ARGUMENT: (
                "BadArgumentError InvalidResponse PartialError SemanticError SyntaxError"
            ),
            ErrorKind.NOT_FOUND: "PathNotFoundError WorkspaceNotFoundError",
            ErrorKind.PERMISSION_DENIED: "InsufficientAccessError",
            ErrorKind.UNAUTHENTICATED: (
                "AuthorizationRequiredError InvalidTokenError NoToken TokenExpired"
            ),
            ErrorKind.THROTTLED: "ThrottledError",
            ErrorKind.TIMEOUT: "GatewayTimeoutError",
            ErrorKind.UNAVAILABLE: "ServiceUnavailableError",
        }
    ),
    statuses=STATUSES,
)

#: :func:`airflow_multicloud.clouds.azure.errors.translated` for these services.
translated = partial(errors.translated, table=TABLE, area=MetricsError)
