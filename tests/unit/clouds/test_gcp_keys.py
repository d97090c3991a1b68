"""Keys that are no keys: one clear error, whichever hook reads them."""

from __future__ import annotations

import json
import traceback
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.clouds.gcp.cost import GCPCostHook
from airflow_multicloud.clouds.gcp.identity import GCPIdentityHook
from airflow_multicloud.clouds.gcp.object_store import GCSObjectStoreHook
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.object_store import ObjectRef
from tests.integration.answering import service_account

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CANARY = "planted-5d1f"
KEY = {"type": "service_account", "client_email": "a@b", "token_uri": "http://127.0.0.1:1/"}

CALLS: dict[str, Callable[[], object]] = {
    "object_store": lambda: GCSObjectStoreHook("gcp_wrong").stat_object(ObjectRef("b", "k")),
    "identity": lambda: GCPIdentityHook("gcp_wrong").who_am_i(),
    "cost": lambda: GCPCostHook("gcp_wrong").list_recommendations(),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"key_path": "/no/such/key.json"}, "'/no/such/key.json'"),
        ({"key_path": "{garbage}"}, "Expecting value"),
        ({"keyfile_dict": f"{CANARY} is no JSON"}, "Invalid key JSON"),
        ({"keyfile_dict": KEY}, "no field 'private_key'"),
        ({"keyfile_dict": KEY | {"private_key": CANARY}}, "PEM"),
        ({"keyfile_dict": KEY, "key_path": "/x.json"}, "mutually exclusive"),
    ],
    ids=["no file", "no JSON", "no JSON inline", "no private key", "no PEM", "two keys"],
)
def test_a_wrong_key_is_said_and_not_shown(
    call: str, extra: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    garbage = tmp_path / "garbage.json"
    garbage.write_text(CANARY)
    if extra.get("key_path") == "{garbage}":
        extra = {"key_path": str(garbage)}
    connection = {"conn_type": "google_cloud_platform", "extra": {"project": "p", **extra}}
    monkeypatch.setenv("AIRFLOW_CONN_GCP_WRONG", json.dumps(connection))
    with pytest.raises(CredentialsError) as caught:
        CALLS[call]()
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert str(caught.value).startswith("connection 'gcp_wrong': its key can't be read: ")
    assert said in str(caught.value)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


UNIVERSE_CALLS: dict[str, Callable[[], object]] = {
    "stat": CALLS["object_store"],
    "list": lambda: list(GCSObjectStoreHook("gcp_wrong").list_objects("b")),
    "sign": lambda: GCSObjectStoreHook("gcp_wrong").sign_url(
        ObjectRef("b", "k"), method="GET", expires_in=timedelta(hours=1)
    ),
    "export": lambda: GCPCostHook("gcp_wrong").list_billing_periods("project-of-test/d/t"),
}


@pytest.mark.parametrize("call", UNIVERSE_CALLS)
@pytest.mark.parametrize("by_variable", [False, True], ids=["key", "variable"])
def test_a_key_of_another_universe_is_said(
    call: str, monkeypatch: pytest.MonkeyPatch, *, by_variable: bool
) -> None:
    key = service_account("http://127.0.0.1:1/")
    if by_variable:
        monkeypatch.setenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "elsewhere.example")
    else:
        key["universe_domain"] = "elsewhere.example"
    connection = {"conn_type": "google_cloud_platform", "extra": {"keyfile_dict": key}}
    monkeypatch.setenv("AIRFLOW_CONN_GCP_WRONG", json.dumps(connection))
    with pytest.raises(CredentialsError, match=r"universe.*elsewhere\.example") as caught:
        UNIVERSE_CALLS[call]()
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
