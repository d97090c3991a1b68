"""Serve again from the clouds that are left: what a drill deploys, and how long that takes."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.object_store.fetches import failover_fetch
from airflow_multicloud.core.drill.serving import SERVING_KEY, Recovered, Serving
from airflow_multicloud.core.failover.policy import OUTAGES, FailoverPolicy, parse_kinds
from airflow_multicloud.core.failover.provenance import Provenance
from airflow_multicloud.core.rollout.deployment import Deployment
from airflow_multicloud.core.rollout.health import HealthCheck
from airflow_multicloud.core.rollout.outcomes import MultiCloudDeploymentResult
from airflow_multicloud.core.rollout.places import check_file_name, file_name_of
from airflow_multicloud.core.rollout.policy import RolloutPolicy
from airflow_multicloud.core.rollout.targets import Target, read_targets
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.lists import is_template
from airflow_multicloud.opening.survivors import surviving_replicas, surviving_targets
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.compute.rollout import RolloutOperator
from airflow_multicloud.operators.operations import Wait
from airflow_multicloud.operators.remembered import remembered
from airflow_multicloud.operators.run_ids import run_id_of
from airflow_multicloud.text import given_text

if TYPE_CHECKING:
    from airflow.sdk import Context

#: How the ids of drills' deployments begin: what a drill removes is never what serves for real.
DRILL_DEPLOYMENT = "drill-"
_REVISION_DIGITS = 12


class DrillDeployOperator(RolloutOperator):
    """Deploy an artifact as if the primary's cloud were lost, and measure when it serves again.

    The artifact is fetched from a replica outside that cloud, with proof, and deployed to the
    targets outside it; the others are left out. Each run of the DAG has a revision of its own, so
    that what a killed drill has left is replaced and never counted. XCom has, under
    ``drill_deployment``, the seconds from the fault until all that had to be was healthy, and under
    ``deployment_report`` what came of each target, also when the task fails.

    Let a ``TeardownOperator`` with the same ``deployment_id`` follow: it removes everything that
    carries this id. So the id begins with ``drill-``, and no two DAGs may have the same.

    :param deployment_id: of the drill's deployment; it begins with ``drill-``.
    :param primary: URI of the prefix whose cloud is taken for lost.
    :param replicas: URIs of the prefixes that hold replicas, in the order of preference.
    :param artifact: the key of the artifact below these prefixes.
    :param measurement: what a ``FailoverDrillOperator`` returned: it says when the fault was.
    :param targets: as a ``DeployOperator``'s.
    :param command: likewise.
    :param port: likewise.
    :param health: likewise.
    :param policy: likewise; of the targets that are left.
    :param fail_over_on: error kinds for which the artifact is fetched from the next replica.
    :param use_remembered: as a ``FailoverDrillOperator``'s.
    """

    template_fields: Sequence[str] = (
        *("deployment_id", "primary", "replicas", "artifact", "measurement", "targets"),
        *("command", "health", "policy", "fail_over_on", "max_monthly_cost", "prices"),
    )

    def __init__(
        self,
        *,
        deployment_id: str,
        primary: str,
        replicas: Sequence[str] | str,
        artifact: str,
        measurement: Mapping[str, Any],
        targets: Sequence[Target | Mapping[str, Any]] | str,
        command: str = "./run",
        port: int = 8080,
        health: HealthCheck | Mapping[str, Any] | None = None,
        policy: RolloutPolicy | Mapping[str, Any] | None = None,
        fail_over_on: Sequence[str] = tuple(sorted(OUTAGES)),
        use_remembered: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.deployment_id = deployment_id
        self.primary = primary
        self.replicas = replicas
        self.artifact = artifact
        self.measurement = measurement
        self.targets = targets
        self.command = command
        self.port = port
        self.health = health
        self.policy = policy
        self.fail_over_on = fail_over_on
        self.use_remembered = use_remembered
        self._recovered: Recovered | None = None
        self._file = Path()
        self._revision = ""
        if not is_template(fail_over_on):
            parse_kinds(fail_over_on)  # Refuses what is wrong when the DAG is parsed.

    def begin(self, context: Context) -> Wait | Outcome:
        """Fetch the artifact, and roll it out."""
        check_drill_id(self.deployment_id)
        self._fault_at()
        run = run_id_of(context, self.task_id, shared=True)
        digits = hashlib.sha256(run.encode()).hexdigest()[:_REVISION_DIGITS]
        self._revision = f"{DRILL_DEPLOYMENT}{digits}"
        with tempfile.TemporaryDirectory(prefix="multicloud-drill-") as scratch:
            self._recovered = self._fetched(context, Path(scratch))
            found = super().begin(context)
        if isinstance(found, Wait):
            return replace(found, state={**found.state, "recovered": to_document(self._recovered)})
        return found

    def proceed(
        self, context: Context, facts: dict[str, Any], state: dict[str, Any]
    ) -> Wait | Outcome:
        """See what came of it."""
        self._recovered = read_document(Recovered, state["recovered"], what="recovered")
        return super().proceed(context, facts, state)

    def deployment(self) -> tuple[Deployment, str | None]:
        """What is to run where, with the artifact as it was fetched."""
        deployment = Deployment.of(
            {
                "deployment_id": self.deployment_id,
                "artifact": str(self._file),
                "targets": self._surviving(),
                "revision": self._revision,
                "command": self.command,
                "port": self.port,
                "health": self.health,
                "policy": self.policy or RolloutPolicy(),
            }
        )
        return deployment, None if self._recovered is None else self._recovered.sha256

    def _surviving(self) -> tuple[Target, ...]:
        return surviving_targets(self.primary, read_targets(self.targets))

    def _fetched(self, context: Context, scratch: Path) -> Recovered:
        """The artifact, of the first replica that serves it with proof."""
        key = check_key(self.artifact)
        kept = [one.name for one in self._surviving()]
        left_out = [one.name for one in read_targets(self.targets) if one.name not in kept]
        if left_out:
            self.log.info("in the primary's cloud, and left out: %s", ", ".join(left_out))
        uris = surviving_replicas(self.primary, self.replicas)
        policy = FailoverPolicy(
            fail_over_on=parse_kinds(self.fail_over_on),
            # Nothing vouches for the first of these as for the primary.
            live_primary=False,
            require_digest=True,
        )
        if self.use_remembered:
            memory = remembered(self, context, uris)
            policy = replace(policy, remembered=tuple(memory.values()))
        self._file = scratch / file_name_of(key)
        found = failover_fetch([f"{uri}{key}" for uri in uris], self._file, policy)
        if not isinstance(found, Provenance):
            raise TypeError("one object was asked for")
        self.log.info("artifact from %s, verified by %s", found.served_by, found.verified_by)
        return Recovered(
            served_by=found.served_by,
            sha256=found.sha256,
            size=found.size,
            left_out=tuple(left_out),
        )

    def _ended(self, context: Context, result: MultiCloudDeploymentResult) -> Outcome:
        if self._recovered is None:
            raise ValueError("the artifact is fetched before it is rolled out")
        serving = Serving.of(result, self._recovered, self._fault_at())
        context["ti"].xcom_push(key=SERVING_KEY, value=to_document(serving))
        self.log.info("%s", serving.told)
        return super()._ended(context, result)

    def _fault_at(self) -> datetime:
        """When the fault was.

        :raises DeploymentError: ``precondition_failed`` when nothing was recovered: nothing is
            deployed for a drill that has failed.
        """
        given = self.measurement
        moment = given.get("fault_at") if isinstance(given, Mapping) else None
        if not isinstance(given, Mapping) or moment is None:
            raise _refused(
                "measurement: no time of a fault in it, expected what a FailoverDrillOperator "
                "returned"
            )
        fault_at = _moment(moment)
        if given.get("recovered") is None:
            raise DeploymentError(
                "measurement: nothing was recovered, so nothing is deployed",
                kind=ErrorKind.PRECONDITION_FAILED,
            )
        return fault_at


def _moment(given: object) -> datetime:
    # One without a zone would be noticed only once everything is deployed.
    try:
        found = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _refused(
            f"measurement: fault_at: {given_text(given)} given, expected a time with its zone, as "
            "a FailoverDrillOperator returns it"
        )
    return found


def drilled_places(
    primary: str, targets: Sequence[Target | Mapping[str, Any]]
) -> dict[str, list[str]]:
    """Where a drill deploys: connection → regions, as a ``TeardownOperator`` takes them.

    :param primary: URI of the prefix whose cloud is taken for lost.
    :param targets: all of them; those in that cloud are left out.
    :raises DeploymentError: ``invalid_argument``, as the operator.
    """
    found: dict[str, list[str]] = {}
    for target in surviving_targets(primary, read_targets(targets)):
        regions = found.setdefault(target.conn_id, [])
        for prospect in target.prospects():
            if prospect.request.region not in regions:
                regions.append(prospect.request.region)
    return found


def check_drill_id(given: object) -> None:
    """Refuse an id that a deployment may have which serves for real.

    :raises DeploymentError: ``invalid_argument``.
    """
    if not isinstance(given, str) or not given.startswith(DRILL_DEPLOYMENT):
        raise _refused(
            f"deployment_id: {given_text(given)} given, expected one that begins with "
            f"{DRILL_DEPLOYMENT}: everything that carries it is removed after the drill"
        )


def check_key(given: object) -> str:
    """The key of one object below a prefix, of which the last part can be a file's name.

    :raises DeploymentError: ``invalid_argument``.
    """
    good = isinstance(given, str) and given and "://" not in given
    if not good or not isinstance(given, str) or given.startswith("/") or given.endswith("/"):
        raise _refused(
            f"artifact: {given_text(given)} given, expected the key of one object below the "
            "replicas' prefixes, as builds/shop.tar.gz"
        )
    # Before it is fetched: not every name can be a file's.
    check_file_name(file_name_of(given), "artifact")
    return given


def _refused(message: str) -> DeploymentError:
    return DeploymentError(message, kind=ErrorKind.INVALID_ARGUMENT)
