"""One connection is read once, and what is made of it is kept."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from airflow.sdk import BaseHook

from airflow_multicloud import registry
from airflow_multicloud.clouds.azure.cost import CostManagementHook
from airflow_multicloud.clouds.azure.identity import AzureIdentityHook
from airflow_multicloud.clouds.azure.object_store import BlobObjectStoreHook
from airflow_multicloud.clouds.azure.session import Session
from airflow_multicloud.errors import CredentialsError
from airflow_multicloud.ports.cost import Cost
from airflow_multicloud.ports.identity import Identity
from airflow_multicloud.ports.object_store import ObjectStore

STORAGE = {"conn_type": "wasb", "login": "account", "password": "a2V5"}
APPLICATION = {
    "conn_type": "wasb",
    "login": "application",
    "password": "secret",
    "host": "account.blob.core.windows.net",
    "extra": {"tenant_id": "tenant", "subscriptionId": "subscription"},
}
AZURE = {"conn_type": "azure", "login": "application", "password": "secret"}
AZURE_EXTRA = {"tenantId": "tenant", "subscriptionId": "subscription"}


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The connections that Airflow was asked for, in order."""
    asked: list[str] = []
    ask = BaseHook.get_connection

    def counted(cls: type[BaseHook], conn_id: str) -> Any:
        asked.append(conn_id)
        return ask(conn_id)

    monkeypatch.setattr(BaseHook, "get_connection", classmethod(counted))
    return asked


def connect(monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any]) -> str:
    monkeypatch.setenv("AIRFLOW_CONN_AZURE_READ", json.dumps(connection))
    return "azure_read"


@pytest.mark.parametrize(
    ("hook", "connection"),
    [
        (BlobObjectStoreHook, STORAGE),
        (BlobObjectStoreHook, APPLICATION),
        (AzureIdentityHook, STORAGE),
        (CostManagementHook, {**AZURE, "extra": AZURE_EXTRA}),
        # The bill's hook and the store that its exports lie in.
        (CostManagementHook, STORAGE),
        (CostManagementHook, APPLICATION),
    ],
)
def test_a_connection_is_read_once(
    hook: type, connection: dict[str, Any], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    conn_id = connect(monkeypatch, connection)
    hook(conn_id)
    assert reads == [conn_id]


def test_two_hooks_share_the_account(reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    conn_id = connect(monkeypatch, STORAGE)
    session = Session(conn_id)
    first = BlobObjectStoreHook(conn_id, session=session)
    second = BlobObjectStoreHook(conn_id, session=session)
    assert first.account is second.account
    assert reads == [conn_id]


def test_an_application_is_one_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(connect(monkeypatch, APPLICATION))
    manager = session.resource_manager
    assert manager.credential is session.storage_account.service.credential
    assert session.resource_manager is manager


def test_tokens_do_not_fill_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The SDK writes a line for each, at INFO; who asks for those gets them."""
    tokens = logging.getLogger("azure.identity")
    monkeypatch.setattr(tokens, "level", logging.NOTSET)
    caplog.set_level(logging.DEBUG)
    Session(connect(monkeypatch, STORAGE))
    assert tokens.isEnabledFor(logging.DEBUG)
    caplog.set_level(logging.INFO)
    Session(connect(monkeypatch, STORAGE))
    assert not tokens.isEnabledFor(logging.INFO)
    tokens.setLevel(logging.INFO)
    Session(connect(monkeypatch, STORAGE))
    assert tokens.isEnabledFor(logging.INFO)


def test_threads_get_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(connect(monkeypatch, STORAGE))
    together, made = Barrier(8), list[object]()

    def make() -> object:
        made.append(object())
        return made[-1]

    def ask(_: int) -> object:
        together.wait()
        return session.client("any", make)

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(ask, range(8)))
    assert found == set(made)
    assert len(made) == 1


def test_what_could_not_be_made_is_made_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(connect(monkeypatch, STORAGE))
    with pytest.raises(ZeroDivisionError):
        session.client("any", lambda: 1 // 0)
    assert session.client("any", lambda: 7) == 7


def test_clients_of_two_services_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(connect(monkeypatch, STORAGE))
    assert [session.client("a", lambda: 1), session.client("b", lambda: 2)] == [1, 2]


def test_a_connection_of_another_type_has_no_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(connect(monkeypatch, {**AZURE, "extra": AZURE_EXTRA}))
    assert not session.is_storage
    with pytest.raises(CredentialsError, match="has type 'azure'"):
        _ = session.storage_account


def test_a_user_can_not_switch_redirects_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another host would get the request, with its signature."""
    given: dict[str, Any] = {}
    connection = {**STORAGE, "extra": {"permit_redirects": True, "retry_total": 3}}
    session = Session(connect(monkeypatch, connection))

    from airflow.providers.microsoft.azure.hooks import wasb

    made = wasb.BlobServiceClient

    def keeping(*args: Any, **options: Any) -> Any:
        given.update(options)
        return made(*args, **options)

    monkeypatch.setattr(wasb, "BlobServiceClient", keeping)
    _ = session.storage_account
    assert given["permit_redirects"] is False
    assert given["retry_total"] == 3


def test_a_tasks_hooks_share_one_session(reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    conn_id = connect(monkeypatch, APPLICATION)
    with registry.session():
        store = registry.resolve(ObjectStore, conn_id)
        cost = registry.resolve(Cost, conn_id)
        identity = registry.resolve(Identity, conn_id)
    assert reads == [conn_id]
    assert store.account is cost._exports.account is identity.account  # type: ignore[attr-defined]
    with registry.session():
        assert registry.resolve(ObjectStore, conn_id) is not store
    assert reads == [conn_id] * 2


def test_without_a_session_each_hook_reads_its_connection_once(
    reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    conn_id = connect(monkeypatch, STORAGE)
    first, second = (registry.resolve(ObjectStore, conn_id) for _ in range(2))
    assert first is not second
    assert reads == [conn_id] * 2
