"""See how deployments stand, and take them down, in plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.api.compute.deployments import (
        deployment_drift,
        list_deployments,
        tear_down_deployment,
    )
    from airflow_multicloud.core.rollout.drift import (
        DriftReport,
        ExpectedDeployment,
        ExpectedTarget,
    )
    from airflow_multicloud.core.rollout.standing import DeploymentsReport
    from airflow_multicloud.core.rollout.teardown import TeardownResult
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.api.compute.deployments": (
                "deployment_drift list_deployments tear_down_deployment"
            ),
            "airflow_multicloud.core.rollout.drift": (
                "DriftReport ExpectedDeployment ExpectedTarget"
            ),
            "airflow_multicloud.core.rollout.standing": "DeploymentsReport",
            "airflow_multicloud.core.rollout.teardown": "TeardownResult",
        },
    )

__all__ = [
    "DeploymentsReport",
    "DriftReport",
    "ExpectedDeployment",
    "ExpectedTarget",
    "TeardownResult",
    "deployment_drift",
    "list_deployments",
    "tear_down_deployment",
]
