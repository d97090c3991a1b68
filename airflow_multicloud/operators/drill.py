"""The steps of a disaster-recovery drill."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud import api
from airflow_multicloud.core.drill import evidence as record
from airflow_multicloud.core.drill.canary import Canary, write_canary
from airflow_multicloud.core.drill.failover import ControlOutcome, Measurement, measure
from airflow_multicloud.core.drill.faults import Fault
from airflow_multicloud.core.drill.verdict import Objectives, Verdict
from airflow_multicloud.core.failover.policy import OUTAGES, parse_kinds
from airflow_multicloud.core.pages import duration
from airflow_multicloud.documents import read_document
from airflow_multicloud.errors import CloudError
from airflow_multicloud.lists import elements, is_template, texts
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.opening.identities import identities_of
from airflow_multicloud.operators._drill import run_facts
from airflow_multicloud.operators._runs import run_id_of
from airflow_multicloud.operators._shell import CloudOperator, tell_assets

if TYPE_CHECKING:
    from airflow.sdk import Context


class WriteCanaryOperator(CloudOperator):
    """Write an object with the time in it below the primary's prefix.

    :param primary: URI of the prefix that is replicated.
    """

    template_fields: Sequence[str] = ("primary",)

    def __init__(self, *, primary: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.primary = primary

    def execute(self, context: Context) -> dict[str, Any]:
        """Write it; returns the drill's id, the time and the SHA-256."""
        with self.stoppable():
            primary = open_endpoint(self.primary, parameter="primary")
            canary = write_canary(primary, run_id_of(context, self.task_id)).as_dict()
        self.log.info("canary %s written at %s", canary["drill_id"], canary["written_at"])
        return canary


