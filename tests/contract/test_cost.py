"""Every cloud's bill against the shipped contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.ports.cost import Cost
from airflow_multicloud.testing.contracts.cost import (
    CostContract,
    CostForecastsContract,
    CostQueriesContract,
    CostRecommendationsContract,
    PriceListsContract,
)
from airflow_multicloud.testing.contracts.cost.rigs import (
    COST_CAPABILITIES,
    CostRigSpec,
    cost_capabilities_of,
    cost_rig,
    parametrize_cost_rigs,
)
from airflow_multicloud.testing.contracts.rigs import has_capability, unknown_gaps

__all__ = ["cost_rig"]  # a fixture

if TYPE_CHECKING:
    from collections.abc import Sequence


def _specs() -> tuple[CostRigSpec, ...]:
    # Imported late: Airflow must not load before tests/conftest.py is configured.
    from tests.contract.cost_rigs import cost_rig_specs

    return cost_rig_specs()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cost_rig" in metafunc.fixturenames:
        parametrize_cost_rigs(metafunc, _specs())


class TestCost(CostContract):
    pass


class TestCostQueries(CostQueriesContract):
    pass


class TestCostForecasts(CostForecastsContract):
    pass


class TestCostRecommendations(CostRecommendationsContract):
    pass


class TestPriceLists(PriceListsContract):
    pass


_CONTRACTS: Sequence[Any] = (
    CostContract,
    CostQueriesContract,
    CostForecastsContract,
    CostRecommendationsContract,
    PriceListsContract,
)


def test_every_hook_is_a_cost_hook() -> None:
    assert [spec.name for spec in _specs() if not has_capability(spec.hook, Cost)] == []


def test_every_capability_has_a_contract() -> None:
    assert {capability for contract in _CONTRACTS for capability in contract.needs} == set(
        COST_CAPABILITIES
    )


def test_the_reference_has_every_capability() -> None:
    memory = _specs()[0]
    assert cost_capabilities_of(memory.hook) == memory.answers == COST_CAPABILITIES


def test_every_capability_is_answered_or_named() -> None:
    """A capability that no rig of a hook can seed says where it is tested instead."""
    silent = {
        spec.name: [
            capability.__name__
            for capability in cost_capabilities_of(spec.hook)
            if capability not in spec.answers and capability not in spec.unanswered
        ]
        for spec in _specs()
    }
    assert not any(silent.values()), silent


def test_gaps_name_tests() -> None:
    unknown = {spec.name: unknown_gaps(spec, _CONTRACTS) for spec in _specs()}
    assert not any(unknown.values()), unknown
