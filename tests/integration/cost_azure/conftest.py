"""A local Azure Resource Manager, empty for each test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.testing.local_clouds.azure.arm import resource_manager
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.process import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.clouds.azure.cost import CostManagementHook


@dataclass(frozen=True, slots=True)
class Azure:
    """The server, and hooks on connections that lead to it."""

    admin: Admin
    connection: dict[str, Any]
    patch: pytest.MonkeyPatch

    @property
    def endpoint(self) -> str:
        endpoint: str = self.connection["extra"]["management_endpoint"]
        return endpoint

    @property
    def ca_bundle(self) -> Path:
        return Path(self.connection["extra"]["ca_bundle"])

    def hook(self, *, login: str | None = None, password: str | None = None, **extra: Any) -> Any:
        changed = json.loads(json.dumps(self.connection))
        changed["extra"] |= extra
        changed["login"] = login if login is not None else changed["login"]
        changed["password"] = password if password is not None else changed["password"]
        return self.hook_on(changed)

    def hook_on(self, connection: dict[str, Any]) -> CostManagementHook:
        from airflow_multicloud.clouds.azure.cost import CostManagementHook

        self.patch.setenv("AIRFLOW_CONN_AZURE_TEST", json.dumps(connection))
        return CostManagementHook(conn_id="azure_test")


@pytest.fixture(scope="session")
def arm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    directory = tmp_path_factory.mktemp("azure")
    server = LocalServer(resource_manager(directory), log_path=directory / "azure.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def azure(arm_server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Azure:
    admin = Admin(arm_server.endpoint)
    admin.reset()
    connection: Any = arm_server.spec.connections["azure_local"]
    return Azure(admin, connection, monkeypatch)
