"""Bring back an earlier revision of a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow_multicloud.core.rollout.deployment import Deployment
from airflow_multicloud.core.rollout.given import check_not_empty
from airflow_multicloud.core.rollout.policy import RolloutPolicy
from airflow_multicloud.core.rollout.targets import Target, read_targets
from airflow_multicloud.opening.revisions import earlier_deployment
from airflow_multicloud.operators.compute.rollout import RolloutOperator


class RollbackOperator(RolloutOperator):
    """Bring back an earlier revision, by the same rollout that deployed it.

    What it was is read from its record, beside the artifact near every target; these must agree.
    It is a new run: of two runs the later one's revision stays, whichever that is.

    :param deployment_id: whose.
    :param to: the revision's name; its full name (``<revision>-<digits>``) where
        several revisions have it, or not every place has its record.
    :param targets: where it is to run, as :class:`DeployOperator` takes them.
    :param policy: how the rollout goes, likewise.
    :param url_lifetime: of the signed URL in an instance's metadata.
    :param max_instances: more are refused.
    """

    template_fields: Sequence[str] = (
        *("deployment_id", "to", "targets", "policy"),
        *("approved_plan", "max_monthly_cost", "prices"),
    )
    labelled_by = ("deployment_id", "targets")

    def __init__(
        self,
        *,
        deployment_id: str,
        to: str,
        targets: Sequence[Target | Mapping[str, Any]] | str,
        policy: RolloutPolicy | Mapping[str, Any] | None = None,
        url_lifetime: timedelta = timedelta(hours=1),
        max_instances: int = 50,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.to = to
        self.targets = targets
        self.policy = policy
        self._has_policy = policy is not None
        self.url_lifetime = url_lifetime
        self.max_instances = max_instances

    def deployment(self) -> tuple[Deployment, str | None]:
        """What is to run where again, and the SHA-256 that its record says."""
        if self._has_policy and self.policy != {}:
            check_not_empty("policy", self.policy)
        check_not_empty("to", self.to)
        return earlier_deployment(
            self.deployment_id,
            self.to,
            read_targets(self.targets),
            policy=self.policy or RolloutPolicy(),
            url_lifetime=self.url_lifetime,
            max_instances=self.max_instances,
        )
