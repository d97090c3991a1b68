"""Runs the contract suites on real clouds; see ``docs/how-to/contract-suite.md``."""

from __future__ import annotations

import pytest

from airflow_multicloud.testing.contracts.identity.rigs import (
    identity_rig,
    parametrize_identity_rigs,
)
from airflow_multicloud.testing.contracts.object_store.rigs import parametrize_rigs, rig
from airflow_multicloud.testing.live import live_of
from airflow_multicloud.testing.live.costs import live_cost, parametrize_live_costs

__all__ = ["identity_rig", "live_cost", "rig"]  # fixtures


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if live_of(metafunc.config) is None:
        raise pytest.UsageError("tests/live runs on real clouds: give --live CLOUD=CONN_ID")
    # Imported here and not above: Airflow must not load before tests/conftest.py is configured.
    from tests.live.rigs import identity_rigs, store_rigs

    if "rig" in metafunc.fixturenames:
        parametrize_rigs(metafunc, store_rigs(metafunc.config))
    if "identity_rig" in metafunc.fixturenames:
        parametrize_identity_rigs(metafunc, identity_rigs(metafunc.config))
    parametrize_live_costs(metafunc)
