"""The local RDS: what it refuses, and what the hook asks of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from airflow_multicloud import api, registry
from airflow_multicloud.core.database.identity import Requester
from airflow_multicloud.core.database.removals import DatabaseRemoval, ScratchOf, advance_removal
from airflow_multicloud.core.database.restores import RestoreWish
from airflow_multicloud.core.database.restoring import begin_restore, restored_database
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseNetwork,
    DatabaseRef,
    DatabaseService,
    FromPointInTime,
    FromSnapshot,
    RestoreOrder,
    SnapshotOrder,
)
from airflow_multicloud.ports.operations import Operation, OperationState
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from tests.contract.database_rigs.aws import SECURITY_GROUP, SUBNET_GROUP, RdsControl, control
from tests.integration.answering import Answer, answering

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.testing.local_clouds import LocalServer

#: Of no account that the local RDS has.
ELSEWHERE = "arn:aws:rds:us-east-1:210987654321"
TOKENS = tuple(f"00000000-0000-4000-8000-00000000000{n}" for n in range(6))
CLUSTERED = """<DescribeDBInstancesResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">
<DescribeDBInstancesResult><DBInstances><DBInstance>
<DBInstanceIdentifier>writer</DBInstanceIdentifier>
<DBInstanceArn>arn:aws:rds:us-east-1:123456789012:db:writer</DBInstanceArn>
<DBClusterIdentifier>orders</DBClusterIdentifier>
</DBInstance></DBInstances></DescribeDBInstancesResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeDBInstancesResponse>"""


@pytest.fixture(scope="module")
def rds(local_rds: LocalServer) -> Iterator[RdsControl]:
    made = control(local_rds)
    yield made
    made.clear()
    made.close()


@pytest.fixture(scope="module")
def source(rds: RdsControl) -> DatabaseRef:
    return rds.make("rds-source")


@pytest.fixture
def hook(local_rds: LocalServer) -> DatabaseService:
    assert local_rds.endpoint
    return registry.resolve(DatabaseService, "aws_database_local")


def done(hook: DatabaseService, operation: Operation) -> str:
    while not operation.state.is_final:
        operation = hook.describe_operation(operation)
    assert operation.state is OperationState.SUCCEEDED, operation
    return operation.resource


def test_a_restored_instance_is_attached_as_its_source(
    hook: DatabaseService, rds: RdsControl, source: DatabaseRef
) -> None:
    """RDS would take its defaults, which let nobody in, or everybody."""
    order = RestoreOrder(source=FromPointInTime(source), name="rds-like", token=TOKENS[0])
    found = rds.described(done(hook, hook.restore_database(order)))
    assert found["DBSubnetGroup"]["DBSubnetGroupName"] == SUBNET_GROUP
    assert [one["VpcSecurityGroupId"] for one in found["VpcSecurityGroups"]] == [SECURITY_GROUP]
    assert [one["DBParameterGroupName"] for one in found["DBParameterGroups"]] == ["app-postgres18"]
    assert found["PubliclyAccessible"] is False
    assert found["CopyTagsToSnapshot"] is True


def test_a_network_of_its_own(hook: DatabaseService, rds: RdsControl, source: DatabaseRef) -> None:
    order = RestoreOrder(
        source=FromPointInTime(source),
        name="rds-elsewhere",
        token=TOKENS[1],
        network=DatabaseNetwork(
            subnet="default", security_groups=("sg-0d000000000000000",), public_address=True
        ),
    )
    found = rds.described(done(hook, hook.restore_database(order)))
    assert found["DBSubnetGroup"]["DBSubnetGroupName"] == "default"
    assert found["PubliclyAccessible"] is True
    wrong = replace(order, name="rds-nowhere", network=DatabaseNetwork(subnet="nowhere"))
    with pytest.raises(DatabaseError, match="nowhere") as caught:
        hook.restore_database(wrong)
    assert caught.value.kind is ErrorKind.NOT_FOUND
    azures = replace(order, network=DatabaseNetwork(private_zone="zone"))
    with pytest.raises(DatabaseError, match=r"network\.private_zone") as caught:
        hook.restore_database(azures)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_a_snapshot_of_what_is_gone_needs_a_network(
    hook: DatabaseService, source: DatabaseRef
) -> None:
    made = RestoreOrder(source=FromPointInTime(source), name="rds-gone", token=TOKENS[2])
    gone = DatabaseRef(done(hook, hook.restore_database(made)))
    taken = SnapshotOrder(database=gone, name="rds-of-gone", token=TOKENS[3])
    snapshot = DatabaseRef(done(hook, hook.snapshot_database(taken)))
    done(hook, hook.remove_database(gone, token=TOKENS[2], final_snapshot=None))
    again = RestoreOrder(source=FromSnapshot(snapshot), name="rds-again", token=TOKENS[4])
    with pytest.raises(DatabaseError, match=r"network: .*security_groups") as caught:
        hook.restore_database(again)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_listings_have_pages(
    hook: DatabaseService, local_rds: LocalServer, rds: RdsControl, source: DatabaseRef
) -> None:
    """Each of one entry, and none is left out."""
    rds.make("rds-second")
    for name in ("rds-page-1", "rds-page-2"):
        order = SnapshotOrder(database=source, name=name, token=TOKENS[5])
        done(hook, hook.snapshot_database(order))
    Admin(local_rds.endpoint).seed("database_pages", [{"size": 1}])
    try:
        names = {one.name for one in hook.list_databases({})}
        assert {"rds-source", "rds-second"} <= names
        found = [one.name for one in hook.list_snapshots(source, {})]
        assert [name for name in found if "page" in name] == ["rds-page-2", "rds-page-1"]
    finally:
        Admin(local_rds.endpoint).reset()


def test_a_reference_to_another_account(hook: DatabaseService, source: DatabaseRef) -> None:
    """Nothing is seen of it: that is no answer, whether this account has the name or not."""
    snapshot = f"{ELSEWHERE}:snapshot:none"
    for ask in (
        lambda: hook.describe_database(DatabaseRef(f"{ELSEWHERE}:db:rds-source")),
        lambda: hook.describe_database(DatabaseRef(f"{ELSEWHERE}:db:none")),
        lambda: hook.describe_snapshot(DatabaseRef(snapshot)),
        lambda: hook.remove_snapshot(DatabaseRef(snapshot), token=TOKENS[0]),
        lambda: list(hook.list_snapshots(DatabaseRef(f"{ELSEWHERE}:db:rds-source"), {})),
        lambda: hook.remove_database(
            DatabaseRef(f"{ELSEWHERE}:db:none"), token=TOKENS[0], final_snapshot=None
        ),
    ):
        with pytest.raises(DatabaseError, match="is in account 210987654321") as caught:
            ask()
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    with pytest.raises(DatabaseError) as caught:
        hook.describe_database(DatabaseRef(f"{source.id}-none"))
    assert caught.value.kind is ErrorKind.NOT_FOUND


@pytest.mark.parametrize("account", [None, "210987654321"])
def test_a_removal_in_another_account_is_no_success(
    local_rds: LocalServer, account: str | None
) -> None:
    assert local_rds.endpoint
    given: dict[str, Any] = {"account": account, "poll_interval": timedelta(0)}
    with pytest.raises(DatabaseError, match="is in account 210987654321") as caught:
        api.remove_database("aws_database_local", f"{ELSEWHERE}:db:none", **given)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
    with pytest.raises(DatabaseError, match="is in account 210987654321") as caught:
        api.remove_snapshot(
            "aws_database_local",
            f"{ELSEWHERE}:snapshot:none",
            confirm="none",
            allow=["none"],
            **given,
        )
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_an_account_that_is_named_is_asked_for_where_nothing_is_found(
    local_rds: LocalServer,
) -> None:
    assert local_rds.endpoint
    other: dict[str, Any] = {"account": "210987654321", "poll_interval": timedelta(0)}
    for remove in (
        lambda: api.remove_database("aws_database_local", "none", **other),
        lambda: api.remove_snapshot(
            "aws_database_local", "none", confirm="none", allow=["none"], **other
        ),
        lambda: api.remove_scratch_databases(
            "aws_database_local", "no run", confirm_after=timedelta(0), **other
        ),
    ):
        with pytest.raises(DatabaseError, match="not in 210987654321") as caught:
            remove()
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    own = {**other, "account": "123456789012"}
    assert api.remove_database("aws_database_local", "none", **own).done


def test_an_instance_of_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, and nothing else is asked."""
    answer = Answer(CLUSTERED.encode(), headers={"content-type": "text/xml"})
    with answering(lambda _: answer) as server:
        connection = {
            "conn_type": "aws",
            "login": "test",
            "password": "test-secret-key",
            "extra": {"region_name": "us-east-1", "endpoint_url": server.url},
        }
        monkeypatch.setenv("AIRFLOW_CONN_CLUSTERED", json.dumps(connection))
        hook = registry.resolve(DatabaseService, "clustered")
        with pytest.raises(DatabaseError, match="cluster orders") as caught:
            hook.remove_database(DatabaseRef("writer"), token=TOKENS[0], final_snapshot=None)
        assert caught.value.kind is ErrorKind.UNSUPPORTED
        assert list(hook.list_databases({})) == []
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("action", "given", "code"),
    [
        ("delete_db_instance", {"DBInstanceIdentifier": "x"}, "DBInstanceNotFound"),
        ("describe_db_snapshots", {"DBSnapshotIdentifier": "x"}, "DBSnapshotNotFound"),
        ("describe_db_instances", {"MaxRecords": 7}, "InvalidParameterValue"),
        ("describe_db_clusters", {}, "InvalidAction"),
        (
            "delete_db_instance",
            {
                "DBInstanceIdentifier": "rds-source",
                "SkipFinalSnapshot": True,
                "FinalDBSnapshotIdentifier": "x",
            },
            "InvalidParameterCombination",
        ),
        (
            "restore_db_instance_to_point_in_time",
            {"SourceDBInstanceIdentifier": "rds-source", "TargetDBInstanceIdentifier": "x"},
            "InvalidParameterCombination",
        ),
        ("promote_read_replica", {"DBInstanceIdentifier": "rds-source"}, "InvalidDBInstanceState"),
    ],
)
@pytest.mark.usefixtures("source")
def test_the_server_refuses(rds: RdsControl, action: str, given: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(rds.client, action)(**given)
    assert caught.value.response["Error"]["Code"] == code


def test_a_teardown_finds_what_was_restored_in_another_region(
    hook: DatabaseService, rds: RdsControl
) -> None:
    """The ARN of the source says where; else it is looked for at home, and the result tells so."""
    source = rds.make_abroad("rds-abroad")
    task = Requester(run="rds-teardown", readable="drill")
    begun = begin_restore(hook, task, RestoreWish(source=FromPointInTime(DatabaseRef(source.id))))
    made = done(hook, begun.operation)
    assert ":us-west-2:" in made
    again = begin_restore(hook, task, RestoreWish(source=FromPointInTime(DatabaseRef(source.id))))
    assert (again.found, again.operation.resource) == (True, made)
    now = datetime.now(UTC)
    removal = DatabaseRemoval(certain_from=now)
    nothing = advance_removal(hook, ScratchOf.by(task, None, None), removal, now=now)
    assert (nothing.done, nothing.removed) == (True, ())
    assert [one.region for one in nothing.searched] == ["us-east-1"]
    wanted = ScratchOf.by(task, None, None, (DatabaseRef(source.id),))
    while not removal.done:
        removal = advance_removal(hook, wanted, removal, now=datetime.now(UTC))
    assert [one.id for one in removal.removed] == [made]
    assert [one.region for one in removal.searched] == ["us-east-1", "us-west-2"]
    with pytest.raises(DatabaseError) as caught:
        hook.describe_database(DatabaseRef(made))
    assert caught.value.kind is ErrorKind.NOT_FOUND


def test_a_snapshot_that_rds_has_taken_by_itself_is_restored(
    hook: DatabaseService, rds: RdsControl, source: DatabaseRef
) -> None:
    """By its ARN; it is described with its moment, is in no listing, and is never removed."""
    waited = hook.restore_database(
        RestoreOrder(source=FromPointInTime(source), name="rds-auto", token=TOKENS[4])
    )
    done(hook, waited)
    found = rds.client.describe_db_snapshots(
        DBInstanceIdentifier="rds-auto", SnapshotType="automated"
    )["DBSnapshots"]
    (arn,) = (one["DBSnapshotArn"] for one in found)
    assert ":snapshot:rds:rds-auto-" in arn
    seen = hook.describe_snapshot(DatabaseRef(arn))
    assert (seen.ref.id, seen.name, seen.labels) == (arn, arn.partition(":snapshot:")[2], {})
    assert seen.created_at == found[0]["SnapshotCreateTime"]
    assert arn not in {one.ref.id for one in hook.list_snapshots(None, {})}
    task = Requester(run="rds-automated", readable="drill")
    wish = RestoreWish(source=FromSnapshot(DatabaseRef(arn)), account=seen.account_id)
    begun = begin_restore(hook, task, wish)
    ended = replace(begun, operation=replace(begun.operation, resource=done(hook, begun.operation)))
    restored = restored_database(hook, ended, conn_id="aws_database_local", cloud="aws")
    assert restored.restored_moment is not None
    assert abs(restored.restored_moment - seen.created_at) < timedelta(seconds=1)
    with pytest.raises(DatabaseError, match="account") as caught:
        begin_restore(hook, task, replace(wish, account="999999999999"))
    assert caught.value.kind is ErrorKind.PRECONDITION_FAILED
    with pytest.raises(DatabaseError, match="token"):
        hook.remove_snapshot(DatabaseRef(arn), token=TOKENS[4])
    backup = DatabaseRef(arn.replace(":rds:rds-auto", ":awsbackup:job-1"))
    with pytest.raises(DatabaseError, match="there is no") as caught:
        hook.describe_snapshot(backup)
    assert caught.value.kind is ErrorKind.NOT_FOUND


def test_a_snapshot_of_before_an_upgrade_gets_no_parameter_group_of_after_it(
    hook: DatabaseService, rds: RdsControl
) -> None:
    """RDS refuses one of another family; it gives the default of the snapshot's own version."""
    old = rds.make("rds-upgraded", EngineVersion="17.7", DBParameterGroupName="app-postgres17")
    taken = SnapshotOrder(database=old, name="rds-before", token=TOKENS[5])
    before = FromSnapshot(DatabaseRef(done(hook, hook.snapshot_database(taken))))

    def restored(name: str) -> dict[str, Any]:
        order = RestoreOrder(source=before, name=name, token=TOKENS[5])
        return rds.described(done(hook, hook.restore_database(order)))

    found = restored("rds-as-then")
    assert [one["DBParameterGroupName"] for one in found["DBParameterGroups"]] == ["app-postgres17"]
    rds.client.modify_db_instance(
        DBInstanceIdentifier="rds-upgraded", EngineVersion="18.1", AllowMajorVersionUpgrade=True,
        ApplyImmediately=True, DBParameterGroupName="app-postgres18",
    )  # fmt: skip
    found = restored("rds-as-before")
    assert found["EngineVersion"] == "17.7"
    (group,) = (one["DBParameterGroupName"] for one in found["DBParameterGroups"])
    assert group == "default.postgres17"


@pytest.mark.parametrize(
    ("group", "code"),
    [("app-postgres17", "InvalidParameterCombination"), ("gone", "DBParameterGroupNotFound")],
)
def test_rds_checks_parameter_groups(rds: RdsControl, group: str, code: str) -> None:
    with pytest.raises(ClientError) as caught:
        rds.make("rds-grouped", DBParameterGroupName=group)
    assert caught.value.response["Error"]["Code"] == code
