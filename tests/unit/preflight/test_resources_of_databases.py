"""On which resources permissions of databases are asked for and granted."""

from __future__ import annotations

from importlib import import_module

import pytest

from airflow_multicloud.core.preflight.databases import (
    PromoteReplica,
    RemoveDatabase,
    RestoreDatabase,
)
from airflow_multicloud.core.preflight.granting import calls_of, grants_of

FACTS = {
    "partition": "aws",
    "region": "eu-west-1",
    "account": "123456789012",
    "project": "shop",
    "subscription": "s",
    "resource_group": "named",
}
_ARN = "arn:aws:rds:eu-west-1:123456789012"
_PROJECT = "//cloudresourcemanager.googleapis.com/projects"
_GROUP = "/subscriptions/s/resourceGroups/g"
_SERVER = f"{_GROUP}/providers/Microsoft.DBforPostgreSQL/flexibleServers/shop-2"


def resources(cloud: str, operation: PromoteReplica | RemoveDatabase | RestoreDatabase) -> set[str]:
    table = import_module(f"airflow_multicloud.clouds.{cloud}.database.calls").TABLE
    return {
        one.resource for one in grants_of(calls_of(operation.needs(), lambda _: (table, FACTS)))
    }


@pytest.mark.parametrize(
    ("cloud", "replica", "expected"),
    [
        ("aws", "shop-2", {f"{_ARN}:db:shop-2", f"{_ARN}:auto-backup:*", "*"}),
        (
            "aws",
            "arn:aws:rds:us-east-1:123456789012:db:shop-2",
            {
                "arn:aws:rds:us-east-1:123456789012:db:shop-2",
                "arn:aws:rds:us-east-1:123456789012:auto-backup:*",
                "*",
            },
        ),
        (
            "gcp",
            "shop-2",
            {"//cloudsql.googleapis.com/projects/shop/instances/shop-2", f"{_PROJECT}/shop"},
        ),
        (
            "gcp",
            "projects/other/instances/shop-2",
            {"//cloudsql.googleapis.com/projects/other/instances/shop-2", f"{_PROJECT}/other"},
        ),
        ("azure", _SERVER, {_SERVER, "/subscriptions/s"}),
    ],
)
def test_a_named_instance_is_the_only_one(cloud, replica, expected):
    assert resources(cloud, PromoteReplica(conn_id="a", replica=replica)) == expected


def test_what_a_snapshot_elsewhere_becomes_lies_there():
    def of(cloud, snapshot):
        return resources(cloud, RestoreDatabase(conn_id="a", snapshot=snapshot))

    found = of("aws", "arn:aws:rds:us-east-1:123456789012:snapshot:nightly")
    assert {one.split(":")[3] for one in found} == {"us-east-1"}
    assert of("gcp", "projects/other/backups/1") == {f"{_PROJECT}/other"}


@pytest.mark.parametrize(
    ("cloud", "expected"),
    [
        ("aws", {f"{_ARN}:db:*"}),
        ("gcp", {f"{_PROJECT}/shop"}),
        ("azure", {"/subscriptions/s", "/subscriptions/s/resourceGroups/named"}),
    ],
)
def test_what_only_the_run_tells_is_any(cloud, expected):
    scratch = RemoveDatabase(conn_id="a", restore_task_id="restore")
    assert resources(cloud, scratch) == expected
    rendered = RemoveDatabase(conn_id="a", database="{{ ti.xcom_pull('restore')['id'] }}")
    assert expected <= resources(cloud, rendered) | {"/subscriptions/s"}


def test_a_server_is_restored_into_the_group_of_its_source():
    given = RestoreDatabase(conn_id="a", snapshot={"id": f"{_SERVER}/backups/last"})
    assert resources("azure", given) == {"/subscriptions/s", _GROUP, _SERVER}
