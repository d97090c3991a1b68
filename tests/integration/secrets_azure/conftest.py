"""The local Key Vault, its hook, and requests past the hook."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.secret_seeds import plant

if TYPE_CHECKING:
    from airflow_multicloud.clouds.azure.secrets import AzureSecretsHook
    from airflow_multicloud.ports.secrets import SecretVersion
    from airflow_multicloud.testing.local_clouds import LocalServer

Write = Callable[..., "SecretVersion"]
SetUp = Callable[..., None]


@pytest.fixture
def hook(local_key_vault: LocalServer) -> Iterator[AzureSecretsHook]:
    """With no fault planted, and the vault as it is set up usually."""
    from airflow_multicloud.clouds.azure.secrets import AzureSecretsHook

    yield AzureSecretsHook("azure_secrets_local")
    plant(local_key_vault.endpoint, ())
    Admin(local_key_vault.endpoint).seed("vault", [{}])


@pytest.fixture
def set_up(local_key_vault: LocalServer) -> SetUp:
    """Sets the vault up otherwise."""
    return lambda **settings: Admin(local_key_vault.endpoint).seed("vault", [settings])


@pytest.fixture
def client(hook: AzureSecretsHook) -> Any:
    """Azure's own."""
    return hook._reads


@pytest.fixture
def name() -> str:
    """A secret that nobody else writes; the same in the vault."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def write(hook: AzureSecretsHook, name: str) -> Write:
    """Writes by the hook; the token is made up unless one is given."""

    def written(value: bytes = b"value", **more: Any) -> SecretVersion:
        told = {"token": str(uuid.uuid4()), "replaces": None, **more}
        return hook.write_secret(name, value, **told)

    return written
