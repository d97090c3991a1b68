"""On which resources permissions of databases are asked for and granted."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from airflow_multicloud.core.preflight.databases import (
    PromoteReplica,
    RemoveDatabase,
    RemoveSnapshot,
    RestoreDatabase,
)
from airflow_multicloud.core.preflight.granting import calls_of, grants_of
from airflow_multicloud.core.preflight.operations import OPERATIONS, needs_of, operations_of
from airflow_multicloud.errors import DatabaseError, ErrorKind

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


def resources(cloud: str, operation: Any) -> set[str]:
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


def regions(operation: Any) -> set[str]:
    found = resources("aws", operation)
    return {one.split(":")[3] for one in found if one.startswith("arn:")}


#: Of every operation of databases, but for ``conn_id``.
NAMED = {
    "snapshot_database": {"database": "shop", "keep": 7},
    "restore_database": {"database": "shop"},
    "promote_replica": {"replica": "shop"},
    "verify_database": {"database": "shop"},
    "remove_database": {"database": "shop", "final_snapshot": "last"},
    "remove_snapshot": {"snapshot_task_id": "snapshot", "database": "shop"},
}


def test_every_operation_of_databases_is_here():
    ours = {name for name, cls in OPERATIONS.items() if cls.__module__ == PromoteReplica.__module__}
    assert ours == set(NAMED)


@pytest.mark.parametrize("name", NAMED)
def test_the_region_that_is_given_is_asked_about(name):
    def of(**changed):
        given = {name: {"conn_id": "a", **NAMED[name], **changed}}
        (operation,) = operations_of(given)
        return regions(operation)

    assert of() == {"eu-west-1"}
    assert of(region="us-east-1") == {"us-east-1"}
    assert of(region="{{ params.region }}") == {"*"}
    (parameter,) = {"database", "replica"} & set(NAMED[name])
    told = {"id": "shop", "region": "us-east-1"}
    assert of(**{parameter: told}) == {"us-east-1"}
    assert of(**{parameter: told, "region": "us-west-2"}) == {"us-west-2"}


def test_scratch_is_looked_for_beside_its_source_too():
    def of(source, **given):
        return RemoveDatabase(conn_id="a", restore_task_id="restore", source=source, **given)

    elsewhere = "arn:aws:rds:us-east-1:123456789012:snapshot:nightly"
    assert regions(of(elsewhere)) == {"eu-west-1", "us-east-1"}
    assert regions(of({"id": "nightly", "region": "us-east-1"})) == {"eu-west-1", "us-east-1"}
    assert regions(of(elsewhere, region="us-west-2")) == {"us-west-2", "us-east-1"}
    assert {one.split(":", 5)[5] for one in resources("aws", of(elsewhere))} == {"db:*"}
    found = resources("gcp", of("projects/other/backups/1"))
    assert found == {f"{_PROJECT}/shop", f"{_PROJECT}/other"}
    assert resources("azure", of(f"{_SERVER}/backups/last")) == {
        *("/subscriptions/s", "/subscriptions/s/resourceGroups/named", _GROUP)
    }


def test_scratch_in_another_project_is_looked_for_there():
    given = RemoveDatabase(conn_id="a", restore_task_id="restore", account="other")
    assert resources("gcp", given) == {f"{_PROJECT}/other"}
    named = RemoveDatabase(conn_id="a", database="shop-2", account="other")
    assert f"{_PROJECT}/shop" in resources("gcp", named)


def test_snapshots_of_a_task_are_looked_for_where_it_takes_them():
    def of(source):
        return RemoveSnapshot(conn_id="a", snapshot_task_id="snapshot", source=source)

    assert regions(of("arn:aws:rds:us-east-1:123456789012:db:shop")) == {"us-east-1"}
    assert resources("gcp", of("projects/other/instances/shop")) == {f"{_PROJECT}/other"}
    uses = {need.use for need in of("shop").needs()}
    assert uses == {"list_snapshots", "remove_snapshot", "describe_operation:snapshot"}


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("remove_database", {"database": "shop"}),
        ("remove_snapshot", {"snapshot": "shop"}),
        ("remove_snapshot", {"snapshot_task_id": "snapshot", "database": "shop"}),
    ],
)
def test_a_source_of_what_is_named_is_refused(name, given):
    operations = operations_of({name: {"conn_id": "a", "source": "shop", **given}})
    with pytest.raises(DatabaseError, match="source: expected only with") as caught:
        needs_of(operations)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
