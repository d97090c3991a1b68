"""Servers of machines for tests of rollouts, theirs alone: nothing else runs there."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from airflow_multicloud.testing.local_clouds import LocalServer
from airflow_multicloud.testing.local_clouds.aws.compute import ec2
from airflow_multicloud.testing.local_clouds.azure.arm import resource_manager
from airflow_multicloud.testing.local_clouds.gcp.compute import compute_engine
from airflow_multicloud.testing.local_clouds.gcp.service_account import signing_connection

from .landscape import CONNECTIONS, Landscape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_multicloud.testing.local_clouds import LocalClouds
    from airflow_multicloud.testing.local_clouds.kit.process import ServerSpec
    from tests.integration.lab import Lab


@pytest.fixture(scope="session")
def machines_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rollouts")


@pytest.fixture(scope="session")
def machine_servers(
    machines_directory: Path, local_clouds: LocalClouds
) -> Iterator[dict[str, LocalServer]]:
    """One server of machines in each cloud, with the connections of :data:`CONNECTIONS`.

    ``rollout_signing`` leads to Cloud Storage as somebody who can sign URLs.
    """
    makers = {"aws": ec2, "gcp": compute_engine, "azure": resource_manager}
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        found = {}
        for cloud, make in makers.items():
            found[cloud] = started(make(machines_directory), machines_directory, stack)
            connect(patch, CONNECTIONS[cloud], found[cloud])
        (storage,) = local_clouds.gcp.spec.connections.values()
        signing = signing_connection(storage, found["gcp"].endpoint)
        patch.setenv("AIRFLOW_CONN_ROLLOUT_SIGNING", json.dumps(signing))
        yield found


def started(spec: ServerSpec, directory: Path, stack: ExitStack) -> LocalServer:
    """A server that runs until the stack is closed."""
    server = LocalServer(spec, log_path=directory / f"{spec.name}.log")
    server.start()
    stack.callback(server.stop)
    return server


def connect(patch: pytest.MonkeyPatch, conn_id: str, server: LocalServer) -> None:
    """Let a connection of this name lead to a server."""
    (connection,) = server.spec.connections.values()
    patch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))


@pytest.fixture
def landscape(
    machine_servers: dict[str, LocalServer], machines_directory: Path, lab: Lab, tmp_path: Path
) -> Iterator[Landscape]:
    """A deployment's own view of the clouds, empty; it is torn down in the end."""
    folders = {
        "aws": machines_directory / "aws-compute",
        "gcp": machines_directory / "compute-engine",
        "azure": machines_directory / "azure-arm" / "machines",
    }
    made = Landscape(machine_servers, folders, lab, tmp_path, f"e2e-{uuid4().hex[:8]}")
    for cloud in machine_servers:
        made.plant(cloud)
    yield made
    for cloud in machine_servers:
        made.plant(cloud)
    made.tear_down().raise_if_failed()
