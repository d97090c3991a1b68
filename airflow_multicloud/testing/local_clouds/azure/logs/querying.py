"""Log Analytics: ``POST /v1/workspaces/{id}/query``.

Simulated, over the part of the Kusto Query Language that is in :mod:`.kql`. Request, answer and
errors: https://learn.microsoft.com/azure/azure-monitor/logs/api/request-format,
…/logs/api/response-format and …/logs/api/errors. What is more than 500,000 rows or 100 MiB is cut
(https://learn.microsoft.com/azure/azure-monitor/service-limits#la-query-api), which the answer says
as the service does: with status 200 and a ``PartialError``. A record of service ``query_limits``
has lower limits (``rows``, ``bytes``) for a test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from isodate import ISO8601Error, parse_duration  # type: ignore[import-untyped]

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.delivery_faults import DeliveryCall, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.azure.arm.http import Call, Route
from airflow_multicloud.testing.local_clouds.azure.identity.tokens import Tokens
from airflow_multicloud.testing.local_clouds.azure.logs.kql import (
    KqlSemanticError,
    KqlSyntaxError,
    Relation,
    ask,
)
from airflow_multicloud.testing.local_clouds.azure.logs.kql.functions import text_of
from airflow_multicloud.testing.local_clouds.azure.telemetry import QUERY_AUDIENCE, WORKSPACE_ID
from airflow_multicloud.testing.local_clouds.azure.telemetry.tables import Row
from airflow_multicloud.testing.local_clouds.azure.telemetry.workspace import Workspace
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import lose, meet
from airflow_multicloud.testing.local_clouds.kit.http import Answer, encoded

LIMITS = "query_limits"
_MOST_ROWS = 500_000
_MOST_BYTES = 100 * 1024 * 1024
_FIELDS = {"query": str, "timespan": str, "workspaces": list}

#: What a planted error is said with: status, code, message.
_REFUSED = {
    ErrorKind.THROTTLED: (429, "ThrottledError", "Too many requests; retry after a while"),
    ErrorKind.QUOTA: (403, "QuotaExceeded", "The quota of the workspace is used up"),
    ErrorKind.UNAVAILABLE: (503, "ServiceUnavailable", "The service is unavailable"),
    ErrorKind.PERMISSION_DENIED: (
        403,
        "InsufficientAccessError",
        "The provided credentials have insufficient access to perform the requested operation",
    ),
    ErrorKind.UNAUTHENTICATED: (401, "AuthenticationFailed", "Authentication failed."),
}


def routes(workspace: Workspace, tokens: Tokens) -> list[Route]:
    """The one operation; it asks for its token itself, since its body has no model in the SDK."""
    query = _Query(workspace, tokens)
    path = re.compile(r"/v1/workspaces/(?P<workspace>[^/]+)/query")
    return [Route(method="POST", path=path, handler=query, public=True)]


class _Query:
    def __init__(self, workspace: Workspace, tokens: Tokens) -> None:
        self._workspace = workspace
        self._tokens = tokens

    def __call__(self, call: Call) -> Answer:
        self._tokens.check(call.request, QUERY_AUDIENCE)
        if call.variables["workspace"] != WORKSPACE_ID:
            return _error(404, "WorkspaceNotFoundError", "The workspace could not be found")
        body = call.json
        if problem := _problem(body):
            return _error(400, "BadArgumentError", problem)
        fault = meet(self._workspace.faults_of(_table_of(body["query"])), DeliveryCall.READ)
        if fault is not None and fault.kind is DeliveryFaultKind.REFUSE:
            return _error(*_REFUSED[fault.error])
        try:
            found = ask(body["query"], _Within(self._workspace, body.get("timespan")))
        except KqlSyntaxError as err:
            return _invalid("SyntaxError", "SYN0002", str(err))
        except KqlSemanticError as err:
            return _invalid("SemanticError", "SEM0100", str(err))
        lose(fault)
        return self._told(found)

    def _told(self, found: Relation) -> Answer:
        limits = ([*self._workspace.seeded(LIMITS)] or [{}])[-1]
        most, size = limits.get("rows", _MOST_ROWS), limits.get("bytes", _MOST_BYTES)
        rows: list[list[object]] = []
        for row in found.values():
            told = [_told_value(value) for value in row]
            size -= len(encoded(told))
            if size < 0 or len(rows) >= most:
                return Answer(body={"tables": [_primary(found, rows)], "error": _PARTIAL})
            rows.append(told)
        return Answer(body={"tables": [_primary(found, rows)]})


class _Within:
    """The tables of a workspace, as far as a request's time span goes."""

    def __init__(self, workspace: Workspace, timespan: str | None) -> None:
        self._tables = workspace.tables
        self._span = _span(timespan) if timespan else None

    def columns(self, name: str) -> Mapping[str, str] | None:
        """A table's columns."""
        return self._tables.columns(name)

    def rows(self, name: str) -> Sequence[Row]:
        """A table's rows of that time."""
        return [row for row in self._tables.rows(name) if self._has(row["TimeGenerated"])]

    def _has(self, time: object) -> bool:
        if self._span is None or not isinstance(time, datetime):
            return True
        since, until = self._span
        return since <= time <= until


def _problem(body: object) -> str | None:
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        return "The request had some invalid properties: query"
    for name, value in body.items():
        if name not in _FIELDS or not (value is None or isinstance(value, _FIELDS[name])):
            return f"The request had some invalid properties: {name}"
    try:
        _span(body.get("timespan") or "PT1H")
    except (ValueError, ISO8601Error):
        return "The request had some invalid properties: timespan"
    return None


def _span(text: str) -> tuple[datetime, datetime]:
    """``start/end``, ``start/duration``, or a duration that ends now."""
    first, slash, second = text.partition("/")
    if not slash:
        now = datetime.now(UTC)
        return now - _duration(first), now
    since = datetime.fromisoformat(first)
    return since, since + _duration(second) if second[:1] == "P" else datetime.fromisoformat(second)


def _duration(text: str) -> timedelta:
    found: timedelta = parse_duration(text)
    return found


def _table_of(query: str) -> str:
    """The table that a query begins with: whose faults it meets."""
    found = re.match(r"\s*(\w+)", query)
    return found[1] if found else ""


def _primary(found: Relation, rows: Sequence[Sequence[object]]) -> dict[str, Any]:
    columns = [{"name": name, "type": str(kind)} for name, kind in found.columns.items()]
    return {"name": "PrimaryResult", "columns": columns, "rows": rows}


def _told_value(value: object) -> object:
    """Times and dynamic values are told as text."""
    if isinstance(value, dict | list):
        return json.dumps(value)
    if isinstance(value, datetime):
        return text_of(value)
    return str(value) if isinstance(value, timedelta) else value


_PARTIAL = {
    "code": "PartialError",
    "message": "There were some errors when processing your query.",
    "details": [
        {
            "code": "EngineError",
            "message": "Something went wrong processing your query on the server.",
            "innererror": {
                "code": "-2133196797",
                "message": (
                    "The results of this query exceed the set limit, so not all records were "
                    "returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003)."
                ),
                "severity": 2,
                "severityName": "Error",
            },
        }
    ],
}


def _invalid(code: str, inner: str, message: str) -> Answer:
    error = {
        "message": "The request had some invalid properties",
        "code": "BadArgumentError",
        "innererror": {
            "code": code,
            "message": "A semantic error occurred." if code == "SemanticError" else "Syntax Error",
            "innererror": {"code": inner, "message": message},
        },
    }
    return Answer(status=HTTPStatus.BAD_REQUEST, body={"error": error})


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status=status, body={"error": {"message": message, "code": code}})
