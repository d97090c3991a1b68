"""What snapshots, restores, promotions and removals ask of each cloud, and what the map has."""

from __future__ import annotations

import re
import time
import uuid
from contextlib import suppress
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG

from airflow_multicloud import api
from airflow_multicloud.operators.database import RemoveSnapshotOperator, SnapshotDatabaseOperator
from airflow_multicloud.testing.local_clouds.kit.admin import Admin
from airflow_multicloud.testing.local_clouds.kit.sql_seeds import plant
from airflow_multicloud.testing.sql_faults import DatabaseCall, DatabaseFault, DatabaseFaultKind
from tests.integration.airflow_runs import Bare

from .needed import called, check_calls
from .vendors import DATABASES

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXTURES = {"aws": "local_rds", "gcp": "local_cloud_sql", "azure": "local_flexible_servers"}
CONNECTIONS = {cloud: f"{cloud}_database_local" for cloud in FIXTURES}
SOON: dict[str, Any] = {"poll_interval": timedelta(milliseconds=20)}
_PROJECT, _WITHIN = r"/v1/projects/[^/]+", r"/subscriptions/.*"
#: Of paths, without those of RDS, which has none.
NAMES = tuple(
    (re.compile(form), name)
    for form, name in (
        (rf"{_PROJECT}/instances", "instances"),
        (rf"{_PROJECT}/instances/[^/]+", "instances/{name}"),
        (rf"{_PROJECT}/instances/[^/]+/(\w+)", r"instances/{name}/\1"),
        (rf"{_PROJECT}/(backups|operations)", r"\1"),
        (rf"{_PROJECT}/(backups|operations)/[^/]+", r"\1/{name}"),
        (r"/v3/projects/[^/]+/timeSeries", "timeSeries"),
        (rf"{_WITHIN}/flexibleServers/.*/Microsoft.Authorization/locks", "locks of a server"),
        (rf"{_WITHIN}/databases/.*/Microsoft.Authorization/locks", "locks of a database"),
        (rf"{_WITHIN}/Microsoft.Authorization/locks", "locks"),
        (rf"{_WITHIN}/Microsoft.Authorization/locks/[^/]+", "locks"),
        (rf"{_WITHIN}/Microsoft.Resources/tags/default", "tags"),
        (rf"{_WITHIN}/Microsoft.Insights/metrics", "metrics"),
        (rf"{_WITHIN}/(\w*[aA]zureAsyncOperation)/[^/]+", r"\1"),
        (rf"{_WITHIN}/servers", "servers"),
        (rf"{_WITHIN}/servers/[^/]+", "servers/{name}"),
        (rf"{_WITHIN}/servers/[^/]+/databases", "databases"),
        (rf"{_WITHIN}/servers/[^/]+/databases/[^/]+", "databases/{name}"),
        (
            rf"{_WITHIN}/servers/[^/]+/databases/[^/]+/replicationLinks",
            "databases/{name}/replicationLinks",
        ),
        (rf"{_WITHIN}/replicationLinks/[^/]+/failover", "failover"),
        (rf"{_WITHIN}/flexibleServers", "flexibleServers"),
        (rf"{_WITHIN}/flexibleServers/[^/]+", "flexibleServers/{name}"),
        (rf"{_WITHIN}/flexibleServers/[^/]+/(\w+)", r"flexibleServers/{name}/\1"),
        (
            rf"{_WITHIN}/flexibleServers/[^/]+/backups/[^/]+",
            "flexibleServers/{name}/backups/{name}",
        ),
    )
)
#: ``id`` of the methods in the discovery documents sqladmin.v1 and monitoring.v3.
METHODS = {
    "GET instances": "sql.instances.list",
    "GET instances/{name}": "sql.instances.get",
    "PATCH instances/{name}": "sql.instances.patch",
    "DELETE instances/{name}": "sql.instances.delete",
    "GET instances/{name}/getLatestRecoveryTime": "sql.instances.getLatestRecoveryTime",
    "POST instances/{name}/restoreBackup": "sql.instances.restoreBackup",
    "POST instances/{name}/clone": "sql.instances.clone",
    "POST instances/{name}/promoteReplica": "sql.instances.promoteReplica",
    "GET operations": "sql.operations.list",
    "GET operations/{name}": "sql.operations.get",
    "GET backups": "sql.Backups.ListBackups",
    "POST backups": "sql.Backups.CreateBackup",
    "GET backups/{name}": "sql.Backups.GetBackup",
    "DELETE backups/{name}": "sql.Backups.DeleteBackup",
    "GET timeSeries": "monitoring.projects.timeSeries.list",
}
_REMOVAL = {
    "aws": "rds:DeleteDBInstance",
    "gcp": "cloudsql.instances.delete",
    "azure": "Microsoft.DBforPostgreSQL/flexibleServers/delete",
}
_SQL_DELETE = "Microsoft.Sql/servers/databases/delete"
#: What removing a database of Azure SQL takes beside listing them.
_SQL_REMOVAL = frozenset(
    {
        _SQL_DELETE,
        "Microsoft.Sql/servers/databases/replicationLinks/read",
        "Microsoft.Sql/locations/databaseAzureAsyncOperation/read",
    }
)


