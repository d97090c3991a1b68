"""The rig of a cloud that airflow-multicloud does not know: what its author would write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.testing.contracts.object_store.rigs import (
    RigSpec,
    StoreRig,
    open_rig,
    parametrize_rigs,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_multicloud.ports.object_store import ObjectStore


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every contract class that this cloud's capabilities allow."""
    from localdisk_multicloud.object_store import LocalDiskStore

    disk = RigSpec(name="localdisk", cloud="localdisk", hook=LocalDiskStore, open=_open)
    parametrize_rigs(metafunc, (disk,))


def _open(request: pytest.FixtureRequest) -> ObjectStore:
    from airflow_multicloud import registry
    from airflow_multicloud.ports.object_store import ObjectStore

    request.getfixturevalue("disk")
    return registry.resolve(ObjectStore, "local_disk_default")


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> StoreRig:
    """One store and a fresh bucket in it."""
    return open_rig(request)


@pytest.fixture(scope="session")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory for the whole session, with the connection that leads to it."""
    root = tmp_path_factory.mktemp("disk")
    connection = {"conn_type": "local_disk", "extra": {"root": str(root)}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_LOCAL_DISK_DEFAULT", json.dumps(connection))
        yield root