class FailoverDrillOperator(CloudOperator):
    """Make the primary fail for this task only, and recover everything from the replicas.

    Returns what was measured; it judges nothing, so that a failed drill has its evidence.

    :param candidates: URIs of prefixes, the primary first.
    :param canary: what :class:`WriteCanaryOperator` returned.
    :param fault: ``unavailable``, ``stalled``, ``permission_denied``, ``truncated`` or
        ``corrupt``.
    :param restore_to: a directory on the worker to keep what was recovered; by default it goes
        to a temporary one and is deleted.
    :param fail_over_on: error kinds that trigger failover to the next candidate, as in
        :class:`~airflow_multicloud.operators.failover.FailoverFetchOperator`: drill what is
        used. With the default ones the fault ``permission_denied`` is not survived.
    :param attempt_timeout: the longest one candidate may take for one object.
    """

    template_fields: Sequence[str] = (
        "candidates",
        "canary",
        "fault",
        "restore_to",
        "fail_over_on",
    )

    def __init__(
        self,
        *,
        candidates: Sequence[str],
        canary: Mapping[str, Any],
        fault: str = Fault.UNAVAILABLE,
        restore_to: str | None = None,
        fail_over_on: Sequence[str] = tuple(sorted(OUTAGES)),
        attempt_timeout: timedelta = timedelta(minutes=5),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.candidates = candidates
        self.canary = canary
        self.fault = fault
        self.restore_to = restore_to
        self.fail_over_on = fail_over_on
        self.attempt_timeout = attempt_timeout
        if not is_template(fail_over_on):
            self._policy()  # Refuses what is wrong when the DAG is parsed.

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the drill."""
        if self.fault not in tuple(Fault):
            allowed = ", ".join(Fault)
            raise AirflowFailException(f"fault: {self.fault!r} given, expected one of {allowed}")
        if self.restore_to:
            Path(self.restore_to).mkdir(parents=True, exist_ok=True)
            return self._measure(Path(self.restore_to))
        with tempfile.TemporaryDirectory(prefix="multicloud-drill-") as scratch:
            return self._measure(Path(scratch))

    def _measure(self, scratch: Path) -> dict[str, Any]:
        with self.stoppable():
            policy = self._policy()
            candidates = api.open_candidates(self.candidates)
            measurement = measure(
                candidates,
                scratch,
                read_document(Canary, self.canary, what="canary"),
                fault=Fault(self.fault),
                policy=policy,
            )
            # Asked afterwards: it is no part of a recovery.
            identities = identities_of(candidates, measurement)
        self._tell(measurement)
        return {**measurement.as_dict(), "identities": identities}

    def _tell(self, measured: Measurement) -> None:
        if measured.recovered is None:
            self.log.error("primary %s: not recovered: %s", measured.fault, measured.problem)
            self.log.error("why: %s", measured.reason)
        else:
            for uri, objects in measured.recovered.served.items():
                self.log.info("primary %s: %d objects from %s", measured.fault, objects, uri)
        silent = [
            f"{control.replica} {control.outcome}: {control.detail}"
            for control in measured.controls
            if control.outcome is not ControlOutcome.REJECTED
        ]
        self.log.info(
            "RTO %s, RPO %s; canary %s; negative controls %s; primary %s afterwards",
            "none" if measured.rto is None else measured.rto,
            "none" if measured.rpo is None else measured.rpo,
            "found" if measured.canary_found else "LOST",
            f"DID NOT FIRE: {'; '.join(silent)}" if silent else "fired",
            "serves" if measured.failback else "DOES NOT SERVE",
        )

    def _policy(self) -> api.FailoverPolicy:
        return api.FailoverPolicy(
            fail_over_on=parse_kinds(self.fail_over_on), attempt_timeout=self.attempt_timeout
        )


class DrillReportOperator(CloudOperator):
    """Judge a drill and write the evidence, as JSON and HTML, to every place given.

    The task fails after the evidence is written, unless the verdict is ``PASSED``. It fails as
    well, for a retry, when a place could not take the evidence; the others have it then.

    :param measurement: what :class:`FailoverDrillOperator` returned.
    :param canary: what :class:`WriteCanaryOperator` returned.
    :param verification: what each ``VerifyReplicaOperator`` returned.
    :param replication: what each ``ReplicateOperator`` returned.
    :param places: URIs in buckets that keep the evidence; two clouds, so that it survives one.
    :param rto_seconds: the recovery time objective.
    :param rpo_seconds: the recovery point objective.
    """

    template_fields: Sequence[str] = (
        "measurement",
        "canary",
        "verification",
        "replication",
        "places",
        "rto_seconds",
        "rpo_seconds",
    )

    def __init__(
        self,
        *,
        measurement: Mapping[str, Any],
        canary: Mapping[str, Any],
        verification: Sequence[Mapping[str, Any]],
        replication: Sequence[Mapping[str, Any]],
        places: Sequence[str],
        rto_seconds: float | str,
        rpo_seconds: float | str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.measurement = measurement
        self.canary = canary
        self.verification = verification
        self.replication = replication
        self.places = places
        self.rto_seconds = rto_seconds
        self.rpo_seconds = rpo_seconds

    def execute(self, context: Context) -> dict[str, Any]:
        """Judge and record."""
        with self.stoppable():
            places = texts(
                self.places, "places", what="URIs", if_empty="name the buckets that keep evidence"
            )
            verification = elements(
                self.verification, "verification", Mapping, what="what verifications returned"
            )
            replication = elements(
                self.replication, "replication", Mapping, what="what replications returned"
            )
        objectives = Objectives(
            timedelta(seconds=float(self.rto_seconds)), timedelta(seconds=float(self.rpo_seconds))
        )
        evidence = record.Evidence.of(
            run_id_of(context, self.task_id),
            objectives,
            run=run_facts(context),
            measurement=self.measurement,
            replication=replication,
            verification=verification,
            canary=self.canary,
        )
        uris, failed = self._store(evidence, places)
        facts = {
            "verdict": str(evidence.verdict),
            "reason": self.measurement["reason"],
            "findings": list(evidence.findings),
            "rto_seconds": self.measurement["rto_seconds"],
            "rpo_seconds": self.measurement["rpo_seconds"],
            "evidence": uris,
        }
        context["ti"].xcom_push(key="report", value=facts)
        self.log.info(
            "%s: RTO %s of %s, RPO %s of %s",
            evidence.verdict,
            *map(_readable, (facts["rto_seconds"], objectives.rto.total_seconds())),
            *map(_readable, (facts["rpo_seconds"], objectives.rpo.total_seconds())),
        )
        if facts["reason"]:
            self.log.info("why: %s", facts["reason"])
        for uri in uris:
            self.log.info("evidence: %s", uri)
        if evidence.verdict is not Verdict.PASSED:
            raise AirflowFailException(f"the drill's verdict is {evidence.verdict}: {facts}")
        if failed is not None:  # With a verdict that stands, a retry may still write it there.
            with self.stoppable():
                raise failed
        tell_assets(self, context, {"multicloud": facts})
        return facts

    def _store(
        self, evidence: record.Evidence, places: Sequence[str]
    ) -> tuple[list[str], CloudError | None]:
        """Write to every place that takes it: one that is out of reach costs no other."""
        uris, failed = api.store_evidence(evidence, places)
        for uri, err in failed.items():
            self.log.warning("no evidence at %s: %s: %s", uri, err.kind, err)
        return uris, next(iter(failed.values()), None)


def _readable(seconds: float | None) -> str:
    return "none" if seconds is None else duration(seconds)
