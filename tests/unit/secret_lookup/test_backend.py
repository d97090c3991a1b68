"""The secrets backend, as Airflow calls it, over stores of the memory cloud."""

from __future__ import annotations

import logging
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import BaseHook
from airflow.sdk.definitions.connection import Connection
from airflow.sdk.exceptions import AirflowSecretsBackendAccessDenied

from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.get_provider_info import get_provider_info
from airflow_multicloud.opening import secret_lookup
from airflow_multicloud.ports.secrets import SecretState
from airflow_multicloud.secrets_backend import MultiCloudSecretsBackend
from airflow_multicloud.testing.memory_cloud import secrets
from airflow_multicloud.testing.memory_cloud.secrets import secrets_of
from airflow_multicloud.testing.memory_cloud.secrets.space import NAMES
from airflow_multicloud.testing.secret_faults import SecretCall, SecretFault, SecretFaultKind
from tests.unit.secret_lookup.waiting import let_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ONE, TWO = "memory_first", "memory_second"
CANARY = "cAnArYpass"


@pytest.fixture(autouse=True)
def _stores(memory_account: Callable[[str, str], str]) -> Iterator[None]:
    secrets.reset()
    secret_lookup._SHARED.clear()
    for conn_id in (ONE, TWO):
        memory_account(conn_id, "lab")
    yield
    let_end()
    secrets.reset()


def _backend(**options: Any) -> MultiCloudSecretsBackend:
    made = MultiCloudSecretsBackend(**{"stores": [ONE, TWO], "hedge_after": 5.0, **options})
    made._set_connection_class(Connection)  # type: ignore[no-untyped-call]
    return made


def _write(conn_id: str, name: str, value: str | bytes) -> None:
    content = value.encode() if isinstance(value, str) else value
    secrets_of(conn_id).write(NAMES.encode(name), content)


def _refuse(conn_id: str, error: ErrorKind = ErrorKind.UNAVAILABLE, times: int = 9) -> None:
    fault = SecretFault(kind=SecretFaultKind.REFUSE, call=SecretCall.READ, error=error, times=times)
    secrets_of(conn_id).faults.plant([fault])


def _asked() -> int:
    let_end()
    return secrets_of(ONE).asked + secrets_of(TWO).asked


def test_connections_variables_and_config_are_looked_up() -> None:
    _write(ONE, "airflow/connections/db", f"postgres://me:{CANARY}@host/base")
    _write(TWO, "airflow/connections/json", f'{{"conn_type": "http", "password": "{CANARY}"}}')
    _write(TWO, "airflow/variables/Region x", "eu")
    _write(ONE, "airflow/config/conn", "sqlite://")
    backend = _backend()
    found = backend.get_connection("db")
    assert (found.conn_type, found.password, found.host) == ("postgres", CANARY, "host")
    assert backend.get_connection("json").password == CANARY
    assert backend.get_variable("Region x") == "eu"
    assert backend.get_config("conn") == "sqlite://"
    assert backend.get_connection("nothing") is None
    assert backend.get_variable("nothing") is None


def test_prefixes_are_changed_and_switched_off() -> None:
    _write(ONE, "db", "http://plain")
    _write(ONE, "mine/vars/x", "1")
    backend = _backend(connections_prefix="", variables_prefix="mine/vars/", config_prefix=None)
    assert backend.get_connection("db").host == "plain"
    assert backend.get_variable("x") == "1"
    before = _asked()
    assert backend.get_config("x") is None
    assert _backend(connections_prefix=None).get_conn_value("db") is None
    assert _asked() == before


def test_what_the_stores_are_reached_by_is_never_looked_up_in_them() -> None:
    _write(ONE, f"airflow/connections/{TWO}", "http://elsewhere")
    assert _backend().get_conn_value(TWO) is None
    assert _asked() == 0


def test_lookups_within_a_lookup_fall_through(monkeypatch: pytest.MonkeyPatch) -> None:
    _write(ONE, "airflow/variables/x", "1")
    backend = _backend(stores=[ONE])
    inner: list[object] = []
    read = secrets.Hook.read_secret

    def reading(self: Any, name: str, version: str | None = None) -> Any:
        inner.append(backend.get_variable("another"))
        inner.append(backend.get_connection("another"))
        return read(self, name, version)

    monkeypatch.setattr(secrets.Hook, "read_secret", reading)
    assert backend.get_variable("x") == "1"
    assert inner == [None, None]


def test_connections_of_stores_come_from_the_environment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(f"AIRFLOW_CONN_{ONE.upper()}")
    monkeypatch.setattr(BaseHook, "get_connection", lambda _: pytest.fail("it was asked for"))
    with pytest.raises(SecretsError, match=f"{ONE} gave no answer"):
        _backend(stores=[ONE]).get_config("x")


def test_silence_is_told_and_kept_from_nobody(caplog: pytest.LogCaptureFixture) -> None:
    _write(ONE, "airflow/variables/x", "1")
    _refuse(ONE, times=1)
    backend = _backend()
    assert backend.get_variable("x") is None
    assert f"no store has given it, {ONE} gave no answer" in caplog.text
    assert backend.get_variable("x") == "1"


