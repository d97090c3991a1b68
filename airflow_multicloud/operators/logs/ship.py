"""Ship records to the logs of several clouds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_multicloud.core.logs.shipping import ShipReport
from airflow_multicloud.core.success import Ratios
from airflow_multicloud.documents import to_document
from airflow_multicloud.opening.logs import Given, shipped
from airflow_multicloud.operators.base import CloudOperator, Outcome, failure_of
from airflow_multicloud.operators.given import given_or_none
from airflow_multicloud.operators.run_ids import started_at
from airflow_multicloud.operators.settled import remember_settled, settled_before
from airflow_multicloud.ports.logs import Severity

if TYPE_CHECKING:
    from airflow.sdk import Context


class ShipLogsOperator(CloudOperator):
    """Write records to the logs of several clouds at once, and account for each of them.

    Returns the report, which is in XCom under ``logs_report`` also when the task fails: for each
    destination ``given = accepted + rejected + unknown + dropped``, with reasons.

    The order of records is kept. Each entry has the attributes ``airflow.dag_id``,
    ``airflow.task_id``, ``airflow.run_id`` and, in a mapped task, ``airflow.map_index``, and an
    insert id that is the same in every try of the task. What a cloud accepted in an earlier try is
    not sent again where Airflow can remember that (3.3 and later).

    A parameter that may be left out is left out when its template renders to nothing, also to the
    text ``None``.

    :param destinations: connection ids, each once.
    :param log_name: the log that is written to: letters, digits, ``.``, ``_``, ``/`` and ``-``.
    :param records: objects with ``message`` and, if wanted, ``time`` (ISO 8601 with its offset),
        ``severity``, ``correlation_id`` and ``attributes``.
    :param source: instead of records, a file's path or an object's URI whose lines are records; it
        is read in pieces.
    :param source_format: ``json`` (a JSON object in each line) or ``text`` (a message in each);
        by default ``json`` for names that end with ``.json``, ``.jsonl`` or ``.ndjson``.
    :param on_invalid: ``fail``: nothing is sent if any destination can't take a record; ``drop``:
        such records are counted as dropped.
    :param min_success_ratio: which share must be accepted, from 0 to 1: of each destination, or by
        connection id. A retry is made where it can help. With 0 a destination that can't be used
        fails the task nevertheless.
    :param severity: of records that have none.
    :param correlation_id: of records that have none; the current trace's id by default.
    :param start: the time of the first record, for those that have none: each is a microsecond
        after the one before it. The start of the DAG run by default.
    """

    template_fields: Sequence[str] = (
        "destinations",
        "log_name",
        "records",
        "source",
        "source_format",
        "on_invalid",
        "min_success_ratio",
        "severity",
        "correlation_id",
        "start",
    )
    report_key: ClassVar[str | None] = "logs_report"

    def __init__(
        self,
        *,
        destinations: Sequence[str],
        log_name: str,
        records: Sequence[Mapping[str, Any]] | None = None,
        source: str | None = None,
        source_format: str | None = None,
        on_invalid: str = "fail",
        min_success_ratio: Ratios = 1.0,
        severity: str = "INFO",
        correlation_id: str | None = None,
        start: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.destinations = destinations
        self.log_name = log_name
        self.records = records
        self.source = source
        self.source_format = source_format
        self.on_invalid = on_invalid
        self.min_success_ratio = min_success_ratio
        self.severity = severity
        self.correlation_id = correlation_id
        self.start = start

    def perform(self, context: Context) -> Outcome:
        """Ship."""
        given = Given(
            records=given_or_none(self.records),
            source=given_or_none(self.source),
            source_format=given_or_none(self.source_format),
            on_invalid=self.on_invalid,
            min_success_ratio=self.min_success_ratio,
            severity=given_or_none(self.severity) or Severity.INFO,
            correlation_id=given_or_none(self.correlation_id),
            start=given_or_none(self.start) or started_at(context),
        )
        key = f"multicloud logs settled {self.log_name}"
        settled = settled_before(self, context, key)
        try:
            report = shipped(self.destinations, self.log_name, given, settled=settled)
        finally:  # Also when the task is stopped.
            remember_settled(context, key, settled)
        self._tell(report)
        return Outcome(to_document(report), failure_of(report.raise_if_failed))

    def _tell(self, report: ShipReport) -> None:
        if not any(one.given for one in report.destinations):
            self.log.warning("there were no records to ship")
        for one in report.destinations:
            tell = self.log.info if one.succeeded else self.log.error
            tell("%s", one)
            for refusal in one.refusals:
                self.log.warning("%s: %d %s: %s: %s (such as %s)", one.conn_id, refusal.count,
                                 refusal.outcome.value, refusal.kind.value, refusal.reason,
                                 ", ".join(refusal.samples) or "all")  # fmt: skip
            for lost in one.conversions:
                self.log.info("%s: %d %s: %s", one.conn_id, lost.count, lost.what.value,
                              lost.detail)  # fmt: skip
