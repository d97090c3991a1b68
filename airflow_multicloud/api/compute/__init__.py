"""Deploy, see how deployments stand, and take them down, in plain Python."""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
    __name__,
    {
        "airflow_multicloud.api.compute.deployer": "DeploymentProvider MultiCloudDeployer",
        "airflow_multicloud.api.compute.deployments": (
            "deployment_drift list_deployments tear_down_deployment"
        ),
        "airflow_multicloud.api.compute.rollouts": (
            "MultiCloudPlan deploy_multicloud plan_multicloud plan_rollback roll_back_deployment"
        ),
        "airflow_multicloud.core.rollout.deployment": "Deployment",
        "airflow_multicloud.core.rollout.drift": "DriftReport ExpectedDeployment ExpectedTarget",
        "airflow_multicloud.core.rollout.health": "HealthCheck HealthCheckKind",
        "airflow_multicloud.core.rollout.outcomes": "MultiCloudDeploymentResult",
        "airflow_multicloud.core.rollout.policy": "RollbackScope RolloutPolicy Strategy",
        "airflow_multicloud.core.rollout.standing": "DeploymentsReport",
        "airflow_multicloud.core.rollout.targets": "Alternative Target",
        "airflow_multicloud.core.rollout.teardown_progress": "TeardownResult",
        "airflow_multicloud.ports.compute": "Network SizeNeed",
    },
)
