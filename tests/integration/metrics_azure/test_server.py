"""The local Application Insights: it refuses what the service does, and takes what others send."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from azure.core.pipeline.policies import RetryPolicy
from azure.monitor.opentelemetry.exporter._generated.exporter import AzureMonitorClient
from azure.monitor.opentelemetry.exporter._generated.exporter.models import (
    MetricDataPoint,
    MetricsData,
    MonitorBase,
    TelemetryItem,
)

from airflow_multicloud.clouds.azure.session import Session
from airflow_multicloud.testing.local_clouds.azure.telemetry import INSTRUMENTATION_KEY
from tests.integration.metrics_azure.conftest import CONN_ID, Lab


def _time(ago: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) - ago).isoformat().replace("+00:00", "Z")


def _envelope() -> dict[str, Any]:
    metric = {"name": "m", "value": 1.0, "kind": "Measurement"}
    base = {"ver": 2, "metrics": [metric], "properties": {"a": "b"}}
    return {
        "name": "Microsoft.ApplicationInsights.Metric",
        "time": _time(),
        "iKey": INSTRUMENTATION_KEY,
        "data": {"baseType": "MetricData", "baseData": base},
    }


def _metric(envelope: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = envelope["data"]["baseData"]["metrics"][0]
    return found


def _properties(envelope: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = envelope["data"]["baseData"]["properties"]
    return found


@pytest.fixture
def post(lab: Lab, connection: dict[str, Any]) -> Callable[..., requests.Response]:
    extra = connection["extra"]

    def send(body: object, **headers: str) -> requests.Response:
        return requests.post(
            f"{extra['authority']}/v2.1/track",
            json=body,
            headers=headers,
            verify=extra["ca_bundle"],
            timeout=10,
        )

    return send


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda e: e.update(iKey="x"), "Invalid instrumentation key"),
        (lambda e: e.update(extra=1), "extra"),
        (lambda e: e.pop("name"), "name"),
        (lambda e: e.update(time=_time(timedelta(days=3))), "older than"),
        (lambda e: e.update(time=_time(-timedelta(hours=3))), "newer than"),
        (lambda e: e.update(time="yesterday"), "timestamp"),
        (lambda e: _metric(e).update(value="1"), "value"),
        (lambda e: _metric(e).update(name=""), "109: "),
        (lambda e: _metric(e).update(name="n" * 1025), "102: "),
        (lambda e: _metric(e).update(ns="n" * 257), "102: "),
        (lambda e: _metric(e).update(kind="Sum"), "kind"),
        (lambda e: _metric(e).update(count=3), "107: "),
        (lambda e: _metric(e).update(kind="Aggregation", count=0), "106: "),
        (lambda e: _properties(e).update({"k" * 151: "v"}), "102: "),
        (lambda e: _properties(e).update(a="v" * 8193), "102: "),
        (lambda e: _properties(e).update(a=1), "properties"),
        (lambda e: _properties(e).update({f"k{i}": "v" * 8000 for i in range(9)}), "101: "),
        (lambda e: e["data"].update(baseType="EventData"), "100: "),
        (lambda e: e["data"].pop("baseData"), "MetricsData"),
        (lambda e: e["data"]["baseData"]["metrics"].append(dict(_metric(e))), "100: "),
    ],
)
def test_a_bad_envelope_is_refused_and_the_other_taken(
    post: Callable[..., requests.Response],
    change: Callable[[dict[str, Any]], object],
    word: str,
) -> None:
    bad = copy.deepcopy(_envelope())
    change(bad)
    answer = post([bad, _envelope()])
    told = answer.json()
    assert answer.status_code == 206
    assert (told["itemsReceived"], told["itemsAccepted"]) == (2, 1)
    (error,) = told["errors"]
    assert (error["index"], error["statusCode"]) == (0, 400)
    assert word in error["message"]


@pytest.mark.parametrize("body", [None, [], {}, "x", 3])
def test_what_is_no_list_of_envelopes(post: Callable[..., requests.Response], body: object) -> None:
    assert post(body).status_code == 400


def test_what_is_no_envelope(post: Callable[..., requests.Response]) -> None:
    assert post([3]).json()["errors"][0]["statusCode"] == 400


@pytest.mark.parametrize("scope", ["https://management.azure.com", "https://api.loganalytics.io"])
def test_a_token_for_somebody_else_is_refused(
    post: Callable[..., requests.Response], scope: str
) -> None:
    credential = Session(CONN_ID).resource_manager.require_credential()
    wrong = credential.get_token(f"{scope}/.default").token
    assert post([_envelope()], Authorization=f"Bearer {wrong}").status_code == 401
    assert post([_envelope()], Authorization="Bearer x").status_code == 401
    right = credential.get_token("https://monitor.azure.com/.default").token
    assert post([_envelope()], Authorization=f"Bearer {right}").status_code == 200


def test_the_client_of_the_stock_exporter_is_understood(
    lab: Lab, connection: dict[str, Any]
) -> None:
    """What Microsoft's own client sends is taken, and its model reads the answer."""
    extra = connection["extra"]
    data = MetricsData(version=2, metrics=[MetricDataPoint(name="m", value=1.0)])
    items = [
        TelemetryItem(
            name="Microsoft.ApplicationInsights.Metric",
            time=datetime.now(UTC),
            instrumentation_key=key,
            data=MonitorBase(base_type="MetricData", base_data=data),
        )
        for key in (INSTRUMENTATION_KEY, "x")
    ]
    client = AzureMonitorClient(
        host=extra["authority"],
        connection_verify=extra["ca_bundle"],
        retry_policy=RetryPolicy.no_retries(),
    )
    told = client.track(items)
    assert (told.items_received, told.items_accepted) == (2, 1)
    assert [(one.index, one.status_code) for one in told.errors or ()] == [(1, 400)]
