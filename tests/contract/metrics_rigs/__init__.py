"""The rigs of the metrics contract: in memory, and the local clouds."""

from __future__ import annotations

from functools import cache

from airflow_multicloud.testing.contracts.metrics.rigs import MetricsRigSpec


@cache
def metrics_rig_specs() -> tuple[MetricsRigSpec, ...]:
    # Imported here and not above: Airflow must not load before tests/conftest.py is configured.
    from tests.contract.metrics_rigs import aws, azure, gcp, memory

    return (memory.rig(), aws.rig(), gcp.rig(), azure.rig(), azure.resource_rig())
