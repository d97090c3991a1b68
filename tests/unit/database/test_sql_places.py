"""Where an instance is asked by SQL, when that is not what the connection says."""

from __future__ import annotations

import json

import pytest

from airflow_multicloud.errors import (
    CredentialsError,
    DatabaseError,
    ErrorKind,
    ProviderNotAvailableError,
)
from airflow_multicloud.opening.sql import open_sql
from airflow_multicloud.opening.sql_places import SqlPlace
from airflow_multicloud.registry import session

HOST = "shop.database.windows.net"


@pytest.fixture(params=["postgres"])
def sql_conn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    said = {"conn_type": request.param, "host": "elsewhere", "port": 1, "schema": "source"}
    monkeypatch.setenv("AIRFLOW_CONN_SQL", json.dumps(said))
    return "sql"


def test_an_instance_that_is_one_database_is_not_asked_for_another(sql_conn: str) -> None:
    """A restored one has the address of its source, whose database the connection names."""
    place = SqlPlace(HOST, 1433, "restored")
    with session():
        for schema in (None, "restored"):
            found = open_sql(sql_conn, place, schema)
            assert (found.host, found.port, found.schema) == (HOST, 1433, "restored")
        with pytest.raises(DatabaseError, match="schema: 'source'") as caught:
            open_sql(sql_conn, place, "source")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_one_that_is_a_server_is_asked_for_the_connections(sql_conn: str) -> None:
    with session():
        assert open_sql(sql_conn, SqlPlace(HOST, 1, None, "postgres"), None).schema == "source"
        assert open_sql(sql_conn, SqlPlace(HOST, 1), "other").schema == "other"


def test_a_connection_of_another_kind(sql_conn: str) -> None:
    with session(), pytest.raises(CredentialsError, match=r"sql_conn_id.*sqlserver") as caught:
        open_sql(sql_conn, SqlPlace(HOST, 1433, "restored", "sqlserver"), None)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize("name", ["PGHOSTADDR", "PGSERVICE"])
def test_an_environment_that_leads_elsewhere(
    sql_conn: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """libpq would ask another server, and verify that the source has what was restored."""
    monkeypatch.setenv(name, "127.0.0.1")
    with session():
        with pytest.raises(CredentialsError, match=f"{name}, .* than to {HOST}; start") as caught:
            open_sql(sql_conn, SqlPlace(HOST, 1), None)
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        assert open_sql(sql_conn, None, None).host == "elsewhere"
        monkeypatch.setenv(name, "")
        assert open_sql(sql_conn, SqlPlace(HOST, 1), None).host == HOST


def test_drivers_without_libpq_have_other_environments() -> None:
    SqlPlace(HOST, 1).check_environment("mssql", {"PGHOSTADDR": "127.0.0.1"})


@pytest.mark.parametrize("sql_conn", ["mssql"], indirect=True)
def test_a_provider_that_is_not_installed(sql_conn: str) -> None:
    """Microsoft's for SQL Server is nobody's dependency here."""
    with session(), pytest.raises(ProviderNotAvailableError, match=r"mssql.*install"):
        open_sql(sql_conn, SqlPlace(HOST, 1433, "restored", "sqlserver"), None)
