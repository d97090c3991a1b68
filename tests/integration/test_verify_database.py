"""Databases that really run, verified by SQL through Airflow's own hook for PostgreSQL."""

from __future__ import annotations

import json
import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud.api import (
    CheckOutcome,
    CloudError,
    DatabaseVerification,
    RestoredDatabase,
    verify_database,
)
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.operators.database import VerifyDatabaseOperator
from airflow_multicloud.ports.database import DatabaseEndpoint
from airflow_multicloud.registry import session
from airflow_multicloud.testing.local_clouds.kit.postgres.damage import Damage, damage
from airflow_multicloud.testing.local_clouds.kit.postgres.home import PostgresHome
from airflow_multicloud.testing.local_clouds.kit.postgres.instance import Instance, Login

from .airflow_runs import Bare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PORT = 40_640
CANARY = "c4n4ry-0f-a-passw0rd"
LOGIN = Login("shopkeeper", CANARY)
HOSTILE = 'we"ird; DROP TABLE orders --'
SQL = "sql_of_shop"
ALL: list[dict[str, Any]] = [
    {
        "table": "orders",
        "schema": "public",
        "rows": "baseline",
        "checksum": "baseline",
        "newest": "placed_at",
        "newest_at_least": "baseline",
    },
    {"table": HOSTILE, "schema": "public", "rows": "baseline"},
]


def ask(instance: Instance, *statements: str) -> None:
    with closing(
        psycopg2.connect(
            host=instance.endpoint.host,
            port=instance.endpoint.port,
            user=LOGIN.user,
            password=LOGIN.password,
            dbname="sales",
        )
    ) as connection:
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)


@pytest.fixture(scope="module")
def home() -> Iterator[PostgresHome]:
    with closing(PostgresHome(port=PORT)) as made:
        yield made


@pytest.fixture(scope="module")
def shop(home: PostgresHome) -> Instance:
    made = home.create("shop", LOGIN, ("sales",))
    quoted = HOSTILE.replace('"', '""')
    ask(
        made,
        "CREATE TABLE orders "
        "(id int PRIMARY KEY, note text, amount numeric, placed_at timestamptz)",
        "INSERT INTO orders SELECT n, nullif(repeat('x', n % 90), ''), n / 3.0, "
        "'2026-01-01 00:00:00+00'::timestamptz + n * interval '1 minute' "
        "FROM generate_series(1, 2000) n",
        f'CREATE TABLE "{quoted}" (n int)',
        f'INSERT INTO "{quoted}" VALUES (1), (1), (2)',
    )
    return made


