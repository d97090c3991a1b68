"""``airflow multicloud deploy``: one artifact to virtual machines in several clouds."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from airflow_multicloud.api import Deployment, deploy_multicloud, plan_multicloud
from airflow_multicloud.cli.commands.compute.rollouts import (
    INTERRUPTED,
    carried_out,
    progress_of,
    read_json,
)
from airflow_multicloud.cli.output import Result
from airflow_multicloud.cli.running import command


@command(interrupted=INTERRUPTED)
def run(args: Namespace) -> Result:
    """Plan it and, without ``--dry-run``, roll it out."""
    deployment, sha256 = deployment_of(args), args.artifact_sha256
    return carried_out(
        args,
        lambda: plan_multicloud(deployment, artifact_sha256=sha256),
        lambda approved: deploy_multicloud(
            deployment, approved, artifact_sha256=sha256, listener=progress_of(args)
        ),
    )


def deployment_of(args: Namespace) -> Deployment:
    """What the file says, and the options before it.

    :raises DeploymentError: ``invalid_argument``, naming what is unknown, missing or wrong.
    """
    given: Any = read_json(args.deployment, "deployment")
    options = {"artifact": args.artifact, "revision": args.revision}
    if isinstance(given, dict):
        given |= {name: value for name, value in options.items() if value is not None}
    return Deployment.of(given)
