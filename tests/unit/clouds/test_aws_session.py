"""A connection is read once, and its clients are kept, whatever is asked and from which thread."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from airflow.sdk import BaseHook

from airflow_multicloud.adapters.connections import session
from airflow_multicloud.clouds.aws.cost import CostExplorerHook
from airflow_multicloud.clouds.aws.identity import StsIdentityHook
from airflow_multicloud.clouds.aws.object_store import S3ObjectStoreHook
from airflow_multicloud.clouds.aws.session import Session
from airflow_multicloud.errors import CredentialsError, ErrorKind


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each connection was read."""
    counted: Counter[str] = Counter()
    read = BaseHook.get_connection.__func__

    def counting(cls: type[BaseHook], conn_id: str) -> Any:
        counted[conn_id] += 1
        return read(cls, conn_id)

    monkeypatch.setattr(BaseHook, "get_connection", classmethod(counting))
    return counted


def connect(monkeypatch: pytest.MonkeyPatch, **extra: object) -> str:
    connection = {
        "conn_type": "aws",
        "login": "key",
        "password": "secret",
        "extra": {"region_name": "eu-central-1", **extra},
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_ONCE", json.dumps(connection))
    return "aws_once"


def test_hooks_of_a_task_share_one_session(
    monkeypatch: pytest.MonkeyPatch, reads: Counter[str]
) -> None:
    conn_id = connect(monkeypatch)
    with session():
        costs, store = CostExplorerHook(conn_id), S3ObjectStoreHook(conn_id)
        identity = StsIdentityHook(conn_id)
        costs._service("ce")
        exports: Any = costs._exports
        assert exports._s3 is store._s3
        assert store._s3.client.meta.region_name == "eu-central-1"
        clients = [hook._session.client("sts") for hook in (costs, store, identity)]
        assert len(set(map(id, clients))) == 1
        assert reads == {conn_id: 1}
        elsewhere = S3ObjectStoreHook(conn_id, region_name="us-west-2")
        assert elsewhere._s3.client.meta.region_name == "us-west-2"
        assert elsewhere._s3 is not store._s3
    assert reads == {conn_id: 1}
    connect(monkeypatch, region_name="eu-west-3")
    assert StsIdentityHook(conn_id)._session.region == "eu-west-3"


def test_a_cost_hook_and_its_exports_read_their_connection_once(
    monkeypatch: pytest.MonkeyPatch, reads: Counter[str]
) -> None:
    costs = CostExplorerHook(connect(monkeypatch))
    costs._service("ce")
    costs._service("pricing")
    exports: Any = costs._exports
    assert isinstance(exports, S3ObjectStoreHook)
    assert exports._s3.client.meta.region_name == "eu-central-1"
    assert reads == {"aws_once": 1}


def test_making_a_hook_reads_the_connection_at_once(
    monkeypatch: pytest.MonkeyPatch, reads: Counter[str]
) -> None:
    """Later, the thread may be one that can't ask Airflow."""
    conn_id = connect(monkeypatch)
    for number, hook in enumerate((CostExplorerHook, S3ObjectStoreHook, StsIdentityHook), start=1):
        hook(conn_id)
        assert reads == {conn_id: number}


def test_clients_are_made_once_for_each_region(
    monkeypatch: pytest.MonkeyPatch, reads: Counter[str]
) -> None:
    session = CostExplorerHook(connect(monkeypatch))._session
    with ThreadPoolExecutor(8) as pool:
        clients = list(pool.map(session.client, ["logs"] * 16))
    assert len(set(map(id, clients))) == 1
    other = session.client("logs", region="us-west-2")
    assert other is not clients[0]
    assert other.meta.region_name == "us-west-2"
    assert session.new_client("logs") is not clients[0]
    assert reads == {"aws_once": 1}


def test_threads_open_one_connection_to_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = S3ObjectStoreHook(connect(monkeypatch))
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: hook._s3, range(16)))
    assert len(set(map(id, opened))) == 1


def test_each_service_has_its_own_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"logs": {"endpoint_url": "http://127.0.0.1:1"}}
    session = CostExplorerHook(connect(monkeypatch, service_config=places))._session
    assert session.client("logs").meta.endpoint_url == "http://127.0.0.1:1"
    assert session.endpoint_url("ce") is None


def test_an_empty_region_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forms have empty fields; nothing could be signed for it."""
    conn_id = connect(monkeypatch, region_name="")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    assert StsIdentityHook(conn_id)._session.client("logs").meta.region_name == "eu-west-3"


@pytest.mark.parametrize("name", ["region_name", "aws_session_token"])
@pytest.mark.parametrize("hook", [CostExplorerHook, S3ObjectStoreHook, StsIdentityHook])
def test_a_control_character_is_refused_by_every_service(
    monkeypatch: pytest.MonkeyPatch, hook: type[Any], name: str
) -> None:
    with pytest.raises(CredentialsError, match=f"{name} has a control character") as caught:
        hook(connect(monkeypatch, **{name: "secret\n"}))
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert "secret" not in str(caught.value)


def test_an_extra_of_another_form_is_the_connections_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    conn_id = connect(monkeypatch, config_kwargs="canary")
    with pytest.raises(CredentialsError, match="'aws_once' can't be used") as caught:
        CostExplorerHook(conn_id)._service("ce")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert "canary" not in str(caught.value)


def open_client(hook: Any) -> None:
    if isinstance(hook, S3ObjectStoreHook):
        assert hook._s3
    elif isinstance(hook, CostExplorerHook):
        assert hook._service("ce")
    else:
        assert hook._session.client("sts")


@pytest.mark.parametrize("hook", [CostExplorerHook, S3ObjectStoreHook, StsIdentityHook])
@pytest.mark.parametrize(
    "extra",
    [
        {"config_kwargs": {"user_agent_extra": 5}},
        {"config_kwargs": {"user_agent_extra": ["canary"]}},
        {"config_kwargs": {"retries": {"canary": 1}}},
        {"config_kwargs": {"retries": {"mode": "canary"}}},
        {"config_kwargs": {"s3": {"addressing_style": "canary"}}},
        {"config_kwargs": {"canary": 1}},
        {"service_config": "canary"},
        {"region_name": ["canary"]},
    ],
    ids=str,
)
def test_an_extra_of_another_form_is_so_for_every_service(
    monkeypatch: pytest.MonkeyPatch, hook: Any, extra: dict[str, object]
) -> None:
    conn_id = connect(monkeypatch, **extra)
    with pytest.raises(CredentialsError, match="'aws_once' can't be used") as caught:
        open_client(hook(conn_id))
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert "canary" not in str(caught.value)


def test_a_wrong_extra_for_s3_is_found_while_the_cost_hook_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(CredentialsError) as caught:
        CostExplorerHook(connect(monkeypatch, expected_bucket_owner=5))
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_s3_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request goes through it."""
    hook = S3ObjectStoreHook(connect(monkeypatch))
    first = hook._s3
    monkeypatch.setattr(hook._session, "once", None)
    assert hook._s3 is first


def test_the_environment_and_the_profile_are_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile plain]\nretry_mode = adaptive\nca_bundle = /bundle.pem\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    connect(monkeypatch)
    assert CostExplorerHook("aws_once")._session.configured("ca_bundle") is None
    connect(monkeypatch, profile_name="plain")
    session = CostExplorerHook("aws_once")._session
    assert session.configured("ca_bundle") == "/bundle.pem"
    assert session.client("ce").meta.config.retries["mode"] == "adaptive"
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")
    assert Session(CostExplorerHook("aws_once")).configured("retry_mode") == "standard"
