"""Every cloud's identity hook against the shipped contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.ports.identity import Identity
from airflow_multicloud.testing.contracts.identity import (
    IdentityContract,
    RefusedCredentialsContract,
)
from airflow_multicloud.testing.contracts.identity.rigs import (
    identity_rig,
    parametrize_identity_rigs,
    refused_rig,
)
from airflow_multicloud.testing.contracts.rigs import has_capability, unknown_gaps
from tests.contract.identity_rigs import identity_rig_specs

if TYPE_CHECKING:
    import pytest

__all__ = ["identity_rig", "refused_rig"]  # fixtures


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if {"identity_rig", "refused_rig"} & {*metafunc.fixturenames}:
        parametrize_identity_rigs(metafunc, identity_rig_specs())


class TestIdentity(IdentityContract):
    pass


class TestRefusedCredentials(RefusedCredentialsContract):
    pass


def test_every_hook_is_an_identity_hook() -> None:
    assert [s.name for s in identity_rig_specs() if not has_capability(s.hook, Identity)] == []


def test_gaps_name_tests() -> None:
    contracts = (IdentityContract, RefusedCredentialsContract)
    unknown = {spec.name: unknown_gaps(spec, contracts) for spec in identity_rig_specs()}
    assert not any(unknown.values()), unknown
