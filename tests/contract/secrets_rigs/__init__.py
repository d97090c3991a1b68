"""The rigs of the secrets contract: in memory, and the local clouds."""

from __future__ import annotations

from functools import cache

from airflow_multicloud.testing.contracts.secrets.rigs import SecretsRigSpec


@cache
def secrets_rig_specs() -> tuple[SecretsRigSpec, ...]:
    # Imported here and not above: Airflow must not load before tests/conftest.py is configured.
    from tests.contract.secrets_rigs import aws, azure, gcp, memory

    return (memory.rig(), aws.rig(), gcp.rig(), azure.rig())
