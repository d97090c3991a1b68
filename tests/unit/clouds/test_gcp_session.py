"""A Google connection is read once, and its token and clients are shared, as long as one works."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import BaseHook

from airflow_multicloud.adapters import connections
from airflow_multicloud.clouds.gcp.cost import GCPCostHook
from airflow_multicloud.clouds.gcp.identity import GCPIdentityHook
from airflow_multicloud.clouds.gcp.object_store import GCSObjectStoreHook
from airflow_multicloud.clouds.gcp.session import Session
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.identity import Principal
from tests.integration.answering import EMAIL, Answer, Asked, answering, service_account

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = {"content-type": "application/json"}


def google(asked: Asked) -> Answer:
    if asked.path == "/token":
        token = b'{"access_token": "granted", "expires_in": 3600, "token_type": "Bearer"}'
        return Answer(token, headers=JSON)
    return Answer(b"{}", headers=JSON)


def connect(patch: pytest.MonkeyPatch, **extra: Any) -> str:
    value = {"conn_type": "google_cloud_platform", "extra": {"num_retries": 0, **extra}}
    patch.setenv("AIRFLOW_CONN_GCP_SESSION", json.dumps(value))
    return "gcp_session"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The connections that Airflow was asked for."""
    asked: list[str] = []
    read: Callable[[str], Any] = BaseHook.get_connection

    def counted(_: type, conn_id: str) -> Any:
        asked.append(conn_id)
        return read(conn_id)

    monkeypatch.setattr(BaseHook, "get_connection", classmethod(counted))
    return asked


def test_a_task_reads_a_connection_once_and_has_one_token(
    monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    with answering(google) as server, connections.session():
        endpoints = {f"{name}.endpoint": server.url for name in ("gcs", "cloudbilling")}
        key = json.dumps(service_account(f"{server.url}/token"))
        conn_id = connect(monkeypatch, keyfile_dict=key, **endpoints)
        identity = GCPIdentityHook(conn_id)
        store, same_place = GCSObjectStoreHook(conn_id), GCSObjectStoreHook(conn_id)
        costs = GCPCostHook(conn_id)

        def work(_: int) -> None:
            assert list(store.list_objects("bucket")) == []
            assert list(same_place.list_objects("bucket")) == []

        assert identity.who_am_i() == Principal("project-of-key", EMAIL)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: copy_context().run(work, n), range(16)))
        assert (
            list(costs._rest("cloudbilling", "https://unused.example").items("/x", "x", {})) == []
        )
        assert store.get_credentials() is costs.get_credentials()
        assert store._api is same_place._api
    assert reads == [conn_id]
    assert [a.path for a in server.asked].count("/token") == 1


def test_the_storage_interface_is_looked_up_once_by_a_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    store = GCSObjectStoreHook(connect(monkeypatch, is_anonymous=True, project="p"))
    api = store._api

    def looked_up(*_: object) -> object:
        raise AssertionError("the session is asked again, under its lock")

    monkeypatch.setattr(store._session, "client", looked_up)
    assert store._api is api


def test_each_location_of_a_session_has_its_own_bigquery_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    conn_id = connect(monkeypatch, is_anonymous=True, project="p")
    with connections.session():
        hooks = [GCPCostHook(conn_id, location=place) for place in ("EU", "US", "EU")]
        eu, us, same = (hook._export("project-of-test/d/t")._client for hook in hooks)
    assert (eu.location, us.location) == ("EU", "US")
    assert same is eu


def test_a_changed_connection_is_seen_by_the_next_session(
    monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    found = []
    for project in ("one", "two"):
        conn_id = connect(monkeypatch, is_anonymous=True, project=project)
        with connections.session():
            found.append(GCSObjectStoreHook(conn_id).project_id)
    connect(monkeypatch, is_anonymous=True, project="three")
    found.append(GCSObjectStoreHook("gcp_session").project_id)  # in no session at all
    assert found == ["one", "two", "three"]
    assert reads == ["gcp_session"] * 3


def test_who_acts_as_somebody_else_has_another_session(monkeypatch: pytest.MonkeyPatch) -> None:
    conn_id = connect(monkeypatch, is_anonymous=True)
    with connections.session():
        own = GCSObjectStoreHook(conn_id)
        acting = GCSObjectStoreHook(conn_id, impersonation_chain="robot@p.example")
        assert own._session is GCPIdentityHook(conn_id)._session
        assert own._session is not acting._session


def test_one_client_for_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(GCPIdentityHook(connect(monkeypatch, is_anonymous=True)))
    made = []

    def make() -> object:
        made.append(object())
        return made[-1]

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: session.client("x", make), range(200)))
    assert found == made * 200


def test_a_client_that_was_not_made_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(GCPIdentityHook(connect(monkeypatch, is_anonymous=True)))

    def fail() -> object:
        raise OSError("not now")

    with pytest.raises(OSError, match="not now"):
        session.client("x", fail)
    assert session.client("x", lambda: 5) == 5


def test_extras_are_checked_before_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = GCPIdentityHook(connect(monkeypatch, **{"gcs.endpoint": "storage.example"}))
    session = Session(hook)
    for use in (
        lambda: session.credentials,
        lambda: session.endpoint_of("gcs"),
        lambda: session.retries,
    ):
        with pytest.raises(CredentialsError, match=r"extra gcs\.endpoint") as caught:
            use()
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize("project", [5, True, ["local"], "a/b", "x" * 3000])
def test_a_project_that_is_none(monkeypatch: pytest.MonkeyPatch, project: object) -> None:
    session = Session(GCPIdentityHook(connect(monkeypatch, project=project, is_anonymous=True)))
    with pytest.raises(CredentialsError, match="extra project") as caught:
        _ = session.needed_project
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert len(str(caught.value)) < 200


def test_a_project_that_is_none_in_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    key = {**service_account("http://127.0.0.1:1/token"), "project_id": 5}
    session = Session(GCPIdentityHook(connect(monkeypatch, keyfile_dict=json.dumps(key))))
    with pytest.raises(CredentialsError, match="project that its key names"):
        _ = session.needed_project


def test_a_host_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = {"logging.endpoint": f"http://{'x' * 3000}"}
    with pytest.raises(CredentialsError, match=r"extra logging\.endpoint") as caught:
        _ = Session(GCPIdentityHook(connect(monkeypatch, **endpoint))).endpoint_of("logging")
    assert len(str(caught.value)) < 200
