"""Asking Log Analytics: one query, and what it answers, whole or in part.

https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import DecodeError, HttpResponseError
from azure.monitor.query import (
    LogsQueryClient,
    LogsQueryPartialResult,
    LogsQueryResult,
    LogsTableRow,
)

from airflow_multicloud.clouds.azure.monitor import Monitor
from airflow_multicloud.clouds.azure.resending import ShortWaits
from airflow_multicloud.text import printable, shortened

_NOTE = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query found.

    :param problem: why rows may be missing, in the service's words: anything. Empty where none are.
    """

    rows: Sequence[LogsTableRow]
    problem: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """The problem, as the ports tell it."""
        note = f"Log Analytics answered in part: {self.problem}"
        return (shortened(printable(note), _NOTE),) if self.problem else ()


def query_client(monitor: Monitor) -> LogsQueryClient:
    """The SDK's client.

    :raises CredentialsError: when the connection has no credential for it.
    """
    return LogsQueryClient(
        monitor.require_credential(),
        endpoint=monitor.query_endpoint,
        credential_scopes=[monitor.query_scope],
        retry_policy=ShortWaits(),
        permit_redirects=False,
        connection_verify=monitor.verify,
    )


def ask(
    client: LogsQueryClient, workspace: str, query: str, *, since: datetime, until: datetime
) -> Answer:
    """Run a query over the rows of this time.

    :param workspace: its id.
    :param query: in Kusto's language.
    :raises AzureError: when it is refused, or no answer comes.
    :raises ValueError: (or another of :data:`~airflow_multicloud.adapters.answers.MALFORMED`) when
        the answer is none.
    """
    answers: list[Any] = []
    # Asking again changes nothing, so the SDK may.
    options: Any = {
        "retry_on_methods": frozenset({"POST"}),
        "raw_response_hook": answers.append,
    }
    try:
        found = client.query_workspace(workspace, query, timespan=(since, until), **options)
    except (ValueError, HttpResponseError) as err:
        # The SDK reads whatever is no success as JSON, or by the type that it is said to have, and
        # so loses what it was.
        if isinstance(err, HttpResponseError) and err.status_code is not None:
            raise
        response = answers[-1].http_response if answers else None
        if response is None:
            raise
        if response.status_code == HTTPStatus.OK:
            raise DecodeError(str(err)) from None
        # So a workspace answers that never got any data, its documentation says.
        if response.status_code == HTTPStatus.NO_CONTENT:
            return Answer(())
        raise HttpResponseError(response=response) from None
    return _read(found)


def innermost(error: Any) -> str:
    """The message of the error that caused the others; they lie in each other.

    :param error: as it was answered: anything.
    """
    message = ""
    while isinstance(error, Mapping):
        message = str(error.get("message") or message)
        error = error.get("innererror")
    return message


def _read(found: LogsQueryResult | LogsQueryPartialResult) -> Answer:
    if isinstance(found, LogsQueryResult):
        (table,) = found.tables
        return Answer(table.rows)
    error = found.partial_error
    problems = [innermost(one) for one in (error.details if error else None) or ()]
    told = "; ".join(filter(None, problems)) or (error.message if error else "") or "no reason"
    return Answer([row for table in found.partial_data or () for row in table.rows], told)
