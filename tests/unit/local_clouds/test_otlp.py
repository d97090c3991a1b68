"""The sink that all local clouds take OTLP metrics with."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
import requests
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.delivery_faults import DeliveryFault, DeliveryFaultKind
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults, plant
from airflow_multicloud.testing.local_clouds.kit.http import Answer, HttpServer, Routes
from airflow_multicloud.testing.local_clouds.kit.otlp import OtlpSink, kept_by, requests_at
from airflow_multicloud.testing.local_clouds.kit.state import State, administration

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROTOBUF = {"content-type": "application/x-protobuf"}


def body(*names: str) -> bytes:
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    for name in names:
        scope.metrics.add(name=name).gauge.data_points.add(as_double=1.0)
    found: bytes = request.SerializeToString()
    return found


@pytest.fixture
def servers() -> Iterator[tuple[str, str]]:
    """The URL of the sink, and the administration's endpoint."""
    state = State()
    sink = OtlpSink(SeededDeliveryFaults(state, "metrics"))
    route = ("POST", "/v1/metrics", lambda request: sink.answer(request, refused))
    with (
        HttpServer(Routes([route])) as taking,
        HttpServer(kept_by(sink, administration(state))) as owner,
    ):
        yield f"{taking.endpoint}/v1/metrics", owner.endpoint


def refused(kind: ErrorKind) -> Answer:
    return Answer(status=HTTPStatus.IM_A_TEAPOT, body=str(kind))


def sent(url: str, *names: str) -> requests.Response:
    return requests.post(url, data=body(*names), headers=_PROTOBUF, timeout=10)


def kept(owner: str) -> list[str]:
    return [
        metric["name"]
        for request in requests_at(owner)
        for resource in request["resourceMetrics"]
        for scope in resource["scopeMetrics"]
        for metric in scope.get("metrics", ())
    ]


def test_it_keeps_what_it_takes(servers: tuple[str, str]) -> None:
    url, owner = servers
    answer = sent(url, "a", "b")
    assert answer.status_code == HTTPStatus.OK
    assert answer.headers["content-type"] == "application/x-protobuf"
    assert ExportMetricsServiceResponse.FromString(answer.content).ByteSize() == 0
    assert kept(owner) == ["a", "b"]


def test_a_part_is_refused(servers: tuple[str, str]) -> None:
    url, owner = servers
    plant(owner, "metrics", [DeliveryFault(kind=DeliveryFaultKind.REJECT, name="bad")])
    told = ExportMetricsServiceResponse.FromString(sent(url, "bad.1", "good", "bad.2").content)
    assert told.partial_success.rejected_data_points == 2
    assert told.partial_success.error_message
    assert kept(owner) == ["good"]


@pytest.mark.parametrize(
    ("kind", "there"),
    [(DeliveryFaultKind.LOSE_ANSWER, ["a"]), (DeliveryFaultKind.LOSE_REQUEST, [])],
)
def test_the_connection_ends(
    servers: tuple[str, str], kind: DeliveryFaultKind, there: list[str]
) -> None:
    url, owner = servers
    plant(owner, "metrics", [DeliveryFault(kind=kind)])
    with pytest.raises(requests.ConnectionError):
        sent(url, "a")
    assert kept(owner) == there


def test_refusals(servers: tuple[str, str]) -> None:
    """A fault's are the cloud's own; what is no such request is refused here."""
    url, owner = servers
    plant(owner, "metrics", [DeliveryFault(kind=DeliveryFaultKind.REFUSE, error=ErrorKind.QUOTA)])
    told = sent(url, "a")
    assert (told.status_code, told.json()) == (HTTPStatus.IM_A_TEAPOT, "quota")
    for content, headers, status in (
        (b"\xff\xff", _PROTOBUF, HTTPStatus.BAD_REQUEST),
        (b"{}", {"content-type": "application/json"}, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    ):
        answer = requests.post(url, data=content, headers=headers, timeout=10)
        assert answer.status_code == status
    assert kept(owner) == []
