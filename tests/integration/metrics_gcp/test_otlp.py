"""The Telemetry API, by the standard exporter's own messages."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
import requests
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from airflow_multicloud.clouds.gcp.metrics import GCPMetricsHook
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.metrics import OtlpMetrics, OtlpTarget
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import plant
from airflow_multicloud.testing.local_clouds.kit.otlp import requests_at

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer


@pytest.fixture
def target(local_gcp_telemetry: LocalServer) -> OtlpTarget:
    plant(local_gcp_telemetry.endpoint, "metrics", [])
    hook = GCPMetricsHook("gcp_telemetry_local")
    assert isinstance(hook, OtlpMetrics)
    return hook.otlp_metrics_target()


def sent(
    target: OtlpTarget, *names: str, without: str = "", attribute: str = "a.b", **headers: str
) -> requests.Response:
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    for key, value in target.resource.items():
        if key != without:
            resource.resource.attributes.add(key=key).value.string_value = value
    scope = resource.scope_metrics.add()
    for name in names:
        point = scope.metrics.add(name=name).gauge.data_points.add(as_double=1.0)
        point.attributes.add(key=attribute).value.string_value = "x"
    body = request.SerializeToString()
    told = {"content-type": "application/x-protobuf", **target.headers_for(body), **headers}
    return requests.post(target.url, data=body, headers=told, timeout=10)


def refused(answer: requests.Response) -> tuple[int, str]:
    assert answer.status_code == HTTPStatus.OK
    told = ExportMetricsServiceResponse.FromString(answer.content).partial_success
    return told.rejected_data_points, told.error_message


def test_metrics_are_taken(target: OtlpTarget, local_gcp_telemetry: LocalServer) -> None:
    assert refused(sent(target, "multicloud.otlp.1", "multicloud.otlp.2")) == (0, "")
    (resource,) = requests_at(local_gcp_telemetry.endpoint)[-1]["resourceMetrics"]
    names = [one["name"] for one in resource["scopeMetrics"][0]["metrics"]]
    assert names == ["multicloud.otlp.1", "multicloud.otlp.2"]


@pytest.mark.parametrize("without", ["gcp.project_id", "location", "service.instance.id"])
def test_what_the_resource_must_have(target: OtlpTarget, without: str) -> None:
    assert without in target.resource
    count, reason = refused(sent(target, "multicloud.x", without=without))
    assert count == 1
    assert without.rpartition(".")[2].removesuffix(".id") in reason or "instance" in reason


def test_names_that_are_none(target: OtlpTarget) -> None:
    assert refused(sent(target, "good", "not good"))[0] == 1
    assert refused(sent(target, "good", attribute="not-good"))[0] == 1


def test_a_part_that_is_refused(target: OtlpTarget, local_gcp_telemetry: LocalServer) -> None:
    fault = DeliveryFault(kind=DeliveryFaultKind.REJECT, name="bad")
    plant(local_gcp_telemetry.endpoint, "metrics", [fault])
    assert refused(sent(target, "bad", "good"))[0] == 1
    plant(local_gcp_telemetry.endpoint, "metrics", [])


@pytest.mark.parametrize(
    ("kind", "status", "name"),
    [
        (ErrorKind.THROTTLED, 429, "RESOURCE_EXHAUSTED"),
        (ErrorKind.UNAVAILABLE, 503, "UNAVAILABLE"),
        (ErrorKind.PERMISSION_DENIED, 403, "PERMISSION_DENIED"),
    ],
)
def test_refusals(
    target: OtlpTarget, local_gcp_telemetry: LocalServer, kind: ErrorKind, status: int, name: str
) -> None:
    fault = DeliveryFault(kind=DeliveryFaultKind.REFUSE, error=kind)
    plant(local_gcp_telemetry.endpoint, "metrics", [fault])
    answer = sent(target, "x")
    assert (answer.status_code, answer.json()["error"]["status"]) == (status, name)


def test_nobody_is_let_in_without_a_token(target: OtlpTarget) -> None:
    assert sent(target, "x", authorization="Bearer forged").status_code == 401


def opened(patch: pytest.MonkeyPatch, **extra: Any) -> GCPMetricsHook:
    told = {"is_anonymous": True, "project": "local", **extra}
    connection = {"conn_type": "google_cloud_platform", "extra": told}
    patch.setenv("AIRFLOW_CONN_GCP_OTLP", json.dumps(connection))
    return GCPMetricsHook("gcp_otlp")


def test_googles_own_place(monkeypatch: pytest.MonkeyPatch) -> None:
    target = opened(monkeypatch, **{"telemetry.location": "europe-west1"}).otlp_metrics_target()
    assert target.url == "https://telemetry.googleapis.com/v1/metrics"
    assert target.resource["location"] == "europe-west1"


@pytest.mark.parametrize("location", [None, "", "Europe", "a\nb"])
def test_a_connection_without_a_location(
    monkeypatch: pytest.MonkeyPatch, location: str | None
) -> None:
    extra = {} if location is None else {"telemetry.location": location}
    with pytest.raises(CredentialsError, match=r"telemetry\.location"):
        opened(monkeypatch, **extra).otlp_metrics_target()
