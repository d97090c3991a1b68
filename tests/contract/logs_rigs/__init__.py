"""The rigs of the logs contract: in memory, and the local clouds."""

from __future__ import annotations

from functools import cache

from airflow_multicloud.testing.contracts.logs.rigs import LogsRigSpec


@cache
def logs_rig_specs() -> tuple[LogsRigSpec, ...]:
    # Imported here and not above: Airflow must not load before tests/conftest.py is configured.
    from tests.contract.logs_rigs import aws, azure, gcp, memory

    return (memory.rig(), aws.rig(), azure.rig(), gcp.rig())
