"""The object stores, each behind a proxy that notes what comes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import registry
from airflow_multicloud.ports.object_store import ObjectStore
from tests.faults.proxy import FaultProxy, proxied_connection

from .test_objects import Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.testing.local_clouds import LocalClouds


@pytest.fixture
def recorded(proxied: dict[str, Recorded]) -> dict[str, Recorded]:
    """One per cloud, connection ``recorded_<cloud>``; nothing has been asked yet."""
    for one in proxied.values():
        one.proxy.reset()
    return proxied


@pytest.fixture(scope="session")
def proxied(local_clouds: LocalClouds) -> Iterator[dict[str, Recorded]]:
    """See above."""
    servers = {"aws": local_clouds.aws, "gcp": local_clouds.gcp, "azure": local_clouds.azure}
    made: dict[str, Recorded] = {}
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        for cloud, server in servers.items():
            ((direct, connection),) = server.spec.connections.items()
            proxy = stack.enter_context(FaultProxy(server.spec.port, rewrite_host=cloud == "gcp"))
            patch.setenv(
                f"AIRFLOW_CONN_RECORDED_{cloud.upper()}", proxied_connection(connection, proxy.port)
            )
            made[cloud] = Recorded(cloud, proxy, registry.resolve(ObjectStore, direct))
        yield made
