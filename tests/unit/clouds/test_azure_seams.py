"""What this package reaches inside Azure's SDK; a failure here says what an upgrade changed."""

from __future__ import annotations

from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline import Pipeline, PipelineContext, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import ContentDecodePolicy, CustomHookPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from azure.storage.blob import BlobServiceClient

from airflow_multicloud.clouds.azure import seams

PROXIES = {"https": "http://proxy.example:3128"}


@pytest.fixture
def service() -> BlobServiceClient:
    return BlobServiceClient(
        "https://account.blob.core.windows.net",
        credential="a2V5",
        proxies=PROXIES,
        connection_verify="/etc/ca.pem",
        connection_timeout=7,
        read_timeout=11,
        retry_total=5,
    )


def test_the_pipeline(service: BlobServiceClient) -> None:
    assert isinstance(seams.pipeline_of(service), Pipeline), (
        "BlobServiceClient._pipeline is no azure.core Pipeline: find how lean requests get the "
        "client's signing and retries"
    )


def test_the_transport_and_its_settings(service: BlobServiceClient) -> None:
    transport = seams.transport_of(service)
    assert isinstance(transport, RequestsTransport), (
        "BlobServiceClient._config.transport is no RequestsTransport: connections would no longer "
        "be shared by threads (storage_account._tune)"
    )
    config = transport.connection_config
    assert (config.verify, config.timeout, config.read_timeout) == ("/etc/ca.pem", 7, 11), (
        "connection_config no longer has the connection's certificates and timeouts, which obstore "
        "is given (credentials.open_store)"
    )


def test_a_transport_has_a_session_once_it_is_open(service: BlobServiceClient) -> None:
    transport = seams.transport_of(service)
    with transport:
        for name in ("mount", "merge_environment_settings", "trust_env", "proxies"):
            assert hasattr(transport.session, name), f"RequestsTransport.session has no {name}"


def test_the_retry_policy_says_how_long_to_wait(service: BlobServiceClient) -> None:
    policy = seams.retry_policy_of(service)
    assert policy.total_retries == 5, "BlobServiceClient._config.retry_policy is another one"
    waits: list[float] = []

    def backoff(settings: dict[str, Any]) -> float:
        waits.append(0.25)
        return 0.0

    policy.get_backoff_time = backoff
    failed = type("Failed", (), {"error": ServiceRequestError("refused")})
    policy.sleep({"history": [failed], "hook": None}, type("Transport", (), {"sleep": None}))
    assert waits, (
        "the policy's sleep() no longer asks get_backoff_time(): waits where no connection was "
        "made would be minutes (storage_account._shorten_waits)"
    )


def test_the_proxies_of_the_connection(service: BlobServiceClient) -> None:
    assert seams.proxies_of(service) == PROXIES, (
        "BlobServiceClient._config.proxy_policy has no proxies: obstore would go past them"
    )


def test_no_proxies() -> None:
    service = BlobServiceClient("https://account.blob.core.windows.net", credential="a2V5")
    assert seams.proxies_of(service) == {}


class _Body:
    """An answer that nobody may read."""

    status_code = HTTPStatus.OK
    headers = MappingProxyType({"Content-Type": "application/xml"})

    def body(self) -> bytes:
        raise AssertionError("the SDK decodes an answer that it was told to leave")

    read = text = body


def test_a_body_is_left_undecoded() -> None:
    request = HttpRequest("GET", "https://account.blob.core.windows.net/")
    context = PipelineContext(None, stream=False)
    asked: PipelineRequest[Any] = PipelineRequest(request, context)
    answer: PipelineResponse[Any, Any] = PipelineResponse(request, _Body(), context)
    seams.leave_undecoded(answer)
    ContentDecodePolicy().on_response(asked, answer)
    assert ContentDecodePolicy.CONTEXT_NAME not in context


def test_the_hook_that_leaves_it_is_called_on_the_answer() -> None:
    request = HttpRequest("GET", "https://account.blob.core.windows.net/")
    context = PipelineContext(None, raw_response_hook=seams.leave_undecoded)
    policy = CustomHookPolicy()
    policy.on_request(PipelineRequest(request, context))
    policy.on_response(PipelineRequest(request, context), PipelineResponse(request, None, context))
    assert context.options["stream"] is True
