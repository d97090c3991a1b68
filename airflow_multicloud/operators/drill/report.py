"""Judge a drill, and keep the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud.api.drill import store_evidence
from airflow_multicloud.core.drill.chain import StoredRecord
from airflow_multicloud.core.drill.evidence import Anchor, Evidence
from airflow_multicloud.core.drill.verdict import Objectives, Verdict
from airflow_multicloud.core.pages import duration
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.links.pages import EVIDENCE_LINKS
from airflow_multicloud.lists import elements, texts
from airflow_multicloud.operators.base import CloudOperator, Outcome
from airflow_multicloud.operators.drill.run_facts import run_facts
from airflow_multicloud.operators.run_ids import run_id_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class DrillReportOperator(CloudOperator):
    """Judge a drill and write the evidence, as JSON and HTML, to every place given.

    The task fails after the evidence is written, unless the verdict is ``PASSED``. It fails as
    well, for a retry, when a place could not take the evidence; the others have it then.

    :param measurement: what a ``FailoverDrillOperator`` returned.
    :param canary: what a ``WriteCanaryOperator`` returned.
    :param verification: what each ``VerifyReplicaOperator`` returned.
    :param replication: what each ``ReplicateOperator`` returned.
    :param places: URIs in buckets that keep the evidence; two clouds, so that it survives one.
    :param rto_seconds: the recovery time objective.
    :param rpo_seconds: the recovery point objective.
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
        "signing_conn_id",
        "anchors",
    )
    report_key = "report"
    operator_extra_links = EVIDENCE_LINKS

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
        signing_conn_id: str | None = None,
        anchors: Sequence[Mapping[str, Any]] = (),
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

    def perform(self, context: Context) -> Outcome:
        """Judge and record."""
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
        evidence = Evidence.of(
            run_id_of(context, self.task_id),
            objectives,
            run=run_facts(context),
            measurement=self.measurement,
            replication=replication,
            verification=verification,
            canary=self.canary,
            anchors=self._anchors(),
        )
        records, failed = self._store(evidence, places)
        uris = [uri for record in records for uri in (record.uri, record.page)]
        facts = {
            "verdict": str(evidence.verdict),
            "reason": self.measurement["reason"],
            "findings": list(evidence.findings),
            "rto_seconds": self.measurement["rto_seconds"],
            "rpo_seconds": self.measurement["rpo_seconds"],
            "evidence": uris,
            "records": [to_document(record) for record in records],
            "drill_id": evidence.drill_id,
            "replicas": [report["replica"] for report in verification],
            "rto_objective_seconds": objectives.rto.total_seconds(),
            "rpo_objective_seconds": objectives.rpo.total_seconds(),
        }
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
            verdict = f"the drill's verdict is {evidence.verdict}: {facts}"
            return Outcome(facts, AirflowFailException(verdict))
        # With a verdict that stands, a retry may still write it there.
        return Outcome(facts, failed)

    def _store(
        self, evidence: Evidence, places: Sequence[str]
    ) -> tuple[list[StoredRecord], CloudError | None]:
        """Write to every place that takes it: one that is out of reach costs no other."""
        records, failed = store_evidence(evidence, places, signing_conn_id=self.signing_conn_id)
        for uri, err in failed.items():
            self.log.warning("no evidence at %s: %s: %s", uri, err.kind, err)
        return records, next(iter(failed.values()), None)

    def _anchors(self) -> list[Anchor]:
        given = elements(self.anchors, "anchors", Mapping, what="anchors of ledgers")
        try:
            return [
                read_document(Anchor, one, what=f"anchors[{number}]")
                for number, one in enumerate(given)
            ]
        except CloudError as err:  # A template that is wrong stays wrong in the next try.
            raise StorageError(str(err), kind=ErrorKind.INVALID_ARGUMENT) from err


def _readable(seconds: float | None) -> str:
    return "none" if seconds is None else duration(seconds)
