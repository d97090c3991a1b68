"""Every cloud's identity hook against the shipped contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.ports.identity import Identity, PermissionChecks
from airflow_multicloud.testing.contracts.identity import (
    IdentityContract,
    PermissionsContract,
    RefusedCredentialsContract,
    ScopedTokensContract,
)
from airflow_multicloud.testing.contracts.identity.permission_rigs import (
    parametrize_permission_rigs,
    permissions_rig,
    tokens_rig,
)
from airflow_multicloud.testing.contracts.identity.rigs import (
    identity_rig,
    parametrize_identity_rigs,
    refused_rig,
)
from airflow_multicloud.testing.contracts.rigs import has_capability, unknown_gaps
from tests.contract.identity_rigs import identity_rig_specs
from tests.contract.permission_rigs import permission_rig_specs, token_rig_specs

if TYPE_CHECKING:
    import pytest

__all__ = ["identity_rig", "permissions_rig", "refused_rig", "tokens_rig"]  # fixtures


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if {"identity_rig", "refused_rig"} & {*metafunc.fixturenames}:
        parametrize_identity_rigs(metafunc, identity_rig_specs())
    if {"permissions_rig", "tokens_rig"} & {*metafunc.fixturenames}:
        parametrize_permission_rigs(metafunc, permission_rig_specs(), token_rig_specs())


class TestIdentity(IdentityContract):
    pass


class TestRefusedCredentials(RefusedCredentialsContract):
    pass


class TestPermissions(PermissionsContract):
    pass


class TestScopedTokens(ScopedTokensContract):
    pass


def test_every_hook_is_an_identity_hook() -> None:
    assert [s.name for s in identity_rig_specs() if not has_capability(s.hook, Identity)] == []


def test_every_hook_says_what_is_allowed() -> None:
    """It is the one capability that no cloud lacks: work begins after it was asked."""
    told = {s.cloud for s in permission_rig_specs() if has_capability(s.hook, PermissionChecks)}
    assert told == {s.cloud for s in identity_rig_specs()}


def test_gaps_name_tests() -> None:
    contracts = (IdentityContract, RefusedCredentialsContract)
    unknown = {spec.name: unknown_gaps(spec, contracts) for spec in identity_rig_specs()}
    assert not any(unknown.values()), unknown
    for permissions in permission_rig_specs():
        assert unknown_gaps(permissions, (PermissionsContract,)) == []
    for tokens in token_rig_specs():
        assert unknown_gaps(tokens, (ScopedTokensContract,)) == []
