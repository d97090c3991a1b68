"""Which connection serves what, and what is said of one that can't."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud import registry
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.cost import Cost, CostQuery
from airflow_multicloud.ports.object_store import ObjectStore
from airflow_multicloud.testing.local_clouds.azure.arm import (
    CLIENT_ID,
    CLIENT_SECRET,
    SUBSCRIPTION_ID,
    TENANT_ID,
)

from .test_query import START, asked, charge

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Azure


def test_exports_need_a_storage_connection(azure: Azure) -> None:
    with pytest.raises(CredentialsError, match=r"'azure_test' has type 'azure'.*'wasb'"):
        azure.hook().list_billing_periods("costs/exports/focus")


def test_object_storage_needs_one_too(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AZURE_TEST", json.dumps(azure.connection))
    with pytest.raises(CredentialsError, match=r"has type 'azure'.*needs type 'wasb'") as caught:
        registry.resolve(ObjectStore, "azure_test")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert registry.cloud_of("azure_test").name == "azure"
    assert type(registry.resolve(Cost, "azure_test")).__name__ == "CostManagementHook"


def test_the_services_need_more_than_an_account_key(azure: Azure) -> None:
    hook = azure.hook_on({"conn_type": "wasb", "login": "account", "password": "a2V5"})
    with pytest.raises(CredentialsError, match="type 'wasb' and credentials for storage only"):
        hook.query_costs(CostQuery(start=START, end=date(2026, 9, 2), group_by=()))


def test_a_storage_connection_with_an_application_will_do(azure: Azure) -> None:
    azure.admin.seed("cost", [charge(START, "any", "3")])
    hook = azure.hook_on(
        {
            "conn_type": "wasb",
            "login": CLIENT_ID,
            "password": CLIENT_SECRET,
            "host": "account.blob.core.windows.net",
            "extra": {
                "tenant_id": TENANT_ID,
                "client_secret_auth_config": {
                    "authority": azure.endpoint,
                    "disable_instance_discovery": True,
                    "connection_verify": str(azure.ca_bundle),
                },
                "subscriptionId": SUBSCRIPTION_ID,
                "management_endpoint": azure.endpoint,
                "ca_bundle": str(azure.ca_bundle),
            },
        }
    )
    assert [r.cost for r in hook.query_costs(asked()).rows] == [3]


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ({"management_endpoint": "http://127.0.0.1:1"}, "management_endpoint.*https"),
        ({"authority": "login.local"}, "authority.*https"),
        ({"cloud_environment": "AzureMoon"}, "cloud_environment.*AzurePublicCloud"),
        ({"ca_bundle": "/nowhere/ca.pem"}, "ca_bundle.*no file"),
        ({"tenantId": None}, "missing: tenantId"),
        ({"key_path": "/nowhere/key.json"}, "key_path.*No such file"),
        ({"key_json": "text"}, "key_json.*JSON object"),
    ],
)
def test_what_is_wrong_with_a_connection_is_named(
    azure: Azure, extra: dict[str, Any], named: str
) -> None:
    with pytest.raises(CredentialsError, match=named) as caught:
        azure.hook(**extra)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    assert CLIENT_SECRET not in str(caught.value)


def test_no_subscription(azure: Azure) -> None:
    with pytest.raises(CredentialsError, match="subscriptionId"):
        azure.hook(subscriptionId=None).query_costs(asked())


def test_a_key_file(azure: Azure, tmp_path: Path) -> None:
    azure.admin.seed("cost", [charge(START, "any", "3")])
    key = tmp_path / "key.json"
    names = {"tenantId": TENANT_ID, "clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}
    key.write_text(json.dumps({**names, "subscriptionId": SUBSCRIPTION_ID}))
    hook = azure.hook(login="", password="", tenantId=None, subscriptionId=None, key_path=str(key))
    assert len(hook.query_costs(asked()).rows) == 1
