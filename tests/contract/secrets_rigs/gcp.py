"""Secret Manager of the local Google Cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow_multicloud.ports.secrets import SecretsService
from airflow_multicloud.testing.contracts.rigs import connected
from airflow_multicloud.testing.contracts.secrets.rigs import SecretsOutside, SecretsRigSpec
from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.secret_seeds import plant
from tests.contract.google_telemetry import refused

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.local_clouds import LocalServer
    from airflow_multicloud.testing.secret_faults import SecretFault

SERVER = "local_secret_manager"
CONN_ID = "gcp_secrets_local"


def rig() -> SecretsRigSpec:
    from airflow_multicloud.clouds.gcp.secrets import Hook

    return SecretsRigSpec(
        name="local_secret_manager",
        cloud="gcp",
        hook=Hook,
        open=_open,
        outside=_outside,
        plant=_plant,
        asked=lambda request: len(Admin(_endpoint(request)).requests()),
        odd_end="__61",
        atomic=False,
        page=5,
        versions_page=5,
        open_refused=refused(SecretsService, CONN_ID, SERVER),
    )


def _open(request: pytest.FixtureRequest) -> SecretsService:
    """With retries as in use, but for their end: an outage is told of after 20 seconds."""
    from airflow_multicloud.clouds.gcp.secrets import client

    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    patch.setattr(client, "RETRY", client.RETRY.with_timeout(1.0))
    return connected(SecretsService, CONN_ID, SERVER)(request)


def _endpoint(request: pytest.FixtureRequest) -> str:
    server: LocalServer = request.getfixturevalue(SERVER)
    return server.endpoint


def _plant(request: pytest.FixtureRequest, faults: Sequence[SecretFault]) -> None:
    plant(_endpoint(request), faults)


def _outside(request: pytest.FixtureRequest) -> SecretsOutside:
    """Google's own client, on the connection's credentials."""
    from google.api_core import exceptions as api

    hook: Any = connected(SecretsService, CONN_ID, SERVER)(request)
    client = hook.client

    def path(name: str) -> str:
        return f"projects/{PROJECT}/secrets/{name}"

    def write(name: str, value: bytes) -> str:
        secret = {"replication": {"automatic": {}}}
        with suppress(api.AlreadyExists):
            client.create_secret(
                request={"parent": f"projects/{PROJECT}", "secret_id": name, "secret": secret}
            )
        payload = {"data": value}
        version = client.add_secret_version(request={"parent": path(name), "payload": payload})
        return str(version.name.rpartition("/")[2])

    def update(name: str, **fields: Any) -> None:
        client.update_secret(
            request={
                "secret": {"name": path(name), **fields},
                "update_mask": {"paths": [*fields]},
            }
        )

    def tag(name: str, tags: Mapping[str, str]) -> None:
        notes = dict(client.get_secret(name=path(name)).annotations)
        update(name, labels=dict(tags), annotations=_notes(notes))

    def purge(name: str) -> None:
        with suppress(api.NotFound):
            client.delete_secret(name=path(name))

    return SecretsOutside(
        write=write,
        tag=tag,
        purge=purge,
        label=lambda name, version, label: update(name, version_aliases={label: int(version)}),
        destroy=lambda name, version: client.destroy_secret_version(
            name=f"{path(name)}/versions/{version}"
        ),
        damage=lambda name: Admin(_endpoint(request)).seed("damage", [{"name": name}]),
    )


def _notes(annotations: Mapping[str, str]) -> dict[str, str]:
    """What other writers leave alone: annotations that are none of theirs."""
    return {key: value for key, value in annotations.items() if key.startswith("multicloud-")}
