"""Prove a replica against its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud.api.object_store.replicas import verify_replica
from airflow_multicloud.core.replication.verification import Depth, VerificationReport
from airflow_multicloud.documents import to_document
from airflow_multicloud.operators.base import CloudOperator, Outcome
from airflow_multicloud.text import printable

if TYPE_CHECKING:
    from airflow.sdk import Context


class VerifyReplicaOperator(CloudOperator):
    """Prove a replica, naming exactly the objects that are damaged or missing.

    Returns the counts of findings and up to a hundred names; they are in XCom under ``report``
    also when the task fails.

    :param replica: URI of the prefix or object that was replicated to.
    :param depth: ``checksums`` (as the store reports them), ``auto`` (and reading where it
        reports none) or ``read`` (every byte).
    :param run_id: verify against this run's manifest instead of the latest.
    :param fail: fail the task when anything is not proven.
    """

    template_fields: Sequence[str] = ("replica", "run_id")
    report_key = "report"

    def __init__(
        self,
        *,
        replica: str,
        depth: str = Depth.AUTO,
        run_id: str | None = None,
        fail: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.replica = replica
        if depth not in tuple(Depth):
            allowed = ", ".join(Depth)
            raise ValueError(f"depth: {depth!r} given, expected one of {allowed}")
        self.depth = depth
        self.run_id = run_id
        self.fail = fail

    def perform(self, context: Context) -> Outcome:
        """Verify."""
        report = verify_replica(self.replica, depth=Depth(self.depth), run_id=self.run_id)
        for found in report.found:
            self.log.error("%s", found)
        counts = ", ".join(f"{n} {finding}" for finding, n in report.findings.items())
        self.log.info("%s: %s; root %s", report.replica, counts, report.root)
        wrong = None
        if self.fail and not report.proven:
            wrong = AirflowFailException(_summary(report))  # A retry would find the same.
        return Outcome(to_document(report), wrong)


def _summary(report: VerificationReport) -> str:
    named = "; ".join(str(found) for found in report.found[:5])
    bad = f"{report.unproven} of {report.objects} objects are not proven"
    return printable(f"{report.replica}: {bad}: {named}")
