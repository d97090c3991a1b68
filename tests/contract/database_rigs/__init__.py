"""The rigs of the database contract: in memory, and the local clouds."""

from __future__ import annotations

from functools import cache

from airflow_multicloud.testing.contracts.database.rigs import DatabaseRigSpec


@cache
def database_rig_specs() -> tuple[DatabaseRigSpec, ...]:
    # Imported here and not above: Airflow must not load before tests/conftest.py is configured.
    from tests.contract.database_rigs import aws, azure, azure_sql, gcp, memory

    return (memory.rig(), aws.rig(), gcp.rig(), azure.rig(), azure_sql.rig())
