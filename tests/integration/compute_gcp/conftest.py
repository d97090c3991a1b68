"""The local Compute Engine, its hook, and requests past the hook."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests

from airflow_multicloud.ports.compute import LaunchOrder, LaunchRequest, Network
from airflow_multicloud.testing.local_clouds.kit.admin import Admin

if TYPE_CHECKING:
    from airflow_multicloud.clouds.gcp.compute import GCPComputeHook
    from airflow_multicloud.testing.local_clouds import LocalServer

REQUEST = LaunchRequest(
    region="us-central1",
    zone="us-central1-a",
    size="e2-small",
    network=Network(subnets=("default",)),
)
MARK = "gcp-test"

Ask = Callable[..., Any]
Order = Callable[..., LaunchOrder]


@pytest.fixture
def hook(local_compute_engine: LocalServer) -> Iterator[GCPComputeHook]:
    """On an empty project; what a test leaves is terminated."""
    from airflow_multicloud.clouds.gcp.compute import GCPComputeHook

    assert local_compute_engine.endpoint
    hook = GCPComputeHook("compute_local")
    yield hook
    admin(local_compute_engine).seed("unreachable_zones", [{"clear": True}])
    admin(local_compute_engine).seed("machine_faults", [{"clear": True}])
    for instance in hook.list_instances({MARK: None}):
        done = hook.terminate_instance(instance.ref)
        while not done.state.is_final:
            done = hook.describe_operation(done)


@pytest.fixture
def order(hook: GCPComputeHook) -> Order:
    """A new order; ``script`` and ``labels`` are its own."""

    def make(*, script: str = "#!/bin/sh\n", name: str = "", **labels: str) -> LaunchOrder:
        return LaunchOrder(
            spec=hook.resolve_launch(REQUEST),
            name=name or f"t-{uuid.uuid4().hex[:10]}",
            token=str(uuid.uuid4()),
            startup_script=script,
            labels={MARK: "1", **labels},
        )

    return make


@pytest.fixture
def ask(local_compute_engine: LocalServer) -> Ask:
    """One request: ``ask("GET", "zones")`` is of the project ``local``."""
    connection: Any = local_compute_engine.spec.connections["compute_local"]
    base = f"{connection['extra']['compute.endpoint']}/compute/v1/projects/"

    def asked(method: str, path: str, **more: Any) -> requests.Response:
        project = more.pop("project", "local")
        return requests.request(method, f"{base}{project}/{path}", timeout=30, **more)

    return asked


def admin(server: LocalServer) -> Admin:
    return Admin(server.endpoint)
