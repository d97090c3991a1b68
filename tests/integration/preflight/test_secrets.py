"""What synchronising secrets asks of each cloud, and what the map and the policy have of it."""

from __future__ import annotations

import re
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud import api, registry
from airflow_multicloud.operators import WriteCanarySecretOperator
from airflow_multicloud.ports.secrets import SecretsService
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.secret_seeds import plant
from airflow_multicloud.testing.secret_faults import SecretFault, SecretFaultKind

from ..airflow_runs import Bare  # noqa: TID252  # tests are no package
from .needed import called, check_calls
from .vendors import SECRETS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_multicloud.testing.local_clouds import LocalServer

CONNECTIONS = {
    "aws": "aws_secrets_local",
    "gcp": "gcp_secrets_local",
    "azure": "azure_secrets_local",
}
OTHER = {"aws": "gcp", "gcp": "azure", "azure": "aws"}
READS_VALUES = frozenset({"Microsoft.KeyVault/vaults/secrets/getSecret/action"})
#: Of Key Vault's paths.
NAMES = (
    (re.compile(r"/(\w+)/[^/]+/(versions|recover)"), r"\1/{name}/\2"),
    (re.compile(r"/secrets/[^/]+/[^/]+"), "secrets/{name}/{version}"),
    (re.compile(r"/(\w+)/[^/]+/?"), r"\1/{name}"),
    (re.compile(r"/(\w+)"), r"\1"),
)
#: ``id`` of the methods in the discovery document cloudresourcemanager.v3.
METHODS = {"GET /v3/projects/local": "cloudresourcemanager.projects.get"}


def asked(server: Admin) -> set[str]:
    return {METHODS.get(one, one) for one in called(server, NAMES)}


@pytest.fixture
def servers(
    local_secrets_manager: LocalServer,
    local_secret_manager: LocalServer,
    local_key_vault: LocalServer,
) -> Mapping[str, Admin]:
    found = (local_secrets_manager, local_secret_manager, local_key_vault)
    return {cloud: Admin(one.endpoint) for cloud, one in zip(CONNECTIONS, found, strict=True)}


@pytest.fixture
def somebody_writes(
    local_secrets_manager: LocalServer,
    local_secret_manager: LocalServer,
    local_key_vault: LocalServer,
) -> Callable[[str], None]:
    """Has another writer come in before the next write at a cloud."""
    found = (local_secrets_manager, local_secret_manager, local_key_vault)
    endpoints = dict(zip(CONNECTIONS, (one.endpoint for one in found), strict=True))
    fault = SecretFault(kind=SecretFaultKind.MEANWHILE)
    return lambda cloud: plant(endpoints[cloud], [fault])


@pytest.fixture
def prefix(servers: Mapping[str, Admin]) -> str:
    return f"Preflight/{uuid.uuid4().hex[:8]}/"


def hook(cloud: str) -> SecretsService:
    return registry.resolve(SecretsService, CONNECTIONS[cloud])


def current(cloud: str, name: str) -> str:
    found = hook(cloud).describe_secret(name).current
    assert found is not None
    return found.id


def write(cloud: str, name: str, value: bytes, replaces: str | None, **tags: str) -> str:
    token = str(uuid.uuid4())
    here = hook(cloud)
    return here.write_secret(name, value, token=token, replaces=replaces, tags=tags or None).id


@pytest.mark.parametrize("cloud", CONNECTIONS)
@pytest.mark.parametrize("by_prefix", [False, True])
def test_the_source(servers, prefix, cloud, by_prefix):
    name = f"{prefix}a"
    write(cloud, name, b"newest of all", write(cloud, name, b"first of all", None, team="data"))
    write(OTHER[cloud], name, b"first of all", None)  # What it had before is looked for.
    given = {
        "source": CONNECTIONS[cloud],
        "destinations": [CONNECTIONS[OTHER[cloud]]],
        **({"prefix": prefix} if by_prefix else {"names": [name]}),
    }
    servers[cloud].reset()
    with suppress(api.SyncFailedError):
        api.sync_secrets(**given)
    check_calls(
        cloud,
        asked(servers[cloud]),
        {"sync_secrets": given},
        "sync_secrets: source",
        SECRETS[cloud],
    )


@pytest.mark.parametrize("cloud", CONNECTIONS)
class TestDestination:
    def test_values(self, servers, somebody_writes, prefix, cloud):
        source, name = OTHER[cloud], f"{prefix}a"
        given = {
            "source": CONNECTIONS[source],
            "destinations": [CONNECTIONS[cloud]],
            "names": [name],
            "preserve_tags": False,
        }
        version = write(source, name, b"first of all", None, team="data")
        servers[cloud].reset()
        for value in (b"second of all", b"third of all"):
            api.sync_secrets(**given)
            version = write(source, name, value, version)
        somebody_writes(cloud)
        with pytest.raises(api.SyncFailedError):
            api.sync_secrets(**given)
        check_calls(
            cloud,
            asked(servers[cloud]),
            {"sync_secrets": given},
            "sync_secrets: destination",
            SECRETS[cloud],
        )

    @pytest.mark.parametrize("by_prefix", [False, True])
    def test_all_that_can_be_asked_for(self, servers, somebody_writes, prefix, cloud, by_prefix):
        source, name, gone = OTHER[cloud], f"{prefix}a", f"{prefix}gone"
        given = {
            "source": CONNECTIONS[source],
            "destinations": [CONNECTIONS[cloud]],
            **({"prefix": prefix} if by_prefix else {"names": [name, gone]}),
            "on_conflict": "overwrite",
            "deletion_policy": "remove",
        }
        version = write(source, name, b"first of all", None, team="data")
        write(source, gone, b"soon gone", None)
        servers[cloud].reset()
        api.sync_secrets(**given)
        hook(source).tag_secret(name, {"team": "ops"}, version=version)
        api.sync_secrets(**given)
        hook(cloud).remove_secret(name, version=current(cloud, name))
        hook(source).remove_secret(gone, version=current(source, gone))
        write(source, name, b"second of all", current(source, name))
        somebody_writes(cloud)
        with suppress(api.SyncFailedError):
            api.sync_secrets(**given)
        api.sync_secrets(**given)
        check_calls(
            cloud,
            asked(servers[cloud]),
            {"sync_secrets": given},
            "sync_secrets: destination",
            SECRETS[cloud],
        )


@pytest.mark.parametrize("cloud", CONNECTIONS)
def test_the_canary_of_a_drill(servers, somebody_writes, prefix, cloud):
    given = {"source": CONNECTIONS[cloud], "prefix": prefix}
    servers[cloud].reset()
    for _ in range(2):
        WriteCanarySecretOperator(task_id="write", **given).execute(Bare())
    somebody_writes(cloud)
    with pytest.raises(AirflowFailException):
        WriteCanarySecretOperator(task_id="write", **given).execute(Bare())
    check_calls(
        cloud,
        asked(servers[cloud]),
        {"write_canary_secret": given},
        "write_canary_secret",
        SECRETS[cloud],
        # Key Vault is asked for a value only where two versions are of the same second, or a
        # request is repeated.
        READS_VALUES if cloud == "azure" else frozenset(),
    )
