"""Every cloud's secrets hook against the shipped contract."""

from __future__ import annotations

import pytest

from airflow_multicloud.ports.secrets import SecretsService
from airflow_multicloud.testing.contracts.rigs import has_capability, unknown_gaps
from airflow_multicloud.testing.contracts.secrets import (
    NameContract,
    RaceContract,
    ReadContract,
    RecoveryContract,
    RefusedCredentialsContract,
    RemoveContract,
    SecrecyContract,
    TagContract,
    VersionStateContract,
    WriteContract,
)
from airflow_multicloud.testing.contracts.secrets.rigs import parametrize_secrets_rigs, secrets_rig
from tests.contract.secrets_rigs import secrets_rig_specs

__all__ = ["secrets_rig"]  # a fixture

_CONTRACTS = (
    NameContract,
    ReadContract,
    VersionStateContract,
    WriteContract,
    RaceContract,
    TagContract,
    RemoveContract,
    RecoveryContract,
    SecrecyContract,
    RefusedCredentialsContract,
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize_secrets_rigs(metafunc, secrets_rig_specs())


class TestNames(NameContract):
    pass


class TestReading(ReadContract):
    pass


class TestVersionStates(VersionStateContract):
    pass


class TestWriting(WriteContract):
    pass


class TestRaces(RaceContract):
    pass


class TestTags(TagContract):
    pass


class TestRemoving(RemoveContract):
    pass


class TestRecovery(RecoveryContract):
    pass


class TestSecrecy(SecrecyContract):
    pass


class TestRefusedCredentials(RefusedCredentialsContract):
    pass


def test_every_hook_is_a_secrets_hook() -> None:
    protocols = SecretsService.__mro__[1:-3]
    assert len(protocols) == 3
    for protocol in protocols:
        assert [s.name for s in secrets_rig_specs() if not has_capability(s.hook, protocol)] == []


def test_gaps_name_tests() -> None:
    unknown = {spec.name: unknown_gaps(spec, _CONTRACTS) for spec in secrets_rig_specs()}
    assert not any(unknown.values()), unknown
