"""Operators of virtual machines, and of what is deployed to them."""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
    __name__,
    {
        "airflow_multicloud.operators.compute.deploy": "DeployOperator",
        "airflow_multicloud.operators.compute.power": "StartInstanceOperator StopInstanceOperator",
        "airflow_multicloud.operators.compute.rollback": "RollbackOperator",
        "airflow_multicloud.operators.compute.summary": "ReleaseSummaryOperator",
        "airflow_multicloud.operators.compute.teardown": "TeardownOperator",
    },
)
