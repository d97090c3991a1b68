"""The Logs Ingestion API: ``POST /dataCollectionRules/{rule}/streams/{stream}``.

Simulated: https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview; its
limits: https://learn.microsoft.com/azure/azure-monitor/service-limits#logs-ingestion-api. One
rule with one stream, which fills the table of its name. As the service does, a field that is too
long is cut, and a time that is too old or too far ahead becomes that of the arrival, both without
a word (https://learn.microsoft.com/azure/azure-monitor/logs/log-standard-columns#timegenerated).
Stricter than the service, which leaves such values out: columns that the stream lacks and values
of other types are refused, since nobody means to send them. Errors have the words of real ones:
github.com/Azure/azure-sdk-for-net/pull/37173,
github.com/JulianHayward/AzADServicePrincipalInsights/issues/30.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from azure.monitor.ingestion._operations._operations import (  # noqa: TID253
    build_logs_ingestion_upload_request,
)

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.delivery_faults import DeliveryCall, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.azure.arm.http import Call, Refusal, Route
from airflow_multicloud.testing.local_clouds.azure.identity.tokens import Tokens
from airflow_multicloud.testing.local_clouds.azure.logs.kql.values import Type, datetime_of
from airflow_multicloud.testing.local_clouds.azure.telemetry import (
    MONITOR_AUDIENCE,
    RULE_ID,
    STREAM,
)
from airflow_multicloud.testing.local_clouds.azure.telemetry.tables import Row
from airflow_multicloud.testing.local_clouds.azure.telemetry.workspace import Workspace
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import lose, meet
from airflow_multicloud.testing.local_clouds.kit.http import Answer

#: The table that the stream fills.
TABLE = STREAM.removeprefix("Custom-")
_COLUMNS = {
    "TimeGenerated": Type.DATETIME,
    "Message": Type.STRING,
    "SeverityText": Type.STRING,
    "CorrelationId": Type.STRING,
    "InsertId": Type.STRING,
    "LogName": Type.STRING,
    "Attributes": Type.DYNAMIC,
}
_MOST_BYTES = 1024 * 1024
_LONGEST_FIELD = 64 * 1024
_OLDEST, _NEWEST = timedelta(days=2), timedelta(days=1)

#: What a planted error is said with: status, code, message.
_REFUSED = {
    ErrorKind.THROTTLED: (429, "TooManyRequests", "Too many requests for the rule."),
    ErrorKind.QUOTA: (403, "QuotaExceeded", "The daily cap of the workspace is reached."),
    ErrorKind.UNAVAILABLE: (503, "ServiceUnavailable", "The service is unavailable."),
    ErrorKind.PERMISSION_DENIED: (
        403,
        "OperationFailed",
        "The authentication token provided does not have access to ingest data for the data "
        f"collection rule with immutable Id '{RULE_ID}' PipelineAccessResult: AccessGranted: "
        "False.",
    ),
    ErrorKind.UNAUTHENTICATED: (401, "AuthenticationFailed", "The token is invalid."),
}


def routes(workspace: Workspace, tokens: Tokens) -> list[Route]:
    """The one operation, as the SDK asks for it."""
    workspace.tables.create(TABLE, _COLUMNS)
    sent = build_logs_ingestion_upload_request("RULE", "STREAM")
    path, _, version = sent.url.partition("?api-version=")
    pattern = path.replace("RULE", "(?P<rule>[^/]+)").replace("STREAM", "(?P<stream>[^/]+)")
    return [
        Route(
            method=sent.method,
            path=re.compile(pattern),
            handler=_Ingestion(workspace, tokens),
            api_version=version,
            public=True,  # its body, an array, has no model: it asks for the token itself
        )
    ]


class _Ingestion:
    def __init__(self, workspace: Workspace, tokens: Tokens) -> None:
        self._workspace = workspace
        self._tokens = tokens

    def __call__(self, call: Call) -> Answer:
        self._tokens.check(call.request, MONITOR_AUDIENCE)
        fault = meet(self._workspace.log_faults, DeliveryCall.WRITE)
        if fault is not None and fault.kind is DeliveryFaultKind.REFUSE:
            headers = {"Retry-After": "0"} if fault.error is ErrorKind.THROTTLED else {}
            raise Refusal(*_REFUSED[fault.error], headers)
        _check_target(call)
        rows = [_row(record) for record in _records(call)]
        for row in rows:
            if self._workspace.log_faults.rejects(str(row["Message"])):
                raise _invalid("a record can't be taken")
        self._workspace.tables.append(TABLE, rows)
        lose(fault)
        return Answer(status=HTTPStatus.NO_CONTENT)


def _check_target(call: Call) -> None:
    if call.variables["rule"] != RULE_ID:
        raise Refusal(
            HTTPStatus.NOT_FOUND,
            "NotFound",
            f"Data collection rule with immutable Id '{call.variables['rule']}' not found.",
        )
    if call.variables["stream"] != STREAM:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "InvalidStream",
            f"Data collection rule with immutable Id '{RULE_ID}' is not configured to accept "
            f"stream '{call.variables['stream']}'.",
        )


def _records(call: Call) -> list[Any]:
    """The records of a request: a JSON array, of at most 1 MB packed and unpacked."""
    if call.request.mimetype != "application/json":
        raise Refusal(415, "UnsupportedMediaType", "The content type must be application/json.")
    content = call.request.get_data()
    _check_size(content)
    if call.request.headers.get("content-encoding") == "gzip":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError):
            raise _invalid("the body is not in gzip's form") from None
        _check_size(content)
    try:
        found = json.loads(content)
    except ValueError:
        raise _invalid("the body is no JSON") from None
    if not isinstance(found, list):
        raise _invalid("the body is no array")
    return found


def _check_size(content: bytes) -> None:
    if len(content) > _MOST_BYTES:
        raise Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "ContentLengthLimitExceeded",
            f"Maximum allowed content length: {_MOST_BYTES} bytes (1 MB). Provided content length: "
            f"{len(content)} bytes.",
        )


def _row(record: object) -> Row:
    if not isinstance(record, dict):
        raise _invalid("a record is no object")
    if unknown := sorted(record.keys() - _COLUMNS.keys()):
        raise _invalid(f"the stream has no column {', '.join(unknown)}")
    return {**{name: _value(name, value) for name, value in record.items()}, **_time(record)}


def _value(name: str, value: object) -> object:
    if _COLUMNS[name] is Type.DYNAMIC:
        if len(json.dumps(value).encode()) > _MOST_BYTES:
            raise _invalid(f"{name} is too large")
        return value
    if not isinstance(value, str):
        raise _invalid(f"{name} is no text")
    return value.encode("utf-8", "replace")[:_LONGEST_FIELD].decode("utf-8", "ignore")


def _time(record: Mapping[str, object]) -> Row:
    found = datetime_of(str(record.get("TimeGenerated") or ""))
    now = datetime.now(UTC)
    kept = found is not None and now - _OLDEST <= found <= now + _NEWEST
    return {"TimeGenerated": found if kept else now}


def _invalid(why: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, "InvalidPayload", f"The payload is invalid: {why}.")
