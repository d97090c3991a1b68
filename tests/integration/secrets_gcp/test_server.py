"""The local Secret Manager refuses what Google would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.api_core import exceptions as api

from airflow_multicloud.testing.local_clouds.gcp import PROJECT

if TYPE_CHECKING:
    from tests.integration.secrets_gcp.conftest import Write

PARENT = f"projects/{PROJECT}"
SECRET = {"replication": {"automatic": {}}}


def _create(client: Any, name: str, **fields: Any) -> Any:
    request = {"parent": PARENT, "secret_id": name, "secret": {**SECRET, **fields}}
    return client.create_secret(request=request)


def _update(client: Any, path: str, mask: str, **fields: Any) -> Any:
    secret = {"name": path, **fields}
    return client.update_secret(request={"secret": secret, "update_mask": {"paths": [mask]}})


@pytest.mark.parametrize(
    "fields",
    [
        {"replication": {}},
        {"labels": {"Team": "x"}},
        {"labels": {"1team": "x"}},
        {"labels": {"team": "X"}},
        {"labels": {"team": "x" * 64}},
        {"labels": {f"l{n}": "x" for n in range(65)}},
        {"annotations": {"-a": "x"}},
        {"annotations": {"a/b": "x"}},
        {"annotations": {"a" * 64: "x"}},
        {"annotations": {"a": "x" * 16_384}},
        {"version_aliases": {"stable": 1}},
    ],
)
def test_secrets(client: Any, name: str, fields: dict[str, Any]) -> None:
    with pytest.raises(api.InvalidArgument):
        _create(client, name, **fields)


@pytest.mark.parametrize("secret_id", ["", "a.b", "a/b", "ü", "a" * 256])
def test_ids(client: Any, secret_id: str) -> None:
    with pytest.raises(api.InvalidArgument):
        _create(client, secret_id)


@pytest.mark.parametrize("payload", [{}, {"data": b"x" * 65_537}, {"data": b"x", "data_crc32c": 1}])
def test_payloads(client: Any, path: str, write: Write, payload: dict[str, Any]) -> None:
    write()
    with pytest.raises(api.InvalidArgument):
        client.add_secret_version(request={"parent": path, "payload": payload})


@pytest.mark.parametrize(
    ("mask", "fields"),
    [
        ("replication", {}),
        ("nothing", {}),
        ("version_aliases", {"version_aliases": {"stable": 9}}),
        ("version_aliases", {"version_aliases": {"latest": 1}}),
        ("version_aliases", {"version_aliases": {"1st": 1}}),
    ],
)
def test_updates(client: Any, path: str, write: Write, mask: str, fields: dict[str, Any]) -> None:
    write()
    with pytest.raises(api.InvalidArgument):
        _update(client, path, mask, **fields)


def test_an_etag_of_before(client: Any, path: str, write: Write) -> None:
    write()
    etag = client.get_secret(name=path).etag
    _update(client, path, "labels", labels={"a": "b"}, etag=etag)
    with pytest.raises(api.Aborted):
        _update(client, path, "labels", labels={"a": "c"}, etag=etag)


def test_names_are_of_the_project(client: Any) -> None:
    with pytest.raises(api.PermissionDenied):
        client.get_secret(name="projects/another/secrets/x")
    with pytest.raises(api.InvalidArgument):
        client.get_secret(name=f"{PARENT}/secret/x")


def test_an_alias_is_for_reading(client: Any, path: str, write: Write) -> None:
    write()
    _update(client, path, "version_aliases", version_aliases={"stable": 1})
    assert client.access_secret_version(name=f"{path}/versions/stable").payload.data == b"value"
    with pytest.raises(api.NotFound):
        client.disable_secret_version(name=f"{path}/versions/stable")


def test_what_is_destroyed_stays_so(client: Any, path: str, write: Write) -> None:
    write()
    client.destroy_secret_version(name=f"{path}/versions/1")
    with pytest.raises(api.FailedPrecondition, match="DESTROYED"):
        client.enable_secret_version(name=f"{path}/versions/1")
    with pytest.raises(api.FailedPrecondition, match="DESTROYED"):
        client.access_secret_version(name=f"{path}/versions/latest")


def test_a_token_of_another_list(client: Any) -> None:
    with pytest.raises(api.InvalidArgument):
        client.list_secrets(request={"parent": PARENT, "page_token": "!"})
