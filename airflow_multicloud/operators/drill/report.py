"""Judge a drill, and keep the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.evidence import earlier_records, keep_evidence, past_drills
from airflow_multicloud.core.drill.evidence import Anchor, Evidence
from airflow_multicloud.core.drill.findings import Facts
from airflow_multicloud.core.drill.parts import part_of
from airflow_multicloud.core.drill.unmeasured import unmeasured
from airflow_multicloud.documents import read_document
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.links.pages import EVIDENCE_LINKS
from airflow_multicloud.lists import elements, texts
from airflow_multicloud.operators.base import CloudOperator, Outcome
from airflow_multicloud.operators.drill.objectives import (
    check_given_objectives,
    operator_objectives,
)
from airflow_multicloud.operators.drill.run_facts import run_facts
from airflow_multicloud.operators.drill.steps import Steps
from airflow_multicloud.operators.drill.told import outcome_of
from airflow_multicloud.operators.run_ids import run_id_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class DrillReportOperator(CloudOperator):
    """Judge a drill and write the evidence, as JSON and HTML, to every place given.

    The task fails after the evidence is written, unless the verdict is ``PASSED``. It fails as
    well, for a retry, when a place could not take the evidence; the others have it then. If fewer
    than two clouds hold it, a drill without another failure is ``FAILED_EVIDENCE``. A task that
    judges again, as it was retried or cleared, names in its record those that are there.

    :param measurement: what a ``FailoverDrillOperator`` returned; without it the drill is
        ``ABORTED``.
    :param canary: what a ``WriteCanaryOperator`` returned.
    :param verification: what each ``VerifyReplicaOperator`` returned.
    :param replication: what each ``ReplicateOperator`` returned.
    :param places: URIs in buckets that keep the evidence; two clouds, so that it survives one.
    :param rto_seconds: the recovery time objective.
    :param rpo_seconds: the recovery point objective.
    :param detect_seconds: the objective of a phase: the longest time from the fault until the first
        attempt has failed. Not longer than ``rto_seconds``; ``None``: the phase has no objective.
    :param failover_seconds: likewise, until a copy begins to send what it serves in the end.
    :param first_verified_seconds: likewise, until the first object is verified and in place.
    :param signing_conn_id: the connection whose password is the Ed25519 key, in PEM, that signs the
        evidence; it is not signed without.
    :param anchors: how far each replica's ledger was: the ``uri``, the number of its newest
        ``commit``, and that one's ``root``.
    """

    template_fields: Sequence[str] = (
        "measurement",
        "canary",
        "verification",
        "replication",
        "places",
        "rto_seconds",
        "rpo_seconds",
        "detect_seconds",
        "failover_seconds",
        "first_verified_seconds",
        "signing_conn_id",
        "anchors",
    )
    report_key = "report"
    operator_extra_links = EVIDENCE_LINKS

    def __init__(
        self,
        *,
        measurement: Mapping[str, Any] | None,
        canary: Mapping[str, Any] | None,
        verification: Sequence[Mapping[str, Any] | None],
        replication: Sequence[Mapping[str, Any] | None],
        places: Sequence[str],
        rto_seconds: float | str,
        rpo_seconds: float | str,
        signing_conn_id: str | None = None,
        anchors: Sequence[Mapping[str, Any]] = (),
        detect_seconds: float | str | None = None,
        failover_seconds: float | str | None = None,
        first_verified_seconds: float | str | None = None,
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
        self.signing_conn_id = signing_conn_id
        self.anchors = anchors
        self.detect_seconds = detect_seconds
        self.failover_seconds = failover_seconds
        self.first_verified_seconds = first_verified_seconds
        check_given_objectives(self)

    def perform(self, context: Context) -> Outcome:
        """Judge and record."""
        places = texts(
            self.places, "places", what="URIs", if_empty="name the buckets that keep evidence"
        )
        objectives = operator_objectives(self)
        steps = self.steps(context)
        measured = steps.measurement or unmeasured(steps.why_unmeasured())
        facts = Facts(
            measurement=measured,
            verification=steps.verification,
            before=steps.before,
            parts=[*steps.parts, *part_of(measured)],
            places=places,
        )
        drill_id, run = run_id_of(context, self.task_id), run_facts(context)
        again = getattr(context["ti"], "try_number", 1) > 1
        evidence = Evidence.of(
            drill_id,
            objectives,
            facts=facts,
            run=run,
            replication=steps.replication,
            canary=steps.canary or {},
            anchors=self._anchors(),
            steps=steps.states,
            earlier=earlier_records(drill_id, run, places) if again else (),
            past=past_drills(places),
        )
        kept = keep_evidence(evidence, places, signing_conn_id=self.signing_conn_id)
        return outcome_of(kept.evidence, kept.records, kept.unwritten, self.log)

    def steps(self, context: Context) -> Steps:
        """What the drill's other tasks have told."""
        return Steps(
            measurement=self.measurement,
            canary=self.canary,
            verification=_known(
                self.verification, "verification", what="what verifications returned"
            ),
            replication=_known(self.replication, "replication", what="what replications returned"),
        )

    def _anchors(self) -> list[Anchor]:
        given = elements(self.anchors, "anchors", Mapping, what="anchors of ledgers")
        try:
            return [
                read_document(Anchor, one, what=f"anchors[{number}]")
                for number, one in enumerate(given)
            ]
        except CloudError as err:  # A template that is wrong stays wrong in the next try.
            raise StorageError(str(err), kind=ErrorKind.INVALID_ARGUMENT) from err


def _known(given: Sequence[Any], parameter: str, *, what: str) -> list[Mapping[str, Any]]:
    """Without those of tasks that have told nothing."""
    found = elements(given, parameter, Mapping, type(None), what=what)
    return [one for one in found if one is not None]
