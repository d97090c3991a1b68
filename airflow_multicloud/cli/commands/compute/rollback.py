"""``airflow multicloud rollback``: bring back an earlier revision of a deployment."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from airflow_multicloud.api import RolloutPolicy, plan_rollback, roll_back_deployment
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
    """Plan it and, without ``--dry-run``, roll it back."""
    found: Any = read_json(args.targets, "targets")
    policy: Any = None
    if isinstance(found, dict):
        found, policy = found.get("targets"), found.get("policy")
    policy = policy or RolloutPolicy()
    deployment_id, to = args.deployment_id, args.to
    return carried_out(
        args,
        lambda: plan_rollback(deployment_id, to, found, policy=policy),
        lambda approved: roll_back_deployment(
            deployment_id, to, found, approved, policy=policy, listener=progress_of(args)
        ),
    )
