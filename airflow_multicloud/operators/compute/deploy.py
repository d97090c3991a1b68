"""Deploy one artifact to virtual machines in several clouds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow_multicloud.core.rollout.deployment import Deployment
from airflow_multicloud.core.rollout.given import (
    LEFT_OUT,
    LeftOut,
    check_not_empty,
    none_if_left_out,
)
from airflow_multicloud.core.rollout.health import HealthCheck
from airflow_multicloud.core.rollout.policy import RolloutPolicy
from airflow_multicloud.core.rollout.targets import Target
from airflow_multicloud.operators.compute.rollout import RolloutOperator


class DeployOperator(RolloutOperator):
    """Deploy one artifact to virtual machines in several clouds, in waves, and put back what fails.

    The artifact is brought near every target with proof; each instance fetches it by a signed URL
    and runs it only with the right SHA-256. What a try has begun is found again by its labels in
    the clouds, so a retry goes on with it. The task fails when too few targets run the revision,
    after what failed was put back; XCom has the report either way, under ``deployment_report``.

    :param deployment_id: of this deployment, for good: what it makes is found again by it.
    :param artifact: the URI or local path of one file: a tar archive, or what is run itself.
    :param targets: where; :class:`~airflow_multicloud.core.rollout.targets.Target`, or a dict of
        its fields.
    :param revision: its name; the first 12 digits of the artifact's SHA-256 when left out.
    :param artifact_sha256: that the artifact is expected to have; refused when there is nothing of
        it in the run. Without it, leave the parameter out.
    :param command: that is run where the artifact was unpacked.
    :param port: that the command is told to listen at.
    :param health: how an instance is asked whether it is well: a
        :class:`~airflow_multicloud.core.rollout.health.HealthCheck`, or a dict of its fields; its
        cloud is asked alone when left out or ``None``.
    :param policy: how the rollout goes: a
        :class:`~airflow_multicloud.core.rollout.policy.RolloutPolicy`, or a dict of its fields.
    :param url_lifetime: of the signed URL in an instance's metadata.
    :param max_instances: more are refused.
    """

    template_fields: Sequence[str] = (
        *("deployment_id", "artifact", "targets", "revision", "artifact_sha256", "command"),
        *("health", "policy", "approved_plan", "max_monthly_cost", "prices"),
    )
    labelled_by = ("deployment_id", "targets")

    def __init__(
        self,
        *,
        deployment_id: str,
        artifact: str,
        targets: Sequence[Target | Mapping[str, Any]] | str,
        revision: str | None = None,
        artifact_sha256: str | LeftOut | None = LEFT_OUT,
        command: str = "./run",
        port: int = 8080,
        health: HealthCheck | Mapping[str, Any] | None = None,
        policy: RolloutPolicy | Mapping[str, Any] | None = None,
        url_lifetime: timedelta = timedelta(hours=1),
        max_instances: int = 50,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.artifact = artifact
        self.targets = targets
        self.revision = revision
        self.artifact_sha256 = none_if_left_out(artifact_sha256)
        self._has_sha256 = artifact_sha256 is not LEFT_OUT
        self.command = command
        self.port = port
        self.health = health
        self.policy = policy
        self._has_policy = policy is not None
        self.url_lifetime = url_lifetime
        self.max_instances = max_instances

    def deployment(self) -> tuple[Deployment, str | None]:
        """What is to run where, and the SHA-256 that the artifact is expected to have."""
        if self._has_sha256:
            check_not_empty("artifact_sha256", self.artifact_sha256)
        if self._has_policy and self.policy != {}:
            check_not_empty("policy", self.policy)
        if self.revision:
            check_not_empty("revision", self.revision)
        deployment = Deployment.of(
            {
                "deployment_id": self.deployment_id,
                "artifact": self.artifact,
                "targets": self.targets,
                "revision": self.revision or None,
                "command": self.command,
                "port": self.port,
                "health": self.health,
                "policy": self.policy or RolloutPolicy(),
                "url_lifetime": self.url_lifetime,
                "max_instances": self.max_instances,
            }
        )
        return deployment, self.artifact_sha256