@pytest.fixture
def sql(shop: Instance, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set the connection, whose own host is the shop; with more extra where that is given."""

    def connect(password: str = CANARY, **extra: str) -> None:
        connection = {
            "conn_type": "postgres",
            "host": shop.endpoint.host,
            "port": shop.endpoint.port,
            "login": LOGIN.user,
            "password": password,
            "schema": "sales",
            "extra": {"cursor": "dictcursor", "sslmode": "disable", **extra},
        }
        monkeypatch.setenv(f"AIRFLOW_CONN_{SQL.upper()}", json.dumps(connection))

    connect()
    return connect


def at(instance: Instance) -> dict[str, Any]:
    return {"host": instance.endpoint.host, "port": instance.endpoint.port}


def found(report: DatabaseVerification) -> dict[tuple[str, str], CheckOutcome]:
    return {(one.table, one.check): one.outcome for one in report.results}


@pytest.mark.usefixtures("sql")
def test_a_restored_backup_is_as_its_recorded_baseline(
    home: PostgresHome, shop: Instance, tmp_path: Path
) -> None:
    record = str(tmp_path / "before.json")
    recorded = verify_database(SQL, ALL, record_to=record)
    assert {*found(recorded).values()} == {CheckOutcome.RECORDED}
    assert (recorded.verified, recorded.recorded_to) == (False, record)
    recorded.raise_if_failed()
    backup = home.backup(shop, "nightly")
    restored = home.restore(backup, "restored")
    try:
        report = verify_database(SQL, ALL, baseline=record, **at(restored))
        assert report.verified, report
        assert report.outcomes == {"passed": 4, "failed": 0, "error": 0, "recorded": 0}
        assert (report.host, report.port) == (restored.endpoint.host, restored.endpoint.port)
        assert report.baseline is not None
        assert report.baseline.host == shop.endpoint.host
        # A value that changes is found, and a row that was only written again is not.
        ask(restored, "UPDATE orders SET note = note WHERE id = 7")
        assert verify_database(SQL, ALL, baseline=record, **at(restored)).verified
        ask(restored, "UPDATE orders SET note = '' WHERE note IS NULL AND id = 90")
        report = verify_database(SQL, ALL, baseline=record, **at(restored))
        failed = [key for key, one in found(report).items() if one is CheckOutcome.FAILED]
        assert failed == [("public.orders", "checksum")]
        with pytest.raises(DatabaseError, match=r"1 of 4 checks did not pass: public\.orders"):
            report.raise_if_failed()
    finally:
        home.delete(restored)


@pytest.mark.usefixtures("sql")
@pytest.mark.parametrize("how", list(Damage))
def test_a_damaged_backup_is_restored_and_red(
    home: PostgresHome, shop: Instance, how: Damage, tmp_path: Path
) -> None:
    record = str(tmp_path / "before.json")
    verify_database(SQL, ALL, record_to=record)
    backup = home.backup(shop, f"damaged {how}")
    damage(home, backup, "orders", how=how, database="sales")
    restored = home.restore(backup, f"restored {how}")
    try:
        context = Bare()
        operator = VerifyDatabaseOperator(
            task_id="verify", sql_conn_id=SQL, checks=ALL, baseline=record, **at(restored)
        )
        with pytest.raises((AirflowFailException, DatabaseError), match=r"public\.orders"):
            operator.execute(context)  # type: ignore[arg-type]
        report = context.pushed["database_verification"]
        outcomes = {(one["table"], one["check"]): one["outcome"] for one in report["results"]}
        assert report["verified"] is False
        assert outcomes["public.orders", "checksum"] in ("failed", "error")
        # The bad table costs itself.
        assert outcomes[f"public.{HOSTILE}", "rows"] == "passed"
        assert sum(report["outcomes"].values()) == report["checks"] == 4
    finally:
        home.delete(restored)


def test_a_checksum_does_not_depend_on_the_order(home: PostgresHome, sql: Any) -> None:
    made = home.create("ordered", LOGIN, ("sales",))
    sql()
    try:
        ask(
            made,
            "CREATE TABLE one (a int, b text)",
            "CREATE TABLE other (b text, a int)",
            "INSERT INTO one VALUES (1, 'x'), (2, NULL), (2, NULL)",
            "INSERT INTO other (a, b) VALUES (2, NULL), (1, 'x'), (2, NULL)",
        )
        checks = [
            {"table": one, "checksum": f"postgres-sha256:{0:032x}"} for one in ("one", "other")
        ]
        report = verify_database(SQL, checks, **at(made))
        first, second = (one.measured for one in report.results)
        assert first == second
        assert report.outcomes["failed"] == 2
        ask(made, "DELETE FROM other WHERE ctid = (SELECT min(ctid) FROM other)")
        again = verify_database(SQL, [{"table": "other", "checksum": first}], **at(made))
        assert not again.verified
    finally:
        home.delete(made)


@pytest.mark.usefixtures("sql")
def test_times_rows_and_ages() -> None:
    newest = datetime(2026, 1, 2, 9, 20, tzinfo=UTC)
    check = {"table": "orders", "newest": "placed_at"}
    for expected, more in (
        (True, {"rows": 2000}),
        (False, {"rows": 1999}),
        (True, {"rows": 1990, "rows_tolerance": 0.01}),
        (True, {"at_least_rows": 2000}),
        (False, {"at_least_rows": 2001}),
        (True, {**check, "newest_at_least": newest}),
        (False, {**check, "newest_at_least": newest + timedelta(seconds=1)}),
        (True, {**check, "max_age": timedelta(minutes=5)}),
        (False, {**check, "max_age": 200}),
    ):
        report = verify_database(
            SQL, [{"table": "orders", **more}], restored_moment=newest + timedelta(minutes=4)
        )
        assert report.verified is expected, report.results


@pytest.mark.usefixtures("sql")
def test_what_can_not_be_measured_is_no_success(shop: Instance) -> None:
    ask(shop, "CREATE OR REPLACE VIEW slow AS SELECT pg_sleep(20)::text AS n")
    report = verify_database(
        SQL,
        [
            {"table": "gone", "rows": 1},
            {"table": "slow", "rows": 1},
            {"table": "orders", "newest": "note", "newest_at_least": datetime.now(UTC)},
            {"table": "orders", "schema": "public", "checksum": "client-sha256:" + "0" * 64},
            {"table": HOSTILE, "schema": "public", "rows": 3},
        ],
        statement_timeout=timedelta(seconds=1),
    )
    kinds = [one.error_kind for one in report.results]
    assert kinds == [
        ErrorKind.NOT_FOUND,
        ErrorKind.TIMEOUT,
        ErrorKind.INVALID_ARGUMENT,
        ErrorKind.INVALID_ARGUMENT,
        None,
    ]
    assert report.outcomes == {"passed": 1, "failed": 0, "error": 4, "recorded": 0}


def test_no_password_is_shown(sql: Any, shop: Instance, caplog: pytest.LogCaptureFixture) -> None:
    sql(password="another-c4n4ry")
    with caplog.at_level("DEBUG"), session():
        report = verify_database(SQL, [{"table": "orders", "rows": 1}])
    (one,) = report.results
    assert one.error_kind is ErrorKind.UNAUTHENTICATED
    shown = f"{report} {caplog.text}"
    assert "c4n4ry" not in shown
    assert shop.endpoint.host in shown


def test_the_place_of_an_instance_is_asked_with_tls(
    sql: Any, shop: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless the connection says otherwise; this server has none."""
    check = [{"table": "orders", "rows": 2000}]
    assert verify_database(SQL, check, **at(shop)).verified
    given = json.loads(os.environ[f"AIRFLOW_CONN_{SQL.upper()}"])
    given["extra"].pop("sslmode")
    monkeypatch.setenv(f"AIRFLOW_CONN_{SQL.upper()}", json.dumps(given))
    (one,) = verify_database(SQL, check, **at(shop)).results
    assert one.outcome is CheckOutcome.ERROR
    assert "SSL" in str(one.why)
    assert verify_database(SQL, check).verified


@pytest.mark.parametrize("extra", ["hostaddr", "service", "host", "Port", "dbname", "user"])
def test_an_extra_that_leads_elsewhere_is_refused(sql: Any, shop: Instance, extra: str) -> None:
    sql(**{extra: "x"})
    with pytest.raises(CloudError, match=f"extra of connection .* has {extra}"):
        verify_database(SQL, [{"table": "orders", "rows": 2000}], **at(shop))


@pytest.mark.usefixtures("sql")
def test_a_restored_instance_is_where_it_says() -> None:
    restored = RestoredDatabase(
        conn_id="x", cloud="memory", id="y", name="z", region=None, account_id="a",
        engine="postgres", engine_version="18", endpoint=DatabaseEndpoint("127.0.0.1", 1),
        source="s", restored_moment=None, scratch=True, found=False, token="t",
    )  # fmt: skip
    report = verify_database(SQL, [{"table": "orders", "rows": 2000}], restored=restored)
    (one,) = report.results
    assert (one.outcome, one.error_kind) == (CheckOutcome.ERROR, ErrorKind.UNAVAILABLE)
    assert (report.host, report.port) == ("127.0.0.1", 1)
    aged: list[dict[str, Any]] = [{"table": "orders", "newest": "at", "max_age": 60}]
    with pytest.raises(DatabaseError, match="restored_moment: nothing given") as caught:
        verify_database(SQL, aged, restored=restored)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    report = verify_database(SQL, aged, restored=restored, restored_moment="2026-01-01T00:00:00Z")
    assert [one.error_kind for one in report.results] == [ErrorKind.UNAVAILABLE]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"checks": []}, "checks: .*nothing checked is nothing proven"),
        ({"checks": [{"table": "t"}]}, r"checks\[0\]: nothing is expected of t"),
        ({"checks": [{"table": "a.b", "rows": 1}]}, "a name without its schema"),
        ({"checks": [{"table": "t", "rows": "baseline"}]}, "baseline: not given"),
        ({"checks": [{"table": "t", "row": 1}]}, r"checks\[0\]: 'row' given, expected only"),
        ({"host": "h"}, "port: nothing given, expected it with host"),
        ({"host": "h", "port": "x"}, "port: 'x' given"),
        ({"database": "d"}, "conn_id: nothing given, expected it with database"),
        ({"restored": "{'id': 'x'}"}, "restored: .*not a template of text"),
        ({"host": "{{ params.nothing }}", "port": 1}, "host: "),
        ({"record_to": "/tmp/"}, "record_to: "),
        ({"schema": ""}, "schema: given, and nothing in this run"),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_before_any_call(given: dict[str, Any], said: str) -> None:
    operator = VerifyDatabaseOperator(
        task_id="verify",
        **{"sql_conn_id": "there_is_none", "checks": [{"table": "t", "rows": 1}], **given},
    )
    with pytest.raises(AirflowFailException, match=said):
        operator.execute(Bare())  # type: ignore[arg-type]
