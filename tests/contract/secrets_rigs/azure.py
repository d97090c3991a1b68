"""Key Vault of the local Azure."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow_multicloud.ports.secrets import SecretsService
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.contracts.secrets.rigs import SecretsOutside, SecretsRigSpec
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.secret_seeds import plant

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.local_clouds import LocalServer

SERVER = "local_key_vault"
CONN_ID = "azure_secrets_local"


def rig() -> SecretsRigSpec:
    from airflow_multicloud.clouds.azure.secrets import Hook

    return SecretsRigSpec(
        name="local_key_vault",
        cloud="azure",
        hook=Hook,
        open=connected(SecretsService, CONN_ID, SERVER),
        outside=_outside,
        plant=lambda request, faults: plant(_server(request).endpoint, faults),
        asked=lambda request: len(Admin(_server(request).endpoint).requests()),
        odd_end="--61",
        atomic=False,
        page=3,
        versions_page=3,
        open_refused=_open_refused,
    )


def _server(request: pytest.FixtureRequest) -> LocalServer:
    server: LocalServer = request.getfixturevalue(SERVER)
    return server


def _open_refused(request: pytest.FixtureRequest) -> SecretsService:
    """A hook of an application whose secret Entra does not know."""
    import json

    connection: Any = _server(request).spec.connections[CONN_ID]
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    told = json.dumps({**connection, "password": "another"})
    patch.setenv("AIRFLOW_CONN_AZURE_REFUSED", told)
    return connected(SecretsService, "azure_refused", SERVER)(request)


def _outside(request: pytest.FixtureRequest) -> SecretsOutside:
    """Azure's own client, on the connection's credentials."""
    from azure.core.exceptions import ResourceNotFoundError

    hook: Any = connected(SecretsService, CONN_ID, SERVER)(request)
    client = hook._writes

    def tag(name: str, tags: Mapping[str, str]) -> None:
        newest = client.get_secret(name).properties
        # What other writers leave alone: tags that are none of theirs.
        noted = {key: newest.tags[key] for key in newest.tags or {} if key == "multicloud-write"}
        client.update_secret_properties(name, newest.version, tags={**tags, **noted})

    def purge(name: str) -> None:
        with suppress(ResourceNotFoundError):
            client.begin_delete_secret(name)
        with suppress(ResourceNotFoundError):
            client.purge_deleted_secret(name)

    return SecretsOutside(
        write=lambda name, value: client.set_secret(name, value.decode()).properties.version,
        tag=tag,
        purge=purge,
        manage=lambda name: Admin(_server(request).endpoint).seed("certificate", [{"name": name}]),
    )
