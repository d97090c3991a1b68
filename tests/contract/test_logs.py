"""Every cloud's logs hook against the shipped contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.ports.logs import Logs
from airflow_multicloud.testing.contracts.logs import (
    EntryContract,
    FaultContract,
    QueryContract,
    RefusedCredentialsContract,
)
from airflow_multicloud.testing.contracts.logs.rigs import logs_rig, parametrize_logs_rigs
from airflow_multicloud.testing.contracts.rigs import has_capability, unknown_gaps
from tests.contract.logs_rigs import logs_rig_specs

if TYPE_CHECKING:
    import pytest

__all__ = ["logs_rig"]  # a fixture

_CONTRACTS = (EntryContract, QueryContract, FaultContract, RefusedCredentialsContract)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize_logs_rigs(metafunc, logs_rig_specs())


class TestEntries(EntryContract):
    pass


class TestQueries(QueryContract):
    pass


class TestFaults(FaultContract):
    pass


class TestRefusedCredentials(RefusedCredentialsContract):
    pass


def test_every_hook_is_a_logs_hook() -> None:
    assert [s.name for s in logs_rig_specs() if not has_capability(s.hook, Logs)] == []


def test_gaps_name_tests() -> None:
    unknown = {spec.name: unknown_gaps(spec, _CONTRACTS) for spec in logs_rig_specs()}
    assert not any(unknown.values()), unknown
