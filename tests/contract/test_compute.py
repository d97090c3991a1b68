"""Every cloud's compute hook against the shipped contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.ports.compute import Compute, InstanceLabels
from airflow_multicloud.ports.operations import Operations
from airflow_multicloud.testing.contracts.compute import (
    ConsoleContract,
    FaultContract,
    IdempotencyContract,
    LabelContract,
    LaunchContract,
    ListContract,
    PowerContract,
    ResolveContract,
    TerminateContract,
)
from airflow_multicloud.testing.contracts.compute.rigs import compute_rig, parametrize_compute_rigs
from airflow_multicloud.testing.contracts.rigs import has_capability, unknown_gaps
from tests.contract.compute_rigs import compute_rig_specs

if TYPE_CHECKING:
    import pytest

__all__ = ["compute_rig"]  # a fixture

_CONTRACTS = (
    ResolveContract,
    LaunchContract,
    IdempotencyContract,
    ListContract,
    LabelContract,
    TerminateContract,
    PowerContract,
    ConsoleContract,
    FaultContract,
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize_compute_rigs(metafunc, compute_rig_specs())


class TestResolve(ResolveContract):
    pass


class TestLaunch(LaunchContract):
    pass


class TestIdempotency(IdempotencyContract):
    pass


class TestList(ListContract):
    pass


class TestLabels(LabelContract):
    pass


class TestTerminate(TerminateContract):
    pass


class TestPower(PowerContract):
    pass


class TestConsole(ConsoleContract):
    pass


class TestFaults(FaultContract):
    pass


def test_every_hook_is_a_compute_hook() -> None:
    for protocol in (Compute, InstanceLabels, Operations):
        assert [s.name for s in compute_rig_specs() if not has_capability(s.hook, protocol)] == []


def test_gaps_name_tests() -> None:
    unknown = {spec.name: unknown_gaps(spec, _CONTRACTS) for spec in compute_rig_specs()}
    assert not any(unknown.values()), unknown
