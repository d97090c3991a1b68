"""Keep the secrets of several clouds equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_multicloud.core.secret_sync.report import SyncReport
from airflow_multicloud.documents import to_document
from airflow_multicloud.opening.secrets import GivenSync, sync_secrets
from airflow_multicloud.operators.base import CloudOperator, Outcome, failure_of
from airflow_multicloud.operators.given import given_or_none

if TYPE_CHECKING:
    from airflow.sdk import Context


class SyncSecretsOperator(CloudOperator):
    """Make secrets of other stores equal to those of a source, and write only what differs.

    Values are compared without being shown: by a digest under a key of this run, which is in no
    report. Returns the report, which is in XCom under ``secrets_report`` also when the task fails:
    for each destination what became of every secret, and findings. What is known of the secrets is
    what their clouds say now; so runs that overlap, are retried, cleared, mapped or killed leave
    them right.

    A parameter that may be left out is left out when its template renders to nothing, also to the
    text ``None``.

    :param source: connection id of the store that is copied.
    :param destinations: connection ids of others, each once; each must lead to a store of its own.
    :param names: which secrets.
    :param prefix: instead of names: all secrets of the source whose names begin so.
    :param on_conflict: where a destination has a value that somebody else wrote, or was removed:
        ``fail`` leaves it, and fails the task after all others were done; ``keep`` leaves it, and
        tells of it; ``overwrite`` replaces it.
    :param deletion_policy: ``retain``, or ``remove``: a copy that this operator made is removed,
        so that it can be recovered, when its secret is gone at the source. That is done last,
        and only if nothing failed.
    :param max_replace: how many values may be replaced at all destinations together; when there
        would be more, nothing is written. Creating is not bounded.
    :param max_remove: how many copies may be removed, likewise.
    :param preserve_tags: whether the source's tags are kept equal, too. Tags that only a
        destination has stay.
    :param accounts: connection id → the store it must lead to: its full name, or only its account,
        project or vault. Nothing is read when one leads elsewhere.
    :param dry_run: only tell what would be done.
    :param workers: how many secrets are looked at or written at the same time, at each destination.
    """

    template_fields: Sequence[str] = (
        "source",
        "destinations",
        "names",
        "prefix",
        "on_conflict",
        "deletion_policy",
        "max_replace",
        "max_remove",
        "accounts",
    )
    report_key: ClassVar[str | None] = "secrets_report"

    def __init__(
        self,
        *,
        source: str,
        destinations: Sequence[str],
        names: Sequence[str] | None = None,
        prefix: str | None = None,
        on_conflict: str = "fail",
        deletion_policy: str = "retain",
        max_replace: int = 10,
        max_remove: int = 10,
        preserve_tags: bool = True,
        accounts: Mapping[str, str] | None = None,
        dry_run: bool = False,
        workers: int = 8,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.destinations = destinations
        self.names = names
        self.prefix = prefix
        self.on_conflict = on_conflict
        self.deletion_policy = deletion_policy
        self.max_replace = max_replace
        self.max_remove = max_remove
        self.preserve_tags = preserve_tags
        self.accounts = accounts
        # Not "dry_run": that is a method of Airflow's base class.
        self.only_plan = dry_run
        self.workers = workers

    def perform(self, context: Context) -> Outcome:
        """Synchronise."""
        report = sync_secrets(
            GivenSync(
                source=self.source,
                destinations=self.destinations,
                names=given_or_none(self.names),
                prefix=given_or_none(self.prefix),
                on_conflict=self.on_conflict,
                deletion_policy=self.deletion_policy,
                preserve_tags=self.preserve_tags,
                dry_run=self.only_plan,
                accounts=given_or_none(self.accounts),
                numbers={
                    "max_replace": self.max_replace,
                    "max_remove": self.max_remove,
                    "workers": self.workers,
                },
            )
        )
        self._tell(report)
        failure = failure_of(report.raise_if_failed)
        return Outcome(to_document(report), failure, is_plan=self.only_plan)

    def _tell(self, report: SyncReport) -> None:
        if report.dry_run:
            self.log.info("nothing was written; this is what would be done")
        for one in report.destinations:
            fine = not one.failed and not one.conflict and one.error is None
            tell = self.log.info if fine else self.log.error
            tell("%s", one)
        for change in report.changes:
            self.log.info("%s: %s: %s", change.conn_id, change.name, change.outcome.value)
        for finding in report.findings:
            self.log.warning("%s", finding)
