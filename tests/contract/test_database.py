"""Every cloud's database hook against the shipped contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.ports.database import (
    Database,
    DatabasePlaces,
    DatabasePower,
    DatabaseSnapshots,
    ReplicaPromotion,
)
from airflow_multicloud.ports.operations import Operations
from airflow_multicloud.testing.contracts.database import (
    DescribeContract,
    FaultContract,
    ListContract,
    PlaceContract,
    PowerContract,
    RefusedCredentialsContract,
    RemoveContract,
    ReplicaContract,
    RestoreContract,
    SnapshotContract,
)
from airflow_multicloud.testing.contracts.database.rigs import (
    database_rig,
    parametrize_database_rigs,
    refused_database_rig,
)
from airflow_multicloud.testing.contracts.rigs import has_capability, unknown_gaps
from tests.contract.database_rigs import database_rig_specs

if TYPE_CHECKING:
    import pytest

__all__ = ["database_rig", "refused_database_rig"]  # fixtures

_CONTRACTS = (
    DescribeContract,
    ListContract,
    RefusedCredentialsContract,
    SnapshotContract,
    RestoreContract,
    ReplicaContract,
    PowerContract,
    RemoveContract,
    PlaceContract,
    FaultContract,
)
_PORT = (Database, DatabasePlaces, DatabaseSnapshots, ReplicaPromotion, DatabasePower, Operations)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize_database_rigs(metafunc, database_rig_specs())


class TestDescribe(DescribeContract):
    pass


class TestList(ListContract):
    pass


class TestRefusedCredentials(RefusedCredentialsContract):
    pass


class TestSnapshots(SnapshotContract):
    pass


class TestRestore(RestoreContract):
    pass


class TestReplicas(ReplicaContract):
    pass


class TestPower(PowerContract):
    pass


class TestRemove(RemoveContract):
    pass


class TestPlaces(PlaceContract):
    pass


class TestFaults(FaultContract):
    pass


def test_every_hook_is_a_database_hook() -> None:
    for protocol in _PORT:
        assert [s.name for s in database_rig_specs() if not has_capability(s.hook, protocol)] == []


def test_gaps_name_tests() -> None:
    unknown = {spec.name: unknown_gaps(spec, _CONTRACTS) for spec in database_rig_specs()}
    assert not any(unknown.values()), unknown
