"""What a driver's error may show: neither passwords nor tokens, however deep they are."""

from __future__ import annotations

import json
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.postgres.hooks.postgres import PostgresHook

from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.opening.sql import open_sql
from airflow_multicloud.opening.sql_places import SqlPlace
from airflow_multicloud.opening.sql_secrets import scrub

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD, KEY_PASSWORD, TOKEN = "p4ssw0rd/with+more", "k3y-p4ssw0rd", "t0ken?X-Amz-x=1&y=2"
CONN = "told"


class Error(Exception):
    """As drivers have it (PEP 249)."""


class OperationalError(Error):
    """Likewise."""


@pytest.fixture
def masked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    found: list[bytes] = []
    monkeypatch.setattr("airflow_multicloud.opening.sql_secrets.mask_value", found.append)
    return found


def connection(monkeypatch: pytest.MonkeyPatch, **extra: Any) -> None:
    given = {
        "conn_type": "postgres",
        "host": "shop",
        "port": 5432,
        "login": "reader",
        "password": PASSWORD,
        "extra": {"sslpassword": KEY_PASSWORD, **extra},
    }
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONN.upper()}", json.dumps(given))


def chain(err: BaseException | None) -> Iterator[BaseException]:
    while err is not None:
        yield err
        err = err.__cause__ or err.__context__


def test_no_error_shows_a_secret(monkeypatch: pytest.MonkeyPatch, masked: list[bytes]) -> None:
    connection(monkeypatch, iam=True)

    def refuse(_hook: Any, arguments: dict[str, Any]) -> Any:
        assert arguments["password"] == TOKEN
        err = OperationalError(f"{TOKEN} of {arguments['user']}: {PASSWORD}", 7)
        raise err from ValueError(f"{json.dumps(PASSWORD)} and {KEY_PASSWORD}")

    monkeypatch.setattr(PostgresHook, "get_iam_token", lambda *_: ("reader", TOKEN, 5432))
    monkeypatch.setattr(PostgresHook, "_create_connection", refuse)
    sql = open_sql(CONN, SqlPlace("restored", 1), None)
    with pytest.raises(DatabaseError) as caught, sql.transaction(()):
        pytest.fail("there is no connection")
    errors = [*chain(caught.value)]
    assert [type(one).__name__ for one in errors] == [
        "DatabaseError",
        "OperationalError",
        "ValueError",
    ]
    shown = "".join(f"{one} {one!r} {one.args}" for one in errors)
    shown += "".join(traceback.format_exception(caught.value))
    shown += repr(pickle.dumps(caught.value)) + repr(sql)
    for secret in (PASSWORD, KEY_PASSWORD, TOKEN):
        assert secret not in shown
    assert "*** of reader: ***" in str(caught.value)
    assert masked == [TOKEN.encode()]


def test_nothing_beside_an_error_shows_a_secret() -> None:
    def first() -> ValueError:
        err = ValueError({"dsn": [f"password={PASSWORD}"], TOKEN: {KEY_PASSWORD}})
        err.add_note(f"while asked with {TOKEN}")
        return err

    caught: OperationalError | None = None
    try:
        try:
            raise first()
        except ValueError:
            cause = TypeError("why", (b"\xff" + PASSWORD.encode(), bytearray(TOKEN.encode())))
            cause.__context__ = first()
            raise OperationalError(18456, ((PASSWORD,),)) from cause
    except OperationalError as err:
        caught = err
    assert caught is not None
    cause.__context__.__context__ = caught  # Errors may be in a circle.
    scrub(caught, [PASSWORD, KEY_PASSWORD, TOKEN])
    assert caught.args == (18456, (("***",),))
    assert cause.args == ("why", (b"\xff***", b"***"))
    for one in (caught.__context__, cause.__context__):
        assert isinstance(one, ValueError)
        assert one.args == ({"dsn": ["password=***"], "***": ("***",)},)
        assert one.__notes__ == ["while asked with ***"]


def test_an_error_of_no_driver_is_passed_on_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    connection(monkeypatch)

    def refuse(_hook: Any, arguments: dict[str, Any]) -> Any:
        raise TypeError(f"invalid: {arguments['password']}")

    monkeypatch.setattr(PostgresHook, "_create_connection", refuse)
    sql = open_sql(CONN, None, None)
    with pytest.raises(TypeError, match=r"invalid: \*\*\*"), sql.transaction(()):
        pytest.fail("there is no connection")


@pytest.mark.parametrize(
    ("place", "said", "expected"),
    [
        (SqlPlace("restored", 1), {}, "require"),
        (SqlPlace("restored", 1), {"sslmode": "verify-full"}, "verify-full"),
        (SqlPlace("restored", 1), {"sslmode": "disable"}, "disable"),
        (None, {}, None),
    ],
)
def test_an_instance_that_is_elsewhere_is_asked_with_tls(
    monkeypatch: pytest.MonkeyPatch,
    place: SqlPlace | None,
    said: dict[str, str],
    expected: str | None,
) -> None:
    connection(monkeypatch, **said)
    got: list[dict[str, Any]] = []

    def note(_hook: Any, arguments: dict[str, Any]) -> Any:
        got.append(arguments)
        raise OperationalError("noted")

    monkeypatch.setattr(PostgresHook, "_create_connection", note)
    with pytest.raises(DatabaseError), open_sql(CONN, place, None).transaction(()):
        pytest.fail("there is no connection")
    assert got[0].get("sslmode") == expected
