"""The gRPC server that Google's services are put on, asked by this package's channels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.api import metric_pb2
from google.api_core import exceptions as api
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials
from google.cloud.monitoring_v3.services.metric_service import MetricServiceClient
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcTransport
from google.oauth2.credentials import Credentials
from google.protobuf import empty_pb2
from google.rpc.error_details_pb2 import ErrorInfo

from airflow_multicloud.clouds.gcp.bearer import Bearer
from airflow_multicloud.clouds.gcp.grpc_channels import open_channel
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.testing.delivery_faults import (
    DeliveryCall,
    DeliveryFault,
    DeliveryFaultKind,
)
from airflow_multicloud.testing.local_clouds.gcp.grpc.server import GrpcServer
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Method, Refused, Service
from airflow_multicloud.testing.local_clouds.kit.certificates import issue
from airflow_multicloud.testing.local_clouds.kit.delivery_seeds import SeededDeliveryFaults
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port
from airflow_multicloud.testing.local_clouds.kit.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from google.protobuf.message import Message

NAME = "projects/local/metricDescriptors/custom.googleapis.com/x"


class Descriptors:
    """One service: descriptors that can be asked for and deleted."""

    def __init__(self) -> None:
        self.state = State()
        self.deleted: list[str] = []
        self.checked: list[Mapping[str, str]] = []

    def get(self, request: Any) -> Message:
        if request.name != NAME:
            raise Refused(grpc.StatusCode.NOT_FOUND, "no such one", ErrorInfo(reason="GONE"))
        return metric_pb2.MetricDescriptor(name=request.name)

    def delete(self, request: Any) -> Message:
        self.deleted.append(request.name)
        return empty_pb2.Empty()

    def broken(self, _request: Any) -> Message:
        raise LookupError("nothing of the kind")

    def check(self, metadata: Mapping[str, str]) -> None:
        self.checked.append(metadata)
        if metadata.get("authorization") == "Bearer refused":
            raise Refused(grpc.StatusCode.UNAUTHENTICATED, "who are you?")

    def plant(self, **given: Any) -> None:
        fault = DeliveryFault(**given)
        record = {"kind": fault.kind, "call": fault.call, "error": fault.error}
        self.state.seed("metrics_faults", [record])

    @contextmanager
    def served(self) -> Iterator[str]:
        port = free_port()
        methods = {
            "get_metric_descriptor": Method(self.get, DeliveryCall.READ),
            "delete_metric_descriptor": Method(self.delete, DeliveryCall.WRITE),
            "create_metric_descriptor": Method(self.broken),
        }
        service = Service(
            transport=MetricServiceGrpcTransport,
            methods=methods,
            faults=SeededDeliveryFaults(self.state, "metrics"),
        )
        with GrpcServer([service], port=port, check=self.check, state=self.state):
            yield f"http://127.0.0.1:{port}"


@pytest.fixture
def descriptors() -> Descriptors:
    return Descriptors()


@pytest.fixture
def endpoint(descriptors: Descriptors) -> Iterator[str]:
    with descriptors.served() as found:
        yield found


def client(endpoint: str, credentials: Any = None) -> MetricServiceClient:
    session: Any = SimpleNamespace(
        bearer=Bearer(credentials or AnonymousCredentials()), endpoint_of=lambda _service: endpoint
    )
    channel = open_channel(session, "monitoring", "monitoring.googleapis.com")
    return MetricServiceClient(transport=MetricServiceGrpcTransport(channel=channel))


def test_messages_go_both_ways(descriptors: Descriptors, endpoint: str) -> None:
    asking = client(endpoint)
    assert asking.get_metric_descriptor(name=NAME).name == NAME
    asking.delete_metric_descriptor(name=NAME)
    assert descriptors.deleted == [NAME]
    noted = [one["path"].rpartition("/")[2] for one in descriptors.state.asked()]
    assert noted == ["GetMetricDescriptor", "DeleteMetricDescriptor"]


def test_the_token_goes_with_each_call(descriptors: Descriptors, endpoint: str) -> None:
    """And is kept out of what is noted."""
    client(endpoint, Credentials("secret")).get_metric_descriptor(name=NAME)
    assert descriptors.checked[0]["authorization"] == "Bearer secret"
    assert "secret" not in repr(descriptors.state.asked())
    with pytest.raises(api.Unauthenticated, match="who are you"):
        client(endpoint, Credentials("refused")).get_metric_descriptor(name=NAME)


def test_errors_have_their_details(endpoint: str) -> None:
    with pytest.raises(api.NotFound, match="no such one") as caught:
        client(endpoint).get_metric_descriptor(name="other")
    assert caught.value.reason == "GONE"


def test_what_is_not_served_and_what_is_broken(
    endpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(api.MethodNotImplemented):
        client(endpoint).list_metric_descriptors(name="projects/local")
    with pytest.raises(api.InternalServerError, match="nothing of the kind"):
        client(endpoint).create_metric_descriptor(name="projects/local")
    assert "nothing of the kind" in capsys.readouterr().err


def test_planted_refusals(descriptors: Descriptors, endpoint: str) -> None:
    descriptors.plant(
        kind=DeliveryFaultKind.REFUSE, call=DeliveryCall.READ, error=ErrorKind.THROTTLED
    )
    asking = client(endpoint)
    with pytest.raises(api.ResourceExhausted) as caught:
        asking.get_metric_descriptor(name=NAME, retry=None)
    assert caught.value.reason == "RATE_LIMIT_EXCEEDED"
    assert asking.get_metric_descriptor(name=NAME, retry=None).name == NAME


@pytest.mark.parametrize(
    ("kind", "deleted"),
    [(DeliveryFaultKind.LOSE_ANSWER, [NAME]), (DeliveryFaultKind.LOSE_REQUEST, [])],
)
def test_the_connection_ends(
    descriptors: Descriptors, endpoint: str, kind: DeliveryFaultKind, deleted: list[str]
) -> None:
    """Really: what the server would still say is not heard. A later call is answered."""
    descriptors.plant(kind=kind)
    asking = client(endpoint)
    with pytest.raises(api.ServiceUnavailable) as caught:
        asking.delete_metric_descriptor(name=NAME, retry=None)
    assert "nobody hears this" not in str(caught.value)
    assert descriptors.deleted == deleted
    # The client may not have noticed yet that the connection is gone.
    asking.delete_metric_descriptor(name=NAME, retry=Retry(initial=0.05, timeout=10))
    assert descriptors.deleted == [*deleted, NAME]


@pytest.mark.parametrize("endpoint", ["http://10.0.0.1:1", "http://monitoring.example"])
def test_no_token_goes_over_plain_http(endpoint: str) -> None:
    with pytest.raises(CredentialsError, match="plain http"):
        client(endpoint, Credentials("secret"))


def test_a_certificate_of_ones_own(
    descriptors: Descriptors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is trusted by the variable that says so to all other requests, and else not."""
    certificates = issue(tmp_path)
    pair = (certificates.key.read_bytes(), certificates.certificate.read_bytes())
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    try:
        asking = client(f"https://127.0.0.1:{port}")
        with pytest.raises(api.ServiceUnavailable):
            asking.get_metric_descriptor(name=NAME, retry=None)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
        # It is reached, and has no such method.
        with pytest.raises(api.MethodNotImplemented):
            client(f"https://127.0.0.1:{port}").get_metric_descriptor(name=NAME, retry=None)
    finally:
        server.stop(grace=None)
