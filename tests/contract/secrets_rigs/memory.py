"""The secrets of the memory cloud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_multicloud.testing.contracts.secrets.rigs import SecretsOutside, SecretsRigSpec
from airflow_multicloud.testing.memory_cloud.secrets import Hook, secrets_of

if TYPE_CHECKING:
    import pytest

    from airflow_multicloud.testing.secret_faults import SecretFault

_CONN_ID = "secrets_contract"


def rig() -> SecretsRigSpec:
    return SecretsRigSpec(
        name="memory",
        cloud="memory",
        hook=Hook,
        open=lambda _request: Hook(_CONN_ID),
        outside=_outside,
        plant=_plant,
        asked=lambda _request: secrets_of(_CONN_ID).asked,
        odd_end="--61",
    )


def _outside(_request: pytest.FixtureRequest) -> SecretsOutside:
    space = secrets_of(_CONN_ID)
    return SecretsOutside(
        write=lambda name, value: space.write(name, value).id,
        tag=space.tag,
        purge=space.purge,
        label=space.label,
        destroy=space.destroy,
        damage=space.damage,
        manage=space.manage,
    )


def _plant(_request: pytest.FixtureRequest, faults: Sequence[SecretFault]) -> None:
    planted = secrets_of(_CONN_ID).faults
    planted.clear()
    planted.plant(faults)