class Recorded:
    """One cloud with a database, and what it is asked."""

    def __init__(self, cloud: str, endpoint: str, lab: Any) -> None:
        self.cloud = cloud
        self.endpoint = endpoint
        self.lab = lab
        self.conn_id = CONNECTIONS[cloud]
        self.mark = uuid.uuid4().hex[:6]
        self._admin = Admin(endpoint)

    def fail_later(self, call: DatabaseCall) -> None:
        """Have the next one of these fail after it was accepted."""
        plant(self.endpoint, [DatabaseFault(kind=DatabaseFaultKind.FAIL_LATER, call=call)])

    def forget(self) -> None:
        """What was asked so far."""
        self._admin.reset()

    def check(
        self,
        name: str,
        given: dict[str, Any],
        *,
        unseen: bool = False,
        others: frozenset[str] = frozenset(),
        removal: str = "",
    ) -> None:
        """Compare.

        :param unseen: whether no removal of what has failed could be seen.
        :param others: permissions of another kind of database, which it might have been.
        :param removal: the permission to remove; the cloud's own when left out.
        """
        recorded = {METHODS.get(one, one) for one in called(self._admin, NAMES)}
        lacking = frozenset({removal or _REMOVAL[self.cloud]}) if unseen else frozenset[str]()
        operation = {name: {"conn_id": self.conn_id, **given}}
        check_calls(self.cloud, recorded, operation, name, DATABASES[self.cloud], lacking | others)


@pytest.fixture(params=FIXTURES)
def recorded(request: pytest.FixtureRequest) -> Iterator[Recorded]:
    server = request.getfixturevalue(FIXTURES[request.param])
    lab = import_module(f"tests.contract.database_rigs.{request.param}")._lab(request)
    yield Recorded(request.param, server.endpoint, lab)
    lab.clear()


def test_a_snapshot_and_its_restore(recorded: Recorded) -> None:
    conn_id, run = recorded.conn_id, recorded.mark
    database = recorded.lab.primary(f"c-{run}", ["a"]).id
    recorded.forget()
    recorded.fail_later(DatabaseCall.SNAPSHOT)
    with suppress(api.CloudError):
        api.snapshot_database(conn_id, database, run=run, **SOON)
    taken = api.snapshot_database(conn_id, database, run=run, **SOON)
    recorded.check("snapshot_database", {"database": database})

    recorded.forget()
    recorded.fail_later(DatabaseCall.RESTORE)
    with suppress(api.CloudError):
        api.restore_database(conn_id, snapshot=taken.id, run=run, **SOON)
    restored = api.restore_database(conn_id, snapshot=taken.id, run=run, **SOON)
    recorded.check("restore_database", {"snapshot": taken.id}, unseen=recorded.cloud == "azure")

    recorded.forget()
    api.describe_database(conn_id, restored.id)
    recorded.check("verify_database", {"database": restored.id})

    recorded.forget()
    api.remove_database(conn_id, restored.id, **SOON)
    recorded.check("remove_database", {"database": restored.id})


