"""Runs the object store contract on the rigs of :mod:`.object_store_rigs`."""

from __future__ import annotations

import pytest

from airflow_multicloud.testing.contracts.object_store.rigs import RigSpec, parametrize_rigs, rig
from tests.contract.object_store_rigs import rigs

__all__ = ["rig"]  # a fixture


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "rig" in metafunc.fixturenames:
        parametrize_rigs(metafunc, rigs())


@pytest.fixture(scope="session")
def rig_specs() -> tuple[RigSpec, ...]:
    return rigs()
