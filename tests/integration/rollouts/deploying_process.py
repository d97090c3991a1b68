"""A deployment in a process of its own, which may be killed."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.synchronize import Event

#: What takes long to import and is needed by every deployment.
SLOW_IMPORTS = [
    "tests.integration.rollouts.landscape",
    "airflow_multicloud.clouds.aws.compute",
    "airflow_multicloud.clouds.aws.object_store",
    "airflow_multicloud.clouds.azure.compute",
    "airflow_multicloud.clouds.azure.object_store",
    "airflow_multicloud.clouds.gcp.compute",
    "airflow_multicloud.clouds.gcp.object_store",
    "airflow.providers_manager",
    "azure.identity",
    "azure.mgmt.compute.models",
    "azure.mgmt.network.models",
    "boto3",
    "google.cloud.compute_v1",
    "obstore.store",
]


def deploy_here(
    document: Mapping[str, Any], order: str, environment: Mapping[str, str], planned: Event
) -> None:
    """Deploy, and end the process with 0 when that has succeeded.

    :param document: of a deployment, plain values.
    :param order: when the run was begun.
    :param environment: with the connections.
    :param planned: is set when all is planned and something will be made from now on.
    """
    os.environ.update(environment)
    from airflow_multicloud.core.rollout.deploying import deploy, plan_rollout
    from airflow_multicloud.core.rollout.deployment import Deployment
    from airflow_multicloud.opening.rollout import open_deployment

    deployment = Deployment.of(document)
    opened = open_deployment(deployment)
    began = datetime.fromisoformat(order)
    plan = plan_rollout(deployment, opened.artifact, opened.targets, began)
    planned.set()
    result = deploy(plan, opened.artifact, opened.targets)
    if not result.succeeded:
        sys.exit(f"{result}")
