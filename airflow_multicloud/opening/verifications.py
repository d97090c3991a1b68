"""Verifications of databases: tables measured and compared, baselines read and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.database.baselines import (
    LIMIT,
    Baseline,
    read_baseline,
    write_baseline,
)
from airflow_multicloud.core.database.checks import TableCheck
from airflow_multicloud.core.database.comparing import Expectations, compared
from airflow_multicloud.core.database.measuring import MeasuredTable, measure_all
from airflow_multicloud.core.database.sql import SqlDatabase
from airflow_multicloud.core.database.verification import (
    BaselineOrigin,
    CheckOutcome,
    CheckResult,
    DatabaseVerification,
)
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.opening.databases import open_databases
from airflow_multicloud.opening.places import check_place, read_place, stage_place
from airflow_multicloud.opening.sql import open_sql
from airflow_multicloud.opening.sql_places import SqlPlace
from airflow_multicloud.ports.database import DatabaseRef


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationWish:
    """A verification as it is asked for.

    :param place: of the instance; where the connection says for ``None``.
    :param schema: which of the server's databases.
    :param restored_moment: that ages are counted from; now for ``None``.
    :param baseline: path or URI of what was measured before.
    :param record_to: path or URI for what is measured now.
    :param statement_timeout: for each statement, where the database can be told.
    """

    sql_conn_id: str
    place: SqlPlace | None
    schema: str | None
    checks: tuple[TableCheck, ...]
    restored_moment: datetime | None = None
    baseline: str | None = None
    record_to: str | None = None
    statement_timeout: timedelta = timedelta(minutes=10)

    def at(self, place: SqlPlace) -> VerificationWish:
        """The same for an instance that is there."""
        return replace(self, place=place)

    def check(self) -> None:
        """Refuse what can't be, before anything is asked of anybody.

        :raises CloudError: ``invalid_argument``.
        """
        wanting = [one.name for one in self.checks if one.wants_baseline]
        if wanting and self.baseline is None and self.record_to is None:
            raise DatabaseError(
                f"baseline: not given, and the checks of {', '.join(wanting)} expect one; give it, "
                "or record_to to make one",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        if self.record_to is not None:
            if self.record_to == self.baseline:
                raise DatabaseError(
                    f"record_to: {self.record_to!r} given, expected another place than baseline",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )
            check_place("record_to", self.record_to, error=DatabaseError)


def place_of(conn_id: str, ref: DatabaseRef) -> SqlPlace:
    """Where an instance answers SQL, as its cloud says.

    :raises DatabaseError: ``precondition_failed`` when it has no endpoint.
    """
    instance = open_databases(conn_id).service.describe_database(ref)
    if instance.endpoint is None:
        raise DatabaseError(
            f"database: {instance.ref.id} is {instance.state} and has no endpoint",
            kind=ErrorKind.PRECONDITION_FAILED,
        )
    at = instance.endpoint
    return SqlPlace(at.host, at.port, at.database, instance.engine)


def verify(wish: VerificationWish) -> DatabaseVerification:
    """Measure, compare, and record where that was asked for and everything was measured.

    :raises CloudError: before anything is measured. What is not as it must be is in the result.
    """
    wish.check()
    before = _baseline(wish.baseline)
    database = open_sql(wish.sql_conn_id, wish.place, wish.schema)
    started_at = datetime.now(UTC)
    against = Expectations(
        baseline=before,
        restored_moment=wish.restored_moment,
        recording=wish.record_to is not None,
    )
    tables: list[MeasuredTable] = []
    results: list[CheckResult] = []
    for one in measure_all(database, wish.checks, wish.statement_timeout):
        cancellation.check()
        results += compared(one, against)
        if one.table is not None:
            tables.append(one.table)
    bad = any(r.outcome in (CheckOutcome.FAILED, CheckOutcome.ERROR) for r in results)
    recorded_to = None if bad else wish.record_to
    if recorded_to is not None:
        _record(recorded_to, database, started_at, tables)
    return DatabaseVerification(
        sql_conn_id=wish.sql_conn_id,
        host=database.host,
        port=database.port,
        database=database.schema,
        engine=database.dialect,
        restored_moment=wish.restored_moment,
        started_at=started_at,
        ended_at=datetime.now(UTC),
        results=tuple(results),
        baseline=_origin(wish.baseline, before),
        recorded_to=recorded_to,
    )


def _baseline(place: str | None) -> Baseline | None:
    if place is None:
        return None
    return read_baseline(read_place("baseline", _where(place), LIMIT, error=DatabaseError), place)


def _origin(place: str | None, baseline: Baseline | None) -> BaselineOrigin | None:
    if place is None or baseline is None:
        return None
    return BaselineOrigin(place=place, measured_at=baseline.measured_at, host=baseline.host)


def _record(
    place: str, database: SqlDatabase, measured_at: datetime, tables: Sequence[MeasuredTable]
) -> None:
    content = write_baseline(
        Baseline(
            measured_at=measured_at,
            host=database.host,
            port=database.port,
            database=database.schema,
            engine=database.dialect,
            tables=tuple(tables),
        )
    )
    stage_place("record_to", _where(place), [content]).commit()


def _where(place: str) -> str | Path:
    return place if "://" in place else Path(place)
