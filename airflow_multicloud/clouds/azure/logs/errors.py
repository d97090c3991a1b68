"""What the errors of Azure Monitor's logs mean: of Logs Ingestion and of Log Analytics.

https://learn.microsoft.com/azure/azure-monitor/logs/api/errors; "Troubleshooting Azure Monitor
Ingestion client library issues"
(https://github.com/Azure/azure-sdk-for-python/blob/main/sdk/monitor/azure-monitor-ingestion/TROUBLESHOOTING.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from azure.core.exceptions import HttpResponseError

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.adapters.obstore import redact
from airflow_multicloud.clouds.azure import NAME, errors
from airflow_multicloud.clouds.azure.log_analytics import innermost
from airflow_multicloud.errors import ErrorKind, LogsError

#: What the codes mean.
TABLE = errors.BASE.overlay(
    by_code(
        {
            # A stream that the rule lacks is refused whatever is sent into it.
            ErrorKind.NOT_FOUND: "InvalidStream PathNotFoundError WorkspaceNotFoundError",
            ErrorKind.PERMISSION_DENIED: "InsufficientAccessError",
            ErrorKind.THROTTLED: "ThrottledError",
            ErrorKind.INVALID_ARGUMENT: (
                "BadArgumentError ContentLengthLimitExceeded InvalidPayload"
            ),
        }
    )
)

#: :func:`airflow_multicloud.clouds.azure.errors.translated` for these services.
translated = partial(errors.translated, table=TABLE, area=LogsError)

#: Codes that blame what was sent: without one record, the others may be taken.
OF_RECORDS = frozenset({"ContentLengthLimitExceeded", "InvalidPayload"})

_BAD_QUERY = "BadArgumentError"
_NO_TABLE = "Failed to resolve table"


@contextmanager
def queried(doing: str, table: str) -> Iterator[None]:
    """Likewise, and with what Log Analytics says inside of an error about a query.

    :param table: which the query is about.
    """
    with translated(doing):
        try:
            yield
        except HttpResponseError as err:
            if errors.error_code(err) != _BAD_QUERY:
                raise
            why = innermost(getattr(err.error, "innererror", None))
            missing = _NO_TABLE in why
            raise LogsError(
                f"{doing}: there is no table {table} in the workspace; make it, and a data "
                "collection rule whose stream fills it"
                if missing
                else f"{doing}: {redact(why) or 'the query is refused'} ({_BAD_QUERY})",
                kind=ErrorKind.NOT_FOUND if missing else ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
                code=_BAD_QUERY,
            ) from None
