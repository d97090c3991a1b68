"""The rigs of the contracts of permissions and tokens: in memory, and the local clouds."""

from __future__ import annotations

from functools import cache

from airflow_multicloud.testing.contracts.identity.permission_rigs import (
    PermissionsRigSpec,
    TokensRigSpec,
)
from tests.contract.permission_rigs import aws, azure, gcp, memory


@cache
def permission_rig_specs() -> tuple[PermissionsRigSpec, ...]:
    return tuple(rig for cloud in (memory, aws, gcp, azure) for rig in cloud.permission_rigs())


@cache
def token_rig_specs() -> tuple[TokensRigSpec, ...]:
    return tuple(rig for cloud in (memory, aws, gcp) for rig in cloud.token_rigs())
