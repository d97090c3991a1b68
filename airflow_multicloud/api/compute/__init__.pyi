# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.api.compute.deployer import DeploymentProvider as DeploymentProvider
from airflow_multicloud.api.compute.deployer import MultiCloudDeployer as MultiCloudDeployer
from airflow_multicloud.api.compute.deployments import deployment_drift as deployment_drift
from airflow_multicloud.api.compute.deployments import list_deployments as list_deployments
from airflow_multicloud.api.compute.deployments import tear_down_deployment as tear_down_deployment
from airflow_multicloud.api.compute.rollouts import MultiCloudPlan as MultiCloudPlan
from airflow_multicloud.api.compute.rollouts import deploy_multicloud as deploy_multicloud
from airflow_multicloud.api.compute.rollouts import plan_multicloud as plan_multicloud
from airflow_multicloud.api.compute.rollouts import plan_rollback as plan_rollback
from airflow_multicloud.api.compute.rollouts import roll_back_deployment as roll_back_deployment
from airflow_multicloud.core.rollout.deployment import Deployment as Deployment
from airflow_multicloud.core.rollout.drift import DriftReport as DriftReport
from airflow_multicloud.core.rollout.drift import ExpectedDeployment as ExpectedDeployment
from airflow_multicloud.core.rollout.drift import ExpectedTarget as ExpectedTarget
from airflow_multicloud.core.rollout.health import HealthCheck as HealthCheck
from airflow_multicloud.core.rollout.health import HealthCheckKind as HealthCheckKind
from airflow_multicloud.core.rollout.outcomes import (
    MultiCloudDeploymentResult as MultiCloudDeploymentResult,
)
from airflow_multicloud.core.rollout.policy import RollbackScope as RollbackScope
from airflow_multicloud.core.rollout.policy import RolloutPolicy as RolloutPolicy
from airflow_multicloud.core.rollout.policy import Strategy as Strategy
from airflow_multicloud.core.rollout.standing import DeploymentsReport as DeploymentsReport
from airflow_multicloud.core.rollout.targets import Alternative as Alternative
from airflow_multicloud.core.rollout.targets import Target as Target
from airflow_multicloud.core.rollout.teardown_progress import TeardownResult as TeardownResult
from airflow_multicloud.ports.compute import Network as Network
from airflow_multicloud.ports.compute import SizeNeed as SizeNeed
