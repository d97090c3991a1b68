"""Application Insights' ingestion: ``POST /v2.1/track``, and the table that it fills.

Simulated. Envelopes are checked against the models of the stock exporter
(``azure-monitor-opentelemetry-exporter``, generated from the published description), against the
published limits (https://learn.microsoft.com/azure/azure-monitor/service-limits#application-insights)
and the windows of time that the service names when it refuses. Answers have the form and, where
they are known, the words of real ones that public reports show: old and new times
(github.com/microsoft/ApplicationInsights-node.js/issues/1466, …-JS/issues/2283), a wrong key
(github.com/dmolokanov/appinsights-rs/issues/221). A minimum or maximum that is missing is filled
with the sum, as the service does (github.com/microsoft/ApplicationInsights-Home/issues/247).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from azure.monitor.opentelemetry.exporter._generated.exporter.models import (  # noqa: TID253
    MetricsData,
    TelemetryItem,
    TrackResponse,
)

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.delivery_faults import DeliveryCall, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.azure.arm.http import (
    Call,
    Refusal,
    Route,
    conforming,
)
from airflow_multicloud.testing.local_clouds.azure.arm.strict import violations
from airflow_multicloud.testing.local_clouds.azure.identity.tokens import Tokens
from airflow_multicloud.testing.local_clouds.azure.telemetry import (
    INSTRUMENTATION_KEY,
    MONITOR_AUDIENCE,
)
from airflow_multicloud.testing.local_clouds.azure.telemetry.tables import Row
from airflow_multicloud.testing.local_clouds.azure.telemetry.workspace import (
    APP_METRICS,
    Workspace,
)
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import lose, meet
from airflow_multicloud.testing.local_clouds.kit.http import Answer

_OLDEST, _NEWEST = timedelta(days=2), timedelta(hours=2)
_MOST_ITEMS = 64_000
_MOST_BYTES = 64 * 1024
_LONGEST_NAME = 1024
_LONGEST_NAMESPACE = 256
_LONGEST_KEY, _LONGEST_VALUE = 150, 8192
_LARGEST_COUNT = 2**31 - 1

#: What a planted error is said with.
_REFUSED = {
    ErrorKind.THROTTLED: (429, "Too many requests"),
    # "Quota, too Many Requests over extended time", as the stock exporter calls it.
    ErrorKind.QUOTA: (402, "Daily quota exceeded"),
    ErrorKind.UNAVAILABLE: (503, "Service unavailable"),
    ErrorKind.PERMISSION_DENIED: (403, "Forbidden"),
    ErrorKind.UNAUTHENTICATED: (401, "Unauthorized"),
}


def routes(workspace: Workspace, tokens: Tokens) -> list[Route]:
    """The one operation; it is public, since a key in each envelope may do in a token's place."""
    track = _Track(workspace, tokens)
    return [Route(method="POST", path=re.compile(r"/v2\.1/track"), handler=track, public=True)]


class _Track:
    def __init__(self, workspace: Workspace, tokens: Tokens) -> None:
        self._workspace = workspace
        self._tokens = tokens

    def __call__(self, call: Call) -> Answer:
        items = _items(call)
        fault = meet(self._workspace.metric_faults, DeliveryCall.WRITE)
        if fault is not None and fault.kind is DeliveryFaultKind.REFUSE:
            return _all_refused(items, *_REFUSED[fault.error])
        if call.request.headers.get("authorization"):
            try:
                self._tokens.check(call.request, MONITOR_AUDIENCE)
            except Refusal as refusal:
                return _all_refused(items, HTTPStatus.UNAUTHORIZED, str(refusal))
        reasons = [self._why_not(item) for item in items]
        rows = [_row(item) for item, why in zip(items, reasons, strict=True) if why is None]
        self._workspace.tables.append(APP_METRICS, rows)
        lose(fault)
        errors = [
            {"index": index, "statusCode": HTTPStatus.BAD_REQUEST, "message": why}
            for index, why in enumerate(reasons)
            if why is not None
        ]
        if not errors:
            return _told(HTTPStatus.OK, items, errors)
        return _told(HTTPStatus.PARTIAL_CONTENT if rows else HTTPStatus.BAD_REQUEST, items, errors)

    def _why_not(self, item: Any) -> str | None:
        """Why one envelope is refused."""
        found = next(_problems(item), None)
        if found is None and self._workspace.metric_faults.rejects(_metric(item)["name"]):
            return "105: Field 'name' on type 'DataPoint' is not allowed here"
        return found


