"""Verify what is in a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud.api.database.verification import verify_database
from airflow_multicloud.core.database.given import check_not_nothing
from airflow_multicloud.core.database.verification import CheckOutcome, DatabaseVerification
from airflow_multicloud.documents import to_document
from airflow_multicloud.operators.base import CloudOperator, Outcome, failure_of
from airflow_multicloud.text import printable

if TYPE_CHECKING:
    from airflow.sdk import Context

_OPTIONAL = (
    *("restored", "host", "port", "conn_id", "database", "region", "schema"),
    *("restored_moment", "baseline", "record_to"),
)


class VerifyDatabaseOperator(CloudOperator):
    """Measure the tables of a database by SQL, and fail unless each is as it must be.

    The credentials, and the kind of hook, are those of ``sql_conn_id``; where the instance is may
    be said besides. That is one of: ``restored``; ``host`` and ``port``; ``conn_id`` and
    ``database``; or none of these, for the connection's own host. What was given and is nothing in
    the run is refused: another server than the one that is meant would be verified.

    A table that can't be measured costs itself: the others are measured all the same. The outcomes
    add up, and XCom has the report either way, under ``database_verification``. What failed its
    check fails the task for good; what could not be measured, and may be later, is left to its
    ``retries``.

    :param sql_conn_id: an Airflow connection of a database, which needs no more than to read.
    :param checks: what is expected of which table: a list of mappings of the fields of
        :class:`~airflow_multicloud.core.database.checks.TableCheck`.
    :param restored: what a ``RestoreDatabaseOperator`` returned: its ``output``.
    :param host: of the instance.
    :param port: of the same.
    :param conn_id: the connection of the cloud of ``database``.
    :param database: an instance, as its cloud writes it or by its name.
    :param region: in which it is; the connection's own when left out.
    :param schema: which of the server's databases; the connection's when left out.
    :param restored_moment: that ``max_age`` is counted from; of ``restored`` its own, which must be
        known then; else now.
    :param baseline: path or URI of what was measured before, by ``record_to``.
    :param record_to: path or URI where what is measured is written, once all checks have passed.
        With it, and without ``baseline``, what is expected to be as in a baseline is only recorded.
    :param statement_timeout: for each statement; PostgreSQL and MySQL are told.
    """

    template_fields: Sequence[str] = ("sql_conn_id", "checks", *_OPTIONAL)
    report_key: ClassVar[str | None] = "database_verification"

    def __init__(
        self,
        *,
        sql_conn_id: str,
        checks: Sequence[Mapping[str, Any]],
        restored: Mapping[str, Any] | None = None,
        host: str | None = None,
        port: int | str | None = None,
        conn_id: str | None = None,
        database: str | None = None,
        region: str | None = None,
        schema: str | None = None,
        restored_moment: datetime | str | None = None,
        baseline: str | None = None,
        record_to: str | None = None,
        statement_timeout: timedelta = timedelta(minutes=10),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sql_conn_id = sql_conn_id
        self.checks = checks
        self.restored = restored
        self.host = host
        self.port = port
        self.conn_id = conn_id
        self.database = database
        self.region = region
        self.schema = schema
        self.restored_moment = restored_moment
        self.baseline = baseline
        self.record_to = record_to
        self.statement_timeout = statement_timeout
        self._given = tuple(one for one in _OPTIONAL if getattr(self, one) is not None)

    def perform(self, context: Context) -> Outcome:
        """Verify."""
        for parameter in self._given:
            check_not_nothing(parameter, getattr(self, parameter))
        report = verify_database(
            self.sql_conn_id,
            self.checks,
            **{name: getattr(self, name) for name in self._given},
            statement_timeout=self.statement_timeout,
        )
        for one in report.results:
            bad = one.outcome in (CheckOutcome.FAILED, CheckOutcome.ERROR)
            (self.log.error if bad else self.log.info)("%s", one)
        counts = ", ".join(f"{n} {outcome}" for outcome, n in report.outcomes.items())
        self.log.info("%s:%s: %s", report.host, report.port, counts)
        return Outcome(to_document(report), _failure(report))


def _failure(report: DatabaseVerification) -> Exception | None:
    err = failure_of(report.raise_if_failed)
    if err is None or not report.failed:
        return err
    return AirflowFailException(printable(str(err)))  # A retry would find the same.
