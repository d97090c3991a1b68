"""The local Secret Manager, its hook, and requests past the hook."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.kit.secret_seeds import plant

if TYPE_CHECKING:
    from airflow_multicloud.clouds.gcp.secrets import GCPSecretsHook
    from airflow_multicloud.ports.secrets import SecretVersion
    from airflow_multicloud.testing.local_clouds import LocalServer

Write = Callable[..., "SecretVersion"]


@pytest.fixture
def hook(local_secret_manager: LocalServer) -> Iterator[GCPSecretsHook]:
    """With no fault planted."""
    from airflow_multicloud.clouds.gcp.secrets import GCPSecretsHook

    yield GCPSecretsHook("gcp_secrets_local")
    plant(local_secret_manager.endpoint, ())


@pytest.fixture
def client(hook: GCPSecretsHook) -> Any:
    """Google's own."""
    return hook.client


@pytest.fixture
def name() -> str:
    """A secret that nobody else writes."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def path(name: str) -> str:
    return f"projects/{PROJECT}/secrets/{name}"


@pytest.fixture
def write(hook: GCPSecretsHook, name: str) -> Write:
    """Writes by the hook; the token is made up unless one is given."""

    def written(value: bytes = b"value", **more: Any) -> SecretVersion:
        told = {"token": str(uuid.uuid4()), "replaces": None, **more}
        return hook.write_secret(name, value, **told)

    return written
