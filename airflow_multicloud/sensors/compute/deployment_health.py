"""Wait until a deployment is well."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_multicloud.core.rollout.given import check_not_empty
from airflow_multicloud.core.rollout.inputs import refused
from airflow_multicloud.core.rollout.names import check_id
from airflow_multicloud.core.rollout.watching import read_watched
from airflow_multicloud.documents import to_document
from airflow_multicloud.opening.deployments import OnDrift, check_deployment
from airflow_multicloud.sensors.base import PollingSensor


class DeploymentHealthSensor(PollingSensor):
    """Succeed when every slot of every target has its instance, and each answers its health check.

    What counts is what the clouds list by the deployment's label, not what a rollout has said.
    While it waits, the log says which slots are not well, and what drifts: an instance that is
    gone, stopped, of another revision, not expected, or relabelled behind the deployment's back.
    Returns the instances of each target, and the drift that was only warned of.

    :param deployment_id: of the deployment.
    :param targets: where it is, each a mapping: ``name``, ``conn_id``, ``regions`` (every region
        of the account when left out), ``count`` (1), and ``health``, a mapping of the fields of
        :class:`~airflow_multicloud.core.rollout.health.HealthCheck` (when left out, it is enough
        that the machine runs).
    :param revision: that all instances are to be of; any when left out; refused when there is
        nothing of it in the run.
    :param drift: ``fail``: it is not well, and the sensor fails at its ``timeout``, as long as
        anything drifts; ``warn``: drift is only told.
    :param deferrable: wait in the triggerer.
    """

    template_fields: Sequence[str] = ("deployment_id", "targets", "revision")
    report_key = "health"

    def __init__(
        self,
        *,
        deployment_id: str,
        targets: Sequence[Mapping[str, Any]],
        revision: str | None = None,
        drift: OnDrift = "fail",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.targets = targets
        self.revision = revision
        self._has_revision = revision is not None
        self.drift = drift

    def question(self) -> tuple[Callable[..., dict[str, Any] | None], dict[str, Any]]:
        """Whether it is well."""
        check_id(self.deployment_id, "deployment_id")
        if self._has_revision:
            check_not_empty("revision", self.revision)
        if self.drift not in ("fail", "warn"):
            raise refused("drift", self.drift, "fail or warn")
        return check_deployment, {
            "deployment_id": self.deployment_id,
            "targets": [to_document(target) for target in read_watched(self.targets)],
            "revision": self.revision,
            "drift": self.drift,
        }
