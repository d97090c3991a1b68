"""The rigs of a cloud that airflow-multicloud does not know: what its author would write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.ports.identity import Identity
from airflow_multicloud.ports.object_store import ObjectStore
from airflow_multicloud.testing.contracts.identity import rigs as identity
from airflow_multicloud.testing.contracts.object_store import rigs as object_store
from airflow_multicloud.testing.contracts.rigs import connected

if TYPE_CHECKING:
    from collections.abc import Iterator

# The fixtures that the contract classes take.
rig = object_store.rig
identity_rig = identity.identity_rig

CLOUD = "localdisk"
CONNECTION = "local_disk_default"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every contract class that this cloud's capabilities allow."""
    from localdisk_multicloud.identity import LocalDiskIdentity
    from localdisk_multicloud.object_store import LocalDiskStore

    store = object_store.RigSpec(
        name=CLOUD,
        cloud=CLOUD,
        hook=LocalDiskStore,
        open=connected(ObjectStore, CONNECTION, "disk"),
    )
    who = identity.IdentityRigSpec(
        name=CLOUD,
        cloud=CLOUD,
        hook=LocalDiskIdentity,
        open=connected(Identity, CONNECTION, "disk"),
    )
    object_store.parametrize_rigs(metafunc, (store,))
    identity.parametrize_identity_rigs(metafunc, (who,))


@pytest.fixture(scope="session")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A directory for the whole session, and the connection that leads to it."""
    extra = {"root": str(tmp_path_factory.mktemp("disk"))}
    with pytest.MonkeyPatch.context() as patch:
        connection = json.dumps({"conn_type": "local_disk", "extra": extra})
        patch.setenv("AIRFLOW_CONN_LOCAL_DISK_DEFAULT", connection)
        yield