def _items(call: Call) -> list[Any]:
    """The envelopes: a JSON array.

    :raises Refusal: when the body is none.
    """
    body = call.json
    if not isinstance(body, list) or not body or len(body) > _MOST_ITEMS:
        raise Refusal(
            HTTPStatus.BAD_REQUEST, "InvalidRequestContent", "Expected an array of envelopes."
        )
    return body


def _problems(item: Any) -> Iterator[str]:
    if not isinstance(item, dict):
        yield "100: Invalid envelope"
        return
    data: dict[str, Any] = item.get("data") or {}
    base: Any = data.get("baseData")
    outer = {**item, "data": {key: value for key, value in data.items() if key != "baseData"}}
    yield from violations(TelemetryItem, outer, "create")
    yield from violations(MetricsData, base, "create")
    if item.get("iKey") != INSTRUMENTATION_KEY:
        yield "Invalid instrumentation key"
    if data.get("baseType") != "MetricData" or len(base["metrics"]) != 1:
        yield "100: Field 'baseData' on type 'Data' is no MetricData with one metric"
    if len(json.dumps(item).encode()) > _MOST_BYTES:
        yield "101: Telemetry item is larger than the max size. Expected: 65536"
    yield from _wrong_time(datetime.fromisoformat(item["time"]))
    yield from _wrong_metric(base["metrics"][0])
    for key, value in (base.get("properties") or {}).items():
        if not key or len(key) > _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            yield "102: Field 'properties' on type 'MetricData' exceeded the max length."


def _wrong_time(time: datetime) -> Iterator[str]:
    field, now = "Field 'time' on type 'Envelope'", datetime.now(UTC)
    if time < now - _OLDEST:
        yield f"103: {field} is older than the allowed min date. Expected: now - 172800000ms"
    if time > now + _NEWEST:
        yield f"104: {field} is newer than the max date. Expected: now + 7200000ms"


def _wrong_metric(metric: Mapping[str, Any]) -> Iterator[str]:
    if not metric["name"]:
        yield (
            "109: Field 'name' on type 'DataPoint' is required but missing or empty. "
            "Expected: string, Actual: "
        )
    if len(metric["name"]) > _LONGEST_NAME or len(metric.get("ns") or "") > _LONGEST_NAMESPACE:
        yield "102: Field 'name' on type 'DataPoint' exceeded the max length."
    count = metric.get("count")
    if count is not None and not 0 < count <= _LARGEST_COUNT:
        yield "106: Field 'count' on type 'DataPoint' is out of range."
    if metric.get("kind") == "Measurement" and any(
        metric.get(name) is not None for name in ("count", "min", "max", "stdDev")
    ):
        yield "107: Field 'count' on type 'DataPoint' should not be set for a measurement."


def _row(item: Mapping[str, Any]) -> Row:
    base = item["data"]["baseData"]
    metric = base["metrics"][0]
    value = float(metric["value"])
    tags = item.get("tags") or {}
    return {
        "TimeGenerated": datetime.fromisoformat(item["time"]).astimezone(UTC),
        "Name": metric["name"],
        "Sum": value,
        "Min": value if metric.get("min") is None else float(metric["min"]),
        "Max": value if metric.get("max") is None else float(metric["max"]),
        "ItemCount": 1 if metric.get("count") is None else metric["count"],
        "Properties": dict(base.get("properties") or {}),
        "IKey": item["iKey"],
        "SDKVersion": tags.get("ai.internal.sdkVersion", ""),
        "AppRoleName": tags.get("ai.cloud.role", ""),
        "AppRoleInstance": tags.get("ai.cloud.roleInstance", ""),
    }


def _metric(item: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = item["data"]["baseData"]["metrics"][0]
    return found


def _all_refused(items: Sequence[Any], status: int, message: str) -> Answer:
    errors = [
        {"index": index, "statusCode": int(status), "message": message}
        for index in range(len(items))
    ]
    return _told(status, items, errors)


def _told(status: int, items: Sequence[Any], errors: Sequence[Mapping[str, Any]]) -> Answer:
    body = {
        "itemsReceived": len(items),
        "itemsAccepted": len(items) - len(errors),
        "errors": list(errors),
    }
    return Answer(status=status, body=conforming(TrackResponse, body).body)
