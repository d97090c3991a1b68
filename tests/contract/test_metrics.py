"""Every cloud's metrics hook against the shipped contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.ports.metrics import Metrics
from airflow_multicloud.testing.contracts.metrics import (
    AccountContract,
    FaultContract,
    InstrumentContract,
    RefusedCredentialsContract,
)
from airflow_multicloud.testing.contracts.metrics.rigs import metrics_rig, parametrize_metrics_rigs
from airflow_multicloud.testing.contracts.rigs import has_capability, unknown_gaps
from tests.contract.metrics_rigs import metrics_rig_specs

if TYPE_CHECKING:
    import pytest

__all__ = ["metrics_rig"]  # a fixture

_CONTRACTS = (InstrumentContract, AccountContract, FaultContract, RefusedCredentialsContract)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize_metrics_rigs(metafunc, metrics_rig_specs())


class TestInstruments(InstrumentContract):
    pass


class TestAccounts(AccountContract):
    pass


class TestFaults(FaultContract):
    pass


class TestRefusedCredentials(RefusedCredentialsContract):
    pass


def test_every_hook_is_a_metrics_hook() -> None:
    assert [s.name for s in metrics_rig_specs() if not has_capability(s.hook, Metrics)] == []


def test_gaps_name_tests() -> None:
    unknown = {spec.name: unknown_gaps(spec, _CONTRACTS) for spec in metrics_rig_specs()}
    assert not any(unknown.values()), unknown