def test_older_snapshots_and_the_removal_of_one(recorded: Recorded) -> None:
    conn_id, series = recorded.conn_id, recorded.mark
    database = recorded.lab.primary(f"c-{series}", ["a"]).id
    given: dict[str, Any] = {"series": series, "keep": 1, "min_age": timedelta(), **SOON}
    first = api.snapshot_database(conn_id, database, name="first", **given)
    # Moments are told in seconds.
    time.sleep(1.1)
    recorded.forget()
    if recorded.cloud == "aws":
        recorded.fail_later(DatabaseCall.SNAPSHOT)
        with suppress(api.CloudError):
            api.snapshot_database(conn_id, database, run="next", **given)
    taken = api.snapshot_database(conn_id, database, run="next", **given)
    assert taken.retention is not None
    assert [one.id for one in taken.retention.removed] == [first.id]
    recorded.check("snapshot_database", {"database": database, "keep": 1})

    recorded.forget()
    api.remove_snapshot(conn_id, taken.id, confirm=taken.name, allow=[taken.name], **SOON)
    recorded.check("remove_snapshot", {"snapshot": taken.id})

    with DAG("taken", schedule=None):
        take = SnapshotDatabaseOperator(
            task_id="take", conn_id=conn_id, database=database, poll_interval=0.05
        )
        remove = RemoveSnapshotOperator(
            task_id="remove", conn_id=conn_id, snapshot_task_id="take", poll_interval=0.05,
            confirm_after=timedelta(),
        )  # fmt: skip
    gone: Any = take.execute(Bare())  # type: ignore[arg-type]
    recorded.forget()
    told: Any = remove.execute(Bare())  # type: ignore[arg-type]
    assert [one["id"] for one in told["removed"]] == [gone["id"]]
    recorded.check("remove_snapshot", {"snapshot_task_id": "take"})


def test_a_moment_and_the_removal_of_scratch(recorded: Recorded) -> None:
    conn_id, run = recorded.conn_id, recorded.mark
    database = recorded.lab.primary(f"c-{run}", ["a"]).id
    recorded.forget()
    api.restore_database(conn_id, database=database, run=run, **SOON)
    recorded.check("restore_database", {"database": database}, unseen=True)
    recorded.forget()
    api.remove_scratch_databases(conn_id, run, confirm_after=timedelta(), **SOON)
    others = _SQL_REMOVAL if recorded.cloud == "azure" else frozenset[str]()
    recorded.check("remove_database", {"restore_task_id": "restore"}, others=others)


def test_a_promotion(recorded: Recorded) -> None:
    primary = recorded.lab.primary(f"c-{recorded.mark}", ["a"])
    replica = recorded.lab.replica(primary, f"c-{recorded.mark}-2").id
    name = re.split("[:/]", replica)[-1]
    recorded.forget()
    api.promote_replica(recorded.conn_id, replica, confirm=name, allow=[name], **SOON)
    recorded.check("promote_replica", {"replica": replica})


def test_protection_is_a_lock_on_azure_only(recorded: Recorded) -> None:
    database = recorded.lab.primary(f"c-{recorded.mark}", ["a"]).id
    recorded.forget()
    api.restore_database(
        recorded.conn_id,
        database=database,
        name=f"c-{recorded.mark}-kept",
        scratch=False,
        deletion_protected=True,
        **SOON,
    )
    given = {"database": database, "deletion_protected": True}
    recorded.check("restore_database", given, unseen=True)


@pytest.fixture
def of_azure_sql(request: pytest.FixtureRequest) -> Iterator[Recorded]:
    from tests.contract.database_rigs import azure_sql

    lab = azure_sql.lab(request)
    server = request.getfixturevalue(FIXTURES["azure"])
    yield Recorded("azure", server.endpoint, lab)
    lab.clear()


def test_a_database_of_azure_sql(of_azure_sql: Recorded) -> None:
    """Restored, described and removed, with a lock and without."""
    conn_id, run = of_azure_sql.conn_id, of_azure_sql.mark
    database = of_azure_sql.lab.primary(f"c-{run}", []).id
    of_azure_sql.forget()
    api.restore_database(
        conn_id,
        database=database,
        name=f"c-{run}-kept",
        scratch=False,
        deletion_protected=True,
        **SOON,
    )
    given = {"database": database, "deletion_protected": True}
    of_azure_sql.check("restore_database", given, unseen=True, removal=_SQL_DELETE)

    restored = api.restore_database(conn_id, database=database, run=run, **SOON)
    of_azure_sql.forget()
    api.describe_database(conn_id, restored.id)
    of_azure_sql.check("verify_database", {"database": restored.id})
    of_azure_sql.forget()
    api.remove_database(conn_id, restored.id, **SOON)
    of_azure_sql.check("remove_database", {"database": restored.id})


def test_a_promotion_in_azure_sql(of_azure_sql: Recorded) -> None:
    primary = of_azure_sql.lab.primary(f"c-{of_azure_sql.mark}", [])
    replica = of_azure_sql.lab.replica(primary, f"c-{of_azure_sql.mark}-2").id
    name = replica.rpartition("/")[2]
    of_azure_sql.forget()
    api.promote_replica(of_azure_sql.conn_id, replica, confirm=name, allow=[replica], **SOON)
    of_azure_sql.check("promote_replica", {"replica": replica})
