"""Whether a database holds what it must."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from airflow_multicloud.core.database.checks import TableCheck, read_checks
from airflow_multicloud.core.database.given import duration, line, moment, reference, refused
from airflow_multicloud.core.database.restores import RestoredDatabase
from airflow_multicloud.core.database.verification import DatabaseVerification
from airflow_multicloud.core.telemetry import noted, operation
from airflow_multicloud.documents import read_document
from airflow_multicloud.errors import CloudError, DatabaseError, ErrorKind
from airflow_multicloud.opening.sql_places import SqlPlace
from airflow_multicloud.opening.verifications import VerificationWish, place_of, verify
from airflow_multicloud.registry import session

_MOST_PORT = 65535


@session()
@operation("database.verify")
def verify_database(
    sql_conn_id: str,
    checks: Sequence[TableCheck | Mapping[str, Any]],
    *,
    restored: RestoredDatabase | Mapping[str, Any] | None = None,
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
) -> DatabaseVerification:
    """Measure the tables of a database by SQL, and compare them with what is expected.

    The credentials, and the kind of hook, are those of ``sql_conn_id``. The instance is one of:
    ``restored``; ``host`` and ``port``; ``conn_id`` and ``database``; else the connection's own.

    :param sql_conn_id: an Airflow connection of a database.
    :param checks: what is expected of which table.
    :param restored: what :func:`restore_database` gave.
    :param host: of the instance.
    :param port: of the same.
    :param conn_id: the connection of the cloud of ``database``.
    :param database: an instance, as its cloud writes it or by its name.
    :param region: in which it is; the connection's own when left out.
    :param schema: which of the server's databases; the connection's when left out.
    :param restored_moment: that ``max_age`` is counted from; of ``restored`` its own, which must be
        known then; else now.
    :param baseline: path or URI of what was measured before.
    :param record_to: path or URI where what is measured is written, once all checks have passed.
    :param statement_timeout: for each statement; PostgreSQL and MySQL are told.
    :raises CloudError: before anything is measured. What is not as it must be is in the result, and
        its ``raise_if_failed`` raises for it.
    """
    line("sql_conn_id", sql_conn_id, what="the id of a connection")
    wanted = read_checks(checks)
    known = None if restored is None else _restored(restored)
    _check_place(known, host, port, conn_id, database)
    wish = VerificationWish(
        sql_conn_id=sql_conn_id,
        place=_given_place(known, host, port),
        schema=None if schema is None else line("schema", schema),
        checks=wanted,
        restored_moment=_moment(restored_moment, known, wanted),
        baseline=None if baseline is None else line("baseline", str(baseline)),
        record_to=None if record_to is None else line("record_to", str(record_to)),
        statement_timeout=duration(
            "statement_timeout", statement_timeout, least=timedelta(seconds=1)
        ),
    )
    wish.check()
    if database is not None and conn_id is not None:
        wish = wish.at(place_of(conn_id, reference("database", database, region)))
    report = verify(wish)
    with noted():
        report.raise_if_failed()
    return report


def _restored(given: RestoredDatabase | Mapping[str, Any]) -> RestoredDatabase:
    if isinstance(given, RestoredDatabase):
        return given
    if not isinstance(given, Mapping):
        raise refused(
            "restored", type(given).__name__,
            "what RestoreDatabaseOperator returned: its output, not a template of text",
        )  # fmt: skip
    try:
        return read_document(RestoredDatabase, given, what="restored")
    except CloudError as err:
        raise DatabaseError(str(err), kind=ErrorKind.INVALID_ARGUMENT) from err


def _check_place(
    restored: RestoredDatabase | None,
    host: str | None,
    port: int | str | None,
    conn_id: str | None,
    database: str | None,
) -> None:
    ways = [
        name
        for name, given in (("restored", restored), ("host", host), ("database", database))
        if given is not None
    ]
    if len(ways) > 1:
        raise refused(", ".join(ways), "more than one", "one place to verify")
    pairs = (("host", host, "port", port), ("database", database, "conn_id", conn_id))
    for one, first, other, second in pairs:
        if first is None and second is not None:
            raise refused(one, None, f"it with {other}")
        if second is None and first is not None:
            raise refused(other, None, f"it with {one}")


def _given_place(
    restored: RestoredDatabase | None, host: str | None, port: int | str | None
) -> SqlPlace | None:
    if restored is not None:
        if restored.endpoint is None:
            raise refused("restored", restored.id, "an instance with an endpoint")
        at = restored.endpoint
        return SqlPlace(at.host, at.port, at.database, restored.engine)
    if host is None:
        return None
    text = str(port)
    if not text.isdecimal() or not 0 < int(text) <= _MOST_PORT:
        raise refused("port", port, f"a number from 1 to {_MOST_PORT}")
    return SqlPlace(line("host", host), int(text))


def _moment(
    given: datetime | str | None, restored: RestoredDatabase | None, checks: Sequence[TableCheck]
) -> datetime | None:
    if given is not None:
        return moment("restored_moment", given)
    if restored is None:
        return None
    if restored.restored_moment is None and any(one.max_age is not None for one in checks):
        raise refused(
            "restored_moment", None,
            f"the moment that {restored.id} holds: it is not known, and max_age is counted from it",
        )  # fmt: skip
    return restored.restored_moment
