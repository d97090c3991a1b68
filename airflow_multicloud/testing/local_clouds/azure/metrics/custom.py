"""Custom metrics of one Azure resource: sent, defined by being sent, and read by the minute.

Simulated after https://learn.microsoft.com/azure/azure-monitor/metrics/metrics-custom-overview
(limits, times, what is added up) and the SDK's own request and models of
``azure-monitor-querymetrics``. A request that is refused keeps nothing. The words of refusals are
known for one (too many dimensions: github.com/influxdata/telegraf/issues/7318); the others are of
that form. A series that lacks a dimension which another has shows it with an empty value: how Azure
does it is not documented.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from azure.monitor.querymetrics._operations._operations import (  # noqa: TID253 - see __main__
    build_metrics_query_resources_request,
)
from azure.monitor.querymetrics.models import _models as models  # noqa: TID253

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.delivery_faults import DeliveryCall, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.azure.arm import AUDIENCE
from airflow_multicloud.testing.local_clouds.azure.arm.http import (
    Call,
    Refusal,
    Route,
    conforming,
    sdk_route,
)
from airflow_multicloud.testing.local_clouds.azure.telemetry import (
    CUSTOM_METRICS_AUDIENCE,
    METRICS_QUERY_AUDIENCE,
    REGION,
    RESOURCE_ID,
)
from airflow_multicloud.testing.local_clouds.azure.telemetry.minutes import Figures, Series
from airflow_multicloud.testing.local_clouds.azure.telemetry.workspace import Workspace
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import lose, meet
from airflow_multicloud.testing.local_clouds.kit.http import Answer

_OLDEST, _NEWEST = timedelta(minutes=20), timedelta(minutes=5)
_MOST_DIMENSIONS, _LONGEST = 10, 256
_EVERY = re.compile(r"([A-Za-z0-9_.:-]+) eq '\*'")
_REFUSED = {
    ErrorKind.THROTTLED: (429, "TooManyRequests", "Too many requests"),
    ErrorKind.QUOTA: (403, "QuotaExceeded", "The limit of active time series is reached"),
    ErrorKind.UNAVAILABLE: (503, "ServiceUnavailable", "The service is unavailable"),
    ErrorKind.PERMISSION_DENIED: (
        403,
        "AuthorizationFailed",
        "The client does not have authorization to perform action "
        "'Microsoft.Insights/Metrics/Write'",
    ),
    ErrorKind.UNAUTHENTICATED: (401, "AuthenticationFailed", "Authentication failed."),
}


def routes(workspace: Workspace) -> list[Route]:
    """The three operations."""
    service = _CustomMetrics(workspace)
    resource = re.escape(RESOURCE_ID)
    definitions = f"{resource}/providers/Microsoft.Insights/metricDefinitions"
    query = sdk_route(
        build_metrics_query_resources_request(
            "{subscription}",
            metric_namespace="x",
            metric_names=["x"],
            start_time="x",
            end_time="x",
            interval="x",
            aggregation="x",
            top=1,
            filter="x",
        ),
        service.query,
        body=models.ResourceIdList,
    )
    return [
        Route(
            method="POST",
            path=re.compile(f"{resource}/metrics", re.IGNORECASE),
            handler=service.write,
            audience=CUSTOM_METRICS_AUDIENCE,
            binary=True,
        ),
        Route(
            method="GET",
            path=re.compile(definitions, re.IGNORECASE),
            handler=service.define,
            parameters=frozenset({"metricnamespace"}),
            api_version="2024-02-01",
            audience=AUDIENCE,
        ),
        replace(query, audience=METRICS_QUERY_AUDIENCE),
    ]


class _CustomMetrics:
    def __init__(self, workspace: Workspace) -> None:
        self._minutes = workspace.minutes
        self._faults = workspace.metric_faults

    def write(self, call: Call) -> Answer:
        fault = meet(self._faults, DeliveryCall.WRITE)
        if fault is not None and fault.kind is DeliveryFaultKind.REFUSE:
            raise Refusal(*_REFUSED[fault.error])
        body = call.json
        if (problem := next(_problems(body), None)) is not None:
            raise Refusal(HTTPStatus.BAD_REQUEST, "BadRequest", problem)
        base = body["data"]["baseData"]
        if self._faults.rejects(base["metric"]):
            raise Refusal(HTTPStatus.BAD_REQUEST, "BadRequest", "'metric' is not allowed here")
        minute = datetime.fromisoformat(body["time"]).astimezone(UTC)
        self._minutes.add(
            base["namespace"],
            base["metric"],
            minute.replace(second=0, microsecond=0),
            dict(_series(base)),
        )
        lose(fault)
        return Answer(status=HTTPStatus.OK)

    def define(self, call: Call) -> Answer:
        namespace = call.query.get("metricnamespace", "")
        return Answer(
            body={
                "value": [
                    {
                        "name": {"value": metric, "localizedValue": metric},
                        "namespace": namespace,
                        "resourceId": RESOURCE_ID,
                        "dimensions": [{"value": name, "localizedValue": name} for name in names],
                    }
                    for metric, names in self._minutes.metrics(namespace).items()
                ]
            }
        )

    def query(self, call: Call) -> Answer:
        fault = meet(self._faults, DeliveryCall.READ)
        if fault is not None and fault.kind is DeliveryFaultKind.REFUSE:
            raise Refusal(*_REFUSED[fault.error])
        asked = call.query
        names = _EVERY.findall(asked.get("filter", ""))
        if " and ".join(f"{name} eq '*'" for name in names) != asked.get("filter", ""):
            raise Refusal(HTTPStatus.BAD_REQUEST, "BadRequest", "The filter can't be read here.")
        since, until = (datetime.fromisoformat(asked[n]) for n in ("starttime", "endtime"))
        series = self._minutes.of(asked["metricnamespace"], asked["metricnames"])
        top = int(asked.get("top", 10)) if names else 1
        shown = [
            {
                "metadatavalues": [
                    {
                        "name": {"value": name.lower(), "localizedValue": name.lower()},
                        "value": dict(one).get(name, ""),
                    }
                    for name in names
                ],
                "data": [*_data(minutes, since, until)],
            }
            for one, minutes in [*(series if names else _added(series)).items()][:top]
        ]
        lose(fault)
        metric = asked["metricnames"]
        value = {
            "id": f"{RESOURCE_ID}/providers/Microsoft.Insights/metrics/{metric}",
            "type": "Microsoft.Insights/metrics",
            "name": {"value": metric, "localizedValue": metric},
            "unit": "Unspecified",
            "timeseries": shown,
            "errorCode": "Success",
        }
        result = {
            "starttime": asked["starttime"],
            "endtime": asked["endtime"],
            "interval": "PT1M",
            "namespace": asked["metricnamespace"],
            "resourceregion": REGION,
            "resourceid": RESOURCE_ID,
            "value": [value],
        }
        return conforming(models.MetricResultsResponse, {"values": [result]})


def _added(
    series: Mapping[Series, Mapping[datetime, Figures]],
) -> dict[Series, dict[datetime, Figures]]:
    """All series as one."""
    found: dict[datetime, Figures] = {}
    for minutes in series.values():
        for minute, figures in minutes.items():
            found[minute] = found[minute].plus(figures) if minute in found else figures
    return {frozenset(): found}


def _data(
    minutes: Mapping[datetime, Figures], since: datetime, until: datetime
) -> Iterator[dict[str, Any]]:
    minute = since.replace(second=0, microsecond=0)
    while minute < until:
        shown: dict[str, Any] = {"timeStamp": minute.isoformat().replace("+00:00", "Z")}
        if (figures := minutes.get(minute)) is not None:
            shown |= {
                "total": figures.total,
                "count": float(figures.count),
                "minimum": figures.minimum,
                "maximum": figures.maximum,
            }
        yield shown
        minute += timedelta(minutes=1)


def _series(base: Mapping[str, Any]) -> Iterator[tuple[Series, Figures]]:
    for one in base["series"]:
        yield (
            frozenset(zip(base.get("dimNames") or (), one.get("dimValues") or (), strict=True)),
            Figures(minimum=one["min"], maximum=one["max"], total=one["sum"], count=one["count"]),
        )


def _problems(body: Any) -> Iterator[str]:
    try:
        time = datetime.fromisoformat(body["time"])
        base = body["data"]["baseData"]
        names, series = base.get("dimNames") or [], base["series"]
        texts = [base["metric"], base["namespace"], *names]
        for one in series:
            values = one.get("dimValues") or []
            texts.extend(values)
            if len(values) != len(names):
                yield "'dimValues' and 'dimNames' lengths should be equal"
            if not one["min"] <= one["max"] or one["count"] < 1:
                yield "'min', 'max', 'sum' and 'count' do not fit together"
    except (KeyError, TypeError, ValueError, AttributeError):
        yield "The body is no custom metric"
        return
    if not base["metric"] or not base["namespace"] or not series:
        yield "'metric', 'namespace' and 'series' are required"
    if len(names) > _MOST_DIMENSIONS:
        yield "'dimValues' and 'dimNames' lengths should be lesser than 10"
    if any(not text or len(text) > _LONGEST for text in texts):
        yield f"names and values should have 1 to {_LONGEST} characters"
    if len({frozenset(zip(names, one.get("dimValues") or ())) for one in series}) < len(series):  # noqa: B905 - checked above
        yield "'series' has one twice"
    now = datetime.now(UTC)
    if not now - _OLDEST <= time <= now + _NEWEST:
        yield "'time' should be from 20 minutes ago to 5 minutes ahead"