@pytest.mark.parametrize("state", [SecretState.DISABLED, SecretState.REMOVED])
def test_a_secret_that_is_withheld_is_not_taken_for_absent(
    state: SecretState, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("airflow/variables/x", "airflow/config/conn"):
        _write(ONE, name, "1")
        hook = secrets.Hook(ONE)
        current = hook.read_secret(name).version
        if state is SecretState.REMOVED:
            hook.remove_secret(name, version=current.id)
        else:
            hook.disable_secret_version(name, current.id)
    backend = _backend()
    assert backend.get_variable("x") is None
    assert f"no store has given it, {ONE} had it and did not give it out" in caplog.text
    with pytest.raises(SecretsError, match="had it and did not give it out"):
        backend.get_config("conn")
    # Nothing of that is kept, and another store's value counts.
    _write(TWO, "airflow/variables/x", "2")
    assert backend.get_variable("x") == "2"


def test_config_that_may_be_in_a_silent_store_is_an_error() -> None:
    _refuse(ONE)
    with pytest.raises(SecretsError, match="gave no answer") as err:
        _backend().get_config("sql_alchemy_conn")
    assert err.value.kind is ErrorKind.UNAVAILABLE
    _write(TWO, "airflow/config/sql_alchemy_conn", "sqlite://")
    assert _backend().get_config("sql_alchemy_conn") == "sqlite://"


def test_a_malformed_connection_is_told_without_its_value(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    _write(ONE, "airflow/connections/bad", f'{{"password": "{CANARY}"')
    with pytest.raises(SecretsError, match="neither a URI nor JSON") as err:
        _backend().get_connection("bad")
    assert err.value.__cause__ is None
    assert err.value.__context__ is None
    assert CANARY not in str(err.value) + caplog.text
    # Airflow's own log of it is for debugging only.
    assert str(err.value) in caplog.text
    for blank in ("  ", "\n"):
        _write(ONE, "airflow/connections/blank", blank)
        assert _backend().get_connection("blank") is None


def test_bytes_that_are_no_text_are_no_value(caplog: pytest.LogCaptureFixture) -> None:
    _write(ONE, "airflow/variables/x", b"\xff\xfe")
    assert _backend().get_variable("x") is None
    assert "its value is not text" in caplog.text


def test_teams_have_their_own_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__MULTI_TEAM", "True")
    _write(ONE, "airflow/variables/x", "all")
    _write(TWO, "airflow/variables/blue--x", "blue")
    backend = _backend()
    assert backend.get_variable("x", team_name="blue") == "blue"
    assert backend.get_variable("x", team_name="red") == "all"
    assert backend.get_variable("x") == "all"
    # Another team's, by a name that is built of both.
    assert backend.get_variable("blue--x") is None
    assert backend.get_variable("blue--x", team_name="red") is None
    monkeypatch.setenv("AIRFLOW__CORE__MULTI_TEAM", "False")
    assert _backend().get_variable("blue--x") == "blue"


def test_an_answer_is_kept_for_a_while() -> None:
    _write(ONE, "airflow/variables/x", "1")
    backend = _backend()
    backend.get_variable("x")
    before = _asked()
    assert backend.get_variable("x") == "1"
    # Airflow makes a new one for each option of its configuration.
    assert _backend().get_variable("x") == "1"
    assert _asked() == before


def test_another_process_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    _write(ONE, "airflow/variables/x", "1")
    backend = _backend(stores=[ONE])
    backend.get_variable("x")
    monkeypatch.setattr("os.getpid", lambda: -1)
    before = _asked()
    assert backend.get_variable("x") == "1"
    assert _asked() == before + 1


@pytest.mark.parametrize("what", ["connection", "variable", "config"])
def test_refusal_of_a_disagreement_is_logged_and_names_stores_only(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    _write(ONE, f"airflow/{what}s/x".replace("configs", "config"), CANARY)
    _write(TWO, f"airflow/{what}s/x".replace("configs", "config"), "other")
    backend = _backend(on_disagreement="refuse")
    asks: dict[str, Callable[[], object]] = {
        "connection": lambda: backend.get_connection("x"),
        "variable": lambda: backend.get_variable("x"),
        "config": lambda: backend.get_config("x"),
    }
    with pytest.raises(SecretsError, match=f"{ONE} .*{TWO}") as err:
        asks[what]()
    assert err.value.kind is ErrorKind.INTEGRITY
    # Airflow asks no other backend after this one; an option is an error of the configuration.
    assert isinstance(err.value, AirflowSecretsBackendAccessDenied) is (what != "config")
    assert pickle.loads(pickle.dumps(err.value)).kind is ErrorKind.INTEGRITY
    (told,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert told.getMessage() == str(err.value)
    assert CANARY not in str(err.value) + caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stores": []}, "stores: an empty list given"),
        ({"stores": [ONE, ONE]}, "stores: .* expected each connection once"),
        ({"variables_prefix": 5}, "variables_prefix: 5 given"),
        ({"on_disagreement": "x"}, "on_disagreement: 'x' given, expected one of first, newest"),
        ({"timeout": "soon"}, "timeout: 'soon' given"),
    ],
)
def test_what_is_wrong_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SecretsError, match=message):
        _backend(**options)


def test_numbers_and_stores_may_be_texts_of_the_environment() -> None:
    _write(TWO, "airflow/variables/x", "1")
    backend = _backend(stores=f'["{ONE}", "{TWO}"]', timeout="5", cache_size="3", retry_after="0.5")
    assert backend.get_variable("x") == "1"


def test_airflow_knows_it() -> None:
    (path,) = get_provider_info()["secrets-backends"]
    kind = MultiCloudSecretsBackend
    assert path == f"{kind.__module__}.{kind.__qualname__}"
