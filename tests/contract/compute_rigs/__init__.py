"""The rigs of the compute contract: in memory, and the local clouds."""

from __future__ import annotations

from functools import cache

from airflow_multicloud.testing.contracts.compute.rigs import ComputeRigSpec


@cache
def compute_rig_specs() -> tuple[ComputeRigSpec, ...]:
    # Imported here and not above: Airflow must not load before tests/conftest.py is configured.
    from tests.contract.compute_rigs import aws, azure, gcp, memory

    return (memory.rig(), aws.rig(), azure.rig(), gcp.rig())
