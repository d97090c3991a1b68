"""The local Key Vault answers as recordings of real ones do, and refuses what they would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from airflow_multicloud.testing.local_clouds.azure.arm import TENANT_ID

if TYPE_CHECKING:
    from airflow_multicloud.testing.local_clouds import LocalServer
    from tests.integration.secrets_azure.conftest import Write


def _error(caught: Any) -> tuple[int, str, str | None]:
    error = json.loads(caught.value.response.text())["error"]
    return caught.value.status_code, error["code"], error.get("innererror", {}).get("code")


def test_the_challenge(local_key_vault: LocalServer) -> None:
    extra: Any = local_key_vault.spec.connections["azure_secrets_local"]
    url, bundle = extra["extra"]["key_vault_url"], extra["extra"]["ca_bundle"]
    answer = requests.get(f"{url}/secrets?api-version=2026-04-01", verify=bundle, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer authorization="{url}/{TENANT_ID}", resource="https://vault.azure.net"'
    )
    assert answer.json() == {
        "error": {
            "code": "Unauthorized",
            "message": "Request is missing a Bearer or PoP token.",
        }
    }


def test_a_bundle(client: Any, name: str) -> None:
    client.set_secret(name, "value", tags={"a": "b"}, content_type="password")
    answer = client.send_request(HttpRequest("GET", f"/secrets/{name}/"))
    body = answer.json()
    attributes = body.pop("attributes")
    assert body.pop("id").startswith(f"{client.vault_url}/secrets/{name}/")
    assert body == {"value": "value", "contentType": "password", "tags": {"a": "b"}}
    assert attributes.keys() == {
        *("enabled", "created", "updated", "recoveryLevel", "recoverableDays")
    }
    assert isinstance(attributes["created"], int)


def test_what_is_deleted(client: Any, name: str) -> None:
    client.set_secret(name, "value")
    client.begin_delete_secret(name)
    body = client.send_request(HttpRequest("GET", f"/deletedsecrets/{name}")).json()
    assert body.keys() == {"id", "attributes", "recoveryId", "deletedDate", "scheduledPurgeDate"}
    assert body["recoveryId"] == f"{client.vault_url}/deletedsecrets/{name}"
    with pytest.raises(HttpResponseError) as caught:
        client.set_secret(name, "another")
    assert _error(caught) == (409, "Conflict", "ObjectIsDeletedButRecoverable")
    with pytest.raises(HttpResponseError) as caught:
        client.get_secret(name)
    assert _error(caught) == (404, "SecretNotFound", None)


def test_a_disabled_one(client: Any, name: str) -> None:
    client.set_secret(name, "value", enabled=False)
    with pytest.raises(HttpResponseError) as caught:
        client.get_secret(name)
    assert _error(caught) == (403, "Forbidden", "SecretDisabled")


@pytest.mark.parametrize(
    "given",
    [
        {"value": "x" * 25_601},
        {"value": "x", "tags": {f"t{n}": "x" for n in range(16)}},
        {"value": "x", "tags": {"t" * 257: "x"}},
        {"value": "x", "tags": {"t": "x" * 257}},
        {"value": "x", "content_type": "x" * 256},
    ],
)
def test_limits(client: Any, name: str, given: dict[str, Any]) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.set_secret(name, **given)
    assert _error(caught)[:2] == (400, "BadParameter")


@pytest.mark.parametrize("odd", ["a_b", "a.b", "a" * 128])
def test_names(client: Any, odd: str) -> None:
    with pytest.raises(HttpResponseError) as caught:
        client.set_secret(odd, "value")
    assert _error(caught)[:2] == (400, "BadParameter")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"value": 7},
        {"value": "x", "unknown": 1},
        {"value": "x", "attributes": {"created": 1}},
        {"value": "x", "attributes": {"exp": "2030-01-01T00:00:00Z"}},
    ],
)
def test_bodies(client: Any, name: str, write: Write, body: dict[str, Any]) -> None:
    write()  # The challenge has been met.
    answer = client.send_request(HttpRequest("PUT", f"/secrets/{name}", json=body))
    assert answer.status_code == 400, answer.text()


def test_names_are_of_any_case(client: Any, name: str) -> None:
    client.set_secret(name, "value")
    assert client.get_secret(name.upper()).value == "value"


def test_another_version_of_the_interface(client: Any, name: str) -> None:
    answer = client.send_request(HttpRequest("GET", f"/secrets/{name}/?api-version=7.0"))
    assert answer.status_code == 400
