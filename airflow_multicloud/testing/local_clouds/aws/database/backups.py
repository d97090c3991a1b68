"""Actions on snapshots, and restoring."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.local_clouds.aws.database import shown
from airflow_multicloud.testing.local_clouds.aws.database.answers import Refusal
from airflow_multicloud.testing.local_clouds.aws.database.instances import Instances
from airflow_multicloud.testing.local_clouds.aws.database.rules import (
    check_moment_given,
    class_of,
    days_of,
    engine_of,
    network_of,
    page_of,
    tags_of,
)
from airflow_multicloud.testing.local_clouds.aws.database.words import (
    FAILED,
    invalid,
    no_snapshot,
    wrong_state,
)
from airflow_multicloud.testing.local_clouds.aws.database.world import Db, DbSnapshot, World
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call
from airflow_multicloud.testing.local_clouds.kit.sql_seeds import SeededDatabaseFaults
from airflow_multicloud.testing.sql_faults import DatabaseCall, DatabaseFaultKind


class Backups:
    """The actions; each is called with the world's lock."""

    def __init__(self, world: World, instances: Instances, faults: SeededDatabaseFaults) -> None:
        self._world = world
        self._instances = instances
        self._faults = faults

    def create(self, call: Call) -> Mapping[str, Any]:
        """``CreateDBSnapshot``; the instance is ``backing-up`` meanwhile."""
        given, world = call.given, self._world
        one = world.found(call.region, given["DBInstanceIdentifier"])
        server = one.server
        if one.status != "available" or server is None:
            raise wrong_state(one.identifier, one.status)
        made = DbSnapshot(
            identifier=given["DBSnapshotIdentifier"],
            region=call.region,
            of=one,
            tags=tags_of(given),
            engine_version=one.engine_version,
        )
        world.add_snapshot(made)
        one.status = "backing-up"
        fails = self._later(DatabaseCall.SNAPSHOT, made.identifier)

        def work() -> None:
            backup = world.home.backup(server, made.identifier)
            with world.lock:
                one.status = "available"
                made.backup, made.created_at = backup, backup.completed_at
                made.status = "available" if fails is None else "failed"

        def failed() -> None:
            one.status, made.status = "available", "failed"

        world.run(work, failed)
        return {"DBSnapshot": shown.snapshot(made)}

    def describe(self, call: Call) -> Mapping[str, Any]:
        """``DescribeDBSnapshots``; one of RDS's own needs its type as well as its name."""
        given, world = call.given, self._world
        strange = {"Filters", "IncludeShared", "IncludePublic", "DbiResourceId"} & set(given)
        wanted = given.get("SnapshotType")
        if strange or wanted not in (None, "manual", "automated", "awsbackup"):
            raise invalid(
                "Only manual and automated snapshots, and those of AWS Backup, can be asked for in "
                "this local RDS, by name."
            )
        if identifier := given.get("DBSnapshotIdentifier"):
            found = world.found_snapshot(call.region, identifier)
            if found.kind != (wanted or "manual"):
                raise no_snapshot(identifier)
            return {"DBSnapshots": [shown.snapshot(found)]}
        of = given.get("DBInstanceIdentifier", "").lower()
        known = [
            one
            for one in (*world.snapshots.values(), *world.automated(call.region))
            if one.region == call.region
            and wanted in (None, one.kind)
            and of in ("", one.of.identifier)
        ]
        page, marker = page_of(
            given, sorted(known, key=lambda one: one.identifier), most=self._world.page_size
        )
        return {"DBSnapshots": [shown.snapshot(one) for one in page], **marker}

    def delete(self, call: Call) -> Mapping[str, Any]:
        """``DeleteDBSnapshot``."""
        world = self._world
        one = world.found_snapshot(call.region, call.given["DBSnapshotIdentifier"])
        if one.kind != "manual":
            raise Refusal(
                "InvalidDBSnapshotState", f"Snapshot {one.identifier} is an automated snapshot."
            )
        if one.status == "creating":
            raise Refusal(
                "InvalidDBSnapshotState",
                f"Snapshot {one.identifier} is not in available state: {one.status}.",
            )
        del world.snapshots[one.region, one.identifier]
        one.status = "deleted"
        if (backup := one.backup) is not None:
            world.run(lambda: world.home.delete_backup(backup), lambda: None)
        return {"DBSnapshot": shown.snapshot(one)}

    def restore(self, call: Call) -> Mapping[str, Any]:
        """``RestoreDBInstanceFromDBSnapshot``."""
        given, home = call.given, self._world.home
        if "DBSnapshotIdentifier" not in given:
            raise invalid("DBSnapshotIdentifier must be specified.")
        snapshot = self._world.found_snapshot(call.region, given["DBSnapshotIdentifier"])
        backup, archived = snapshot.backup, snapshot.of.server
        if snapshot.kind == "automated" and archived is not None:
            made = self._new(call, given["DBInstanceIdentifier"], snapshot)
            archive, when = archived.archive, snapshot.created_at
            return self._begun(made, lambda: home.restore_to_time(archive, when, made.resource_id))
        if snapshot.status != "available" or backup is None:
            raise Refusal(
                "InvalidDBSnapshotState",
                f"Snapshot {snapshot.identifier} is not in available state: {snapshot.status}.",
            )
        made = self._new(call, given["DBInstanceIdentifier"], snapshot)
        return self._begun(made, lambda: home.restore(backup, made.resource_id))

    def restore_to_time(self, call: Call) -> Mapping[str, Any]:
        """``RestoreDBInstanceToPointInTime``."""
        given, home = call.given, self._world.home
        check_moment_given(given)
        source = self._world.found(call.region, given.get("SourceDBInstanceIdentifier", ""))
        if source.status in ("creating", "deleting"):
            raise wrong_state(source.identifier, source.status)
        if not shown.has_archive(source) or source.server is None:
            raise Refusal(
                "PointInTimeRestoreNotEnabled",
                f"Point in time restore is not enabled for instance {source.identifier}.",
            )
        archive = source.server.archive
        last = shown.latest(source) or datetime.now(UTC)
        when = given.get("RestoreTime", last)
        if archive.earliest is None or not archive.earliest <= when <= last:
            raise invalid(
                f"The specified instance cannot be restored to {when.isoformat()}; the earliest "
                f"time is {archive.earliest}, the latest {last}."
            )
        made = self._new(call, given["TargetDBInstanceIdentifier"], source)
        return self._begun(made, lambda: home.restore_to_time(archive, when, made.resource_id))

    def _new(self, call: Call, identifier: str, of: Db | DbSnapshot) -> Db:
        """A restored instance: storage and users are the source's, most settings are not."""
        given, like = call.given, of.of if isinstance(of, DbSnapshot) else of
        return Db(
            identifier=identifier,
            region=call.region,
            db_class=class_of(given, like.db_class),
            master_user=like.master_user,
            tags=tags_of(given),
            deletion_protection=bool(given.get("DeletionProtection")),
            copy_tags=bool(given.get("CopyTagsToSnapshot")),
            iam=bool(given.get("EnableIAMDatabaseAuthentication")),
            retention_days=days_of(given, like.retention_days or 1),
            **engine_of(given, of.engine_version),
            **network_of(given),
        )

    def _begun(self, made: Db, start: Any) -> Mapping[str, Any]:
        self._world.add(made)
        fails = self._later(DatabaseCall.RESTORE, made.identifier)
        if fails is None:
            self._instances.bring_up(made, start)
            told = shown.instance(self._world, made)
        else:
            told = shown.instance(self._world, made)
            made.status = FAILED.get(fails, "restore-error")
            made.message = f"The DB instance could not be restored: {fails}."
        return {"DBInstance": told}

    def _later(self, call: DatabaseCall, name: str) -> ErrorKind | None:
        fault = self._faults.meet(DatabaseFaultKind.FAIL_LATER, call, name)
        return None if fault is None else fault.error
