"""What Compute Engine's hook makes of answers that are none, and where it sends a token."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.errors import CredentialsError, DeploymentError, ErrorKind
from airflow_multicloud.ports.compute import InstanceRef
from tests.integration.answering import PAGE, Answer, answering, service_account

if TYPE_CHECKING:
    from airflow_multicloud.clouds.gcp.compute import GCPComputeHook

REF = InstanceRef("projects/p/zones/us-central1-a/instances/i", "us-central1")


def hook_at(monkeypatch: pytest.MonkeyPatch, endpoint: str, **extra: object) -> GCPComputeHook:
    from airflow_multicloud.clouds.gcp.compute import GCPComputeHook

    told = {"project": "p", "is_anonymous": True, "num_retries": 0, "compute.endpoint": endpoint}
    connection = {"conn_type": "google_cloud_platform", "extra": {**told, **extra}}
    monkeypatch.setenv("AIRFLOW_CONN_COMPUTE_ASKED", json.dumps(connection))
    return GCPComputeHook("compute_asked")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (PAGE, ErrorKind.INTEGRITY),
        (b"[]", ErrorKind.INTEGRITY),
        (b'{"creationTimestamp": "soon", "selfLink": "%s"}' % REF.id.encode(), ErrorKind.INTEGRITY),
    ],
)
def test_answers_that_are_none(
    monkeypatch: pytest.MonkeyPatch, body: bytes, kind: ErrorKind
) -> None:
    with answering(lambda _: body) as server, pytest.raises(DeploymentError) as caught:
        hook_at(monkeypatch, server.url).describe_instance(REF)
    assert (caught.value.kind, caught.value.cloud) == (kind, "gcp")


def test_an_outage_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the connection says that nothing is to be repeated."""
    begun = time.monotonic()
    with answering(lambda _: Answer(status=503)) as server:
        with pytest.raises(DeploymentError) as caught:
            hook_at(monkeypatch, server.url).describe_instance(REF)
        assert len(server.asked) == 1
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert time.monotonic() - begun < 10


def test_a_read_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([Answer(status=503), Answer(b'{"contents": "hello"}')])
    with answering(lambda _: next(answers)) as server:
        hook = hook_at(monkeypatch, server.url, num_retries=1)
        assert hook.read_console(REF) == "hello"


def test_a_token_never_goes_over_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    key = service_account("http://127.0.0.1:9/token")
    hook = hook_at(monkeypatch, "http://compute.example", is_anonymous=False, keyfile_dict=key)
    with pytest.raises(CredentialsError, match=r"plain http to compute\.example,"):
        hook.describe_instance(REF)


def test_an_endpoint_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CredentialsError, match=r"extra compute\.endpoint is not usable"):
        hook_at(monkeypatch, "compute.example").describe_instance(REF)
