"""Operators of virtual machines, and of what is deployed to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.operators.compute.deploy import DeployOperator
    from airflow_multicloud.operators.compute.power import (
        StartInstanceOperator,
        StopInstanceOperator,
    )
    from airflow_multicloud.operators.compute.rollback import RollbackOperator
    from airflow_multicloud.operators.compute.teardown import TeardownOperator
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.operators.compute.deploy": "DeployOperator",
            "airflow_multicloud.operators.compute.power": (
                "StartInstanceOperator StopInstanceOperator"
            ),
            "airflow_multicloud.operators.compute.rollback": "RollbackOperator",
            "airflow_multicloud.operators.compute.teardown": "TeardownOperator",
        },
    )

__all__ = [
    "DeployOperator",
    "RollbackOperator",
    "StartInstanceOperator",
    "StopInstanceOperator",
    "TeardownOperator",
]
