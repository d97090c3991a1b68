"""Deploy, see how deployments stand, and take them down, in plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.api.compute.deployer import DeploymentProvider, MultiCloudDeployer
    from airflow_multicloud.api.compute.deployments import (
        deployment_drift,
        list_deployments,
        tear_down_deployment,
    )
    from airflow_multicloud.api.compute.rollouts import (
        MultiCloudPlan,
        deploy_multicloud,
        plan_multicloud,
        plan_rollback,
        roll_back_deployment,
    )
    from airflow_multicloud.core.rollout.deployment import Deployment
    from airflow_multicloud.core.rollout.drift import (
        DriftReport,
        ExpectedDeployment,
        ExpectedTarget,
    )
    from airflow_multicloud.core.rollout.health import HealthCheck, HealthCheckKind
    from airflow_multicloud.core.rollout.outcomes import MultiCloudDeploymentResult
    from airflow_multicloud.core.rollout.policy import RollbackScope, RolloutPolicy, Strategy
    from airflow_multicloud.core.rollout.standing import DeploymentsReport
    from airflow_multicloud.core.rollout.targets import Alternative, Target
    from airflow_multicloud.core.rollout.teardown_progress import TeardownResult
    from airflow_multicloud.ports.compute import Network, SizeNeed
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.api.compute.deployer": "DeploymentProvider MultiCloudDeployer",
            "airflow_multicloud.api.compute.deployments": (
                "deployment_drift list_deployments tear_down_deployment"
            ),
            "airflow_multicloud.api.compute.rollouts": (
                "MultiCloudPlan deploy_multicloud plan_multicloud plan_rollback "
                "roll_back_deployment"
            ),
            "airflow_multicloud.core.rollout.deployment": "Deployment",
            "airflow_multicloud.core.rollout.drift": (
                "DriftReport ExpectedDeployment ExpectedTarget"
            ),
            "airflow_multicloud.core.rollout.health": "HealthCheck HealthCheckKind",
            "airflow_multicloud.core.rollout.outcomes": "MultiCloudDeploymentResult",
            "airflow_multicloud.core.rollout.policy": "RollbackScope RolloutPolicy Strategy",
            "airflow_multicloud.core.rollout.standing": "DeploymentsReport",
            "airflow_multicloud.core.rollout.targets": "Alternative Target",
            "airflow_multicloud.core.rollout.teardown_progress": "TeardownResult",
            "airflow_multicloud.ports.compute": "Network SizeNeed",
        },
    )

__all__ = [
    "Alternative",
    "Deployment",
    "DeploymentProvider",
    "DeploymentsReport",
    "DriftReport",
    "ExpectedDeployment",
    "ExpectedTarget",
    "HealthCheck",
    "HealthCheckKind",
    "MultiCloudDeployer",
    "MultiCloudDeploymentResult",
    "MultiCloudPlan",
    "Network",
    "RollbackScope",
    "RolloutPolicy",
    "SizeNeed",
    "Strategy",
    "Target",
    "TeardownResult",
    "deploy_multicloud",
    "deployment_drift",
    "list_deployments",
    "plan_multicloud",
    "plan_rollback",
    "roll_back_deployment",
    "tear_down_deployment",
]
