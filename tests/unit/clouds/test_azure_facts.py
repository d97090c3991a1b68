"""What connections of Azure say of where they lead, and what is missing when they do not."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import Connection

from airflow_multicloud.clouds.azure.identity.facts import facts_of, why_not_named

_ID = "00000000-0000-0000-0000-00000000000a"


def connection(**more):
    return Connection(conn_id="store", conn_type="wasb", **more)


def test_what_a_connection_names():
    extra = json.dumps({"subscriptionId": _ID, "resource_group": "data"})
    found = facts_of(connection(host="https://shop.blob.core.windows.net", extra=extra))
    assert found["subscription"] == _ID
    assert found["resource_group"] == "data"
    assert found["storage_account"] == "shop"


def test_what_it_does_not_name_stands_in_braces():
    """A made-up subscription would be asked about, and deny."""
    found = facts_of(connection(login="shop"))
    assert found["subscription"] == "{subscription}"
    assert found["resource_group"] == "{resource_group}"
    assert facts_of(connection())["storage_account"] == "{storage_account}"


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (f"/subscriptions/{_ID}/resourceGroups/data", None),
        (
            "/subscriptions/{subscription}/resourceGroups/{resource_group}",
            "connection 'store' does not tell the subscription and resource group: "
            "set its extra subscriptionId and set its extra resource_group",
        ),
        (
            "{data_collection_rule}",
            "connection 'store' does not tell the data collection rule, by a resource's id",
        ),
    ],
)
def test_why_a_resource_can_not_be_asked(resource, said):
    assert why_not_named(resource, "store") == said
