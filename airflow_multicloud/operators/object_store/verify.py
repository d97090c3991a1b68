"""Prove a replica against its ledger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud.api.object_store.replicas import verify_replica
from airflow_multicloud.core.ledger.memory import Remembered
from airflow_multicloud.core.replication.verification import Depth, VerificationReport
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.links.pages import REPORT_LINKS
from airflow_multicloud.operators.base import CloudOperator, Outcome
from airflow_multicloud.operators.remembered import remembered
from airflow_multicloud.text import given_text, printable

if TYPE_CHECKING:
    from airflow.sdk import Context


class VerifyReplicaOperator(CloudOperator):
    """Prove a replica, naming exactly the objects that are damaged or missing.

    Returns the counts of findings and up to a hundred names; they are in XCom under ``report``
    also when the task fails.

    :param replica: URI of the prefix or object that was replicated to.
    :param depth: ``checksums`` (as the store reports them), ``auto`` (and reading where it
        reports none) or ``read`` (every byte).
    :param run_id: verify against the state at this run's last commit instead of the newest.
    :param expected_root: a ``ledger_root`` that was reported earlier: the newest commit must have
        it; with ``at_least_commit``, that commit, which may be an earlier one.
    :param at_least_commit: the newest commit must have this number or a greater one.
    :param siblings: URIs of other replicas, whose ledgers must not contradict this one.
    :param public_keys: the path of a file of Ed25519 public keys in PEM, of which one must have
        signed the newest commit.
    :param use_remembered: hold the ledger against what Airflow remembers of it: what a replication
        has told the assets that are this task's inlets or outlets. It is not asked where
        ``expected_root`` or ``at_least_commit`` is given.
    :param fail: fail the task when anything is not proven.
    """

    template_fields: Sequence[str] = (
        "replica",
        "run_id",
        "expected_root",
        "at_least_commit",
        "siblings",
        "public_keys",
    )
    report_key = "report"
    labelled_by = ("replica",)
    operator_extra_links = REPORT_LINKS

    def __init__(
        self,
        *,
        replica: str,
        depth: str = Depth.AUTO,
        run_id: str | None = None,
        expected_root: str | None = None,
        at_least_commit: int | str | None = None,
        siblings: Sequence[str] = (),
        public_keys: str | None = None,
        use_remembered: bool = True,
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
        self.expected_root = expected_root
        self.at_least_commit = at_least_commit
        self.siblings = siblings
        self.public_keys = public_keys
        self.use_remembered = use_remembered
        self.fail = fail

    def perform(self, context: Context) -> Outcome:
        """Verify."""
        memory = self._memory(context)
        report = verify_replica(
            self.replica,
            depth=Depth(self.depth),
            run_id=self.run_id,
            expected_root=self.expected_root,
            at_least_commit=_number(self.at_least_commit),
            siblings=self.siblings,
            public_keys=Path(self.public_keys) if self.public_keys else None,
            remembered=memory,
        )
        if memory and report.commit > memory.commit:
            self.log.info("the ledger has gone on since: %d commits", report.commit - memory.commit)
        for found in report.found:
            self.log.error("%s", found)
        for sentence in report.contradictions:
            self.log.error("contradicted: %s", sentence)
        for sentence in report.not_compared:
            self.log.warning("not compared: %s", sentence)
        for key in report.signed_by:
            self.log.info("the newest commit is signed by the key %s", key)
        counts = ", ".join(f"{n} {finding}" for finding, n in report.findings.items())
        self.log.info(
            "%s: %s; ledger commit %s of root %s",
            report.replica,
            counts,
            report.commit,
            report.ledger_root,
        )
        wrong = None
        if self.fail and not report.proven:
            wrong = AirflowFailException(_summary(report))  # A retry would find the same.
        return Outcome(to_document(report), wrong)

    def _memory(self, context: Context) -> Remembered | None:
        if not self.use_remembered or self.expected_root or self.at_least_commit:
            return None
        return next(iter(remembered(self, context, [self.replica]).values()), None)


def _summary(report: VerificationReport) -> str:
    named = "; ".join(str(found) for found in report.found[:5])
    bad = [f"{report.unproven} of {report.objects} objects are not proven: {named}"]
    unfinished = [report.unfinished] if report.unfinished else []
    bad = [*(bad if report.unproven else []), *unfinished, *report.contradictions]
    return printable(f"{report.replica}: {'; '.join(bad)}")


def _number(given: int | str | None) -> int | None:
    """A number as a template gives it; nothing for a template of nothing."""
    if given is None or isinstance(given, int):
        return given
    if given in ("", "None"):
        return None
    try:
        return int(given)
    except ValueError as err:
        raise StorageError(
            f"at_least_commit: {given_text(given)} given, expected the number of a commit",
            kind=ErrorKind.INVALID_ARGUMENT,
        ) from err
