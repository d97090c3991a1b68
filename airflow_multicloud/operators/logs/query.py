"""One table of what several clouds' logs have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.logs import (
    DEFAULT_LIMIT,
    LogQueryResult,
    QueryFailedError,
    query_logs,
)
from airflow_multicloud.core.logs.querying import Completeness
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import ErrorKind, LogsError
from airflow_multicloud.opening.logs import whole_number
from airflow_multicloud.operators.base import CloudOperator, Outcome
from airflow_multicloud.operators.given import given_or_none

if TYPE_CHECKING:
    from airflow.sdk import Context

#: What XCom gets at most; larger tables go to a destination.
MOST_ROWS = 10_000
MOST_CHARACTERS = 1 << 20

#: Where XCom has the result without its rows, whether the task fails or not.
REPORT = "logs_report"


class QueryLogsOperator(CloudOperator):
    """One table of what several clouds have in a log, in the order of time.

    Returns the rows and, of each connection, whether all it has is in the table: ``complete``,
    ``truncated`` (by ``limit``, or by the million characters that XCom gets), ``partial`` (the
    cloud says that entries may be missing) or ``failed``. The same without the rows is in XCom
    under ``logs_report``, also when the task fails. With a destination, the rows are written
    there, and not returned.

    A parameter that may be left out is left out when its template renders to nothing, also to the
    text ``None``.

    :param connections: connection ids, each once.
    :param log_name: the log, as it was written to.
    :param since: the first moment, ISO 8601 with its offset; or give ``window``.
    :param until: the moment after the last; now by default.
    :param window: so long before ``until``, in seconds.
    :param text: a part of the message; upper and lower case differ.
    :param severity: the least: ``TRACE``, ``DEBUG``, ``INFO``, ``WARN``, ``ERROR`` or ``FATAL``.
    :param correlation_id: exactly.
    :param limit: rows at most, the earliest ones: 1,000 by default and 10,000 at most; all by
        default where there is a destination.
    :param destination: a file's path or an object's URI for the rows: JSON lines (``.jsonl``,
        ``.ndjson``) or CSV (``.csv``). It is written whole, or not at all.
    :param min_clouds: how many connections must answer for the task to succeed; all by default.
    """

    template_fields: Sequence[str] = (
        "connections",
        "log_name",
        "since",
        "until",
        "window",
        "text",
        "severity",
        "correlation_id",
        "limit",
        "destination",
        "min_clouds",
    )

    def __init__(
        self,
        *,
        connections: Sequence[str],
        log_name: str,
        since: str | None = None,
        until: str | None = None,
        window: float | str | None = None,
        text: str | None = None,
        severity: str | None = None,
        correlation_id: str | None = None,
        limit: int | str | None = None,
        destination: str | None = None,
        min_clouds: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.connections = connections
        self.log_name = log_name
        self.since = since
        self.until = until
        self.window = window
        self.text = text
        self.severity = severity
        self.correlation_id = correlation_id
        self.limit = limit
        self.destination = destination
        self.min_clouds = min_clouds

    def perform(self, context: Context) -> Outcome:
        """Ask."""
        failure: QueryFailedError | None = None
        destination = given_or_none(self.destination)
        try:
            result = query_logs(
                self.connections,
                self.log_name,
                since=given_or_none(self.since),
                until=given_or_none(self.until),
                window=given_or_none(self.window),
                text=given_or_none(self.text),
                severity=given_or_none(self.severity),
                correlation_id=given_or_none(self.correlation_id),
                limit=self._limit(whole=destination is not None),
                characters=None if destination else MOST_CHARACTERS,
                destination=destination,
                min_clouds=given_or_none(self.min_clouds),
            )
        except QueryFailedError as err:
            failure, result = err, err.result
        self._tell(result)
        facts = to_document(result)
        report = {name: value for name, value in facts.items() if name != "rows"}
        context["ti"].xcom_push(key=REPORT, value=report)
        return Outcome(report if destination else facts, failure)

    def _limit(self, *, whole: bool) -> int | None:
        """Rows at most.

        :param whole: whether there may be any number of them.
        """
        given = given_or_none(self.limit)
        if given is None and whole:
            return None
        limit = whole_number("limit", given, DEFAULT_LIMIT)
        if limit > MOST_ROWS and not whole:
            raise LogsError(
                f"limit: {limit} given, expected at most {MOST_ROWS} rows; give a destination for "
                "more",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        return limit

    def _tell(self, result: LogQueryResult) -> None:
        for one in result.connections:
            complete = one.completeness is Completeness.COMPLETE
            tell = self.log.info if complete else self.log.warning
            tell("%s: %d rows, %s", one.conn_id, one.rows, one.completeness.value)
            if one.error is not None:
                self.log.warning("%s: %s: %s", one.conn_id, one.error_kind, one.error)
            for note in one.notes:
                self.log.warning("%s: %s", one.conn_id, note)
        if result.destination:
            self.log.info("%d rows are at %s", result.count, result.destination)
