"""Actions on instances: making, describing, changing and deleting them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.database import ENGINE_VERSION, shown
from airflow_multicloud.testing.local_clouds.aws.database.rules import (
    class_of,
    days_of,
    engine_of,
    network_of,
    page_of,
    tags_of,
)
from airflow_multicloud.testing.local_clouds.aws.database.words import (
    contradictory,
    invalid,
    wrong_state,
)
from airflow_multicloud.testing.local_clouds.aws.database.world import Db, DbSnapshot, World
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call
from airflow_multicloud.testing.local_clouds.kit.postgres.instance import Instance, Login

_FAILED = ("failed", "insufficient-capacity", "restore-error", "storage-full")
# "Default: 1" of CreateDBInstance.
_DAYS = 1
_LEAST_PASSWORD = 8
_MODIFIED = (
    *("DeletionProtection", "EngineVersion", "AllowMajorVersionUpgrade", "ApplyImmediately"),
    "DBParameterGroupName",
)


class Instances:
    """The actions; each is called with the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def create(self, call: Call) -> Mapping[str, Any]:
        """``CreateDBInstance``."""
        given = call.given
        user, password = given.get("MasterUsername"), given.get("MasterUserPassword", "")
        if given["Engine"] != "postgres":
            raise invalid(f"Invalid DB engine: {given['Engine']}")
        if not user or len(password) < _LEAST_PASSWORD:
            raise invalid("MasterUserPassword must be at least 8 characters, with MasterUsername.")
        made = Db(
            identifier=given["DBInstanceIdentifier"],
            region=call.region,
            db_class=class_of(given, ""),
            master_user=user,
            tags=tags_of(given),
            deletion_protection=bool(given.get("DeletionProtection")),
            copy_tags=bool(given.get("CopyTagsToSnapshot")),
            iam=bool(given.get("EnableIAMDatabaseAuthentication")),
            retention_days=days_of(given, _DAYS),
            **engine_of(given, ENGINE_VERSION),
            **network_of(given),
        )
        self._world.add(made)
        databases = (given.get("DBName", "postgres"),)
        home = self._world.home
        login = Login(user, password)
        self.bring_up(made, lambda: home.create(made.resource_id, login, databases))
        return {"DBInstance": shown.instance(self._world, made)}

    def replicate(self, call: Call) -> Mapping[str, Any]:
        """``CreateDBInstanceReadReplica``; the replica has the security groups of its source."""
        given, home = call.given, self._world.home
        source = self._available(call.region, given.get("SourceDBInstanceIdentifier", ""))
        server = source.server
        if source.retention_days == 0 or server is None:
            raise wrong_state(source.identifier, "automatic backups are not enabled")
        made = Db(
            identifier=given["DBInstanceIdentifier"],
            region=call.region,
            db_class=class_of(given, source.db_class),
            subnet_group=source.subnet_group,
            security_groups=list(source.security_groups),
            parameter_group=source.parameter_group,
            engine_version=source.engine_version,
            master_user=source.master_user,
            tags=tags_of(given),
            retention_days=0,
            source=source.identifier,
        )
        self._world.add(made)
        self.bring_up(made, lambda: home.replica(server, made.resource_id))
        return {"DBInstance": shown.instance(self._world, made)}

    def describe(self, call: Call) -> Mapping[str, Any]:
        """``DescribeDBInstances``."""
        given = call.given
        if given.get("Filters"):
            raise invalid("Filters are not offered by this local RDS.")
        marker: Mapping[str, str] = {}
        if identifier := given.get("DBInstanceIdentifier"):
            page = [self._world.found(call.region, identifier)]
        else:
            known = [
                one for (region, _), one in self._world.instances.items() if region == call.region
            ]
            page, marker = page_of(
                given, sorted(known, key=lambda one: one.identifier), most=self._world.page_size
            )
        return {"DBInstances": [shown.instance(self._world, one) for one in page], **marker}

    def backups(self, call: Call) -> Mapping[str, Any]:
        """``DescribeDBInstanceAutomatedBackups``."""
        wanted = call.given.get("DbiResourceId")
        known = [
            one
            for (region, _), one in self._world.instances.items()
            if region == call.region and one.resource_id == wanted and shown.has_archive(one)
        ]
        return {
            "DBInstanceAutomatedBackups": [
                {
                    "DBInstanceArn": one.arn,
                    "DbiResourceId": one.resource_id,
                    "DBInstanceIdentifier": one.identifier,
                    "RestoreWindow": {
                        "EarliestTime": one.server.archive.earliest,
                        "LatestTime": shown.latest(one),
                    },
                    "Status": "active",
                }
                for one in known
                if one.server is not None
            ]
        }

    def modify(self, call: Call) -> Mapping[str, Any]:
        """``ModifyDBInstance``, of the deletion protection and a major upgrade only."""
        given = call.given
        if strange := sorted(set(given) - {"DBInstanceIdentifier", *_MODIFIED}):
            raise invalid(f"{strange[0]} can't be modified in this local RDS.")
        one = self._available(call.region, given["DBInstanceIdentifier"])
        if "EngineVersion" in given:
            if not (given.get("AllowMajorVersionUpgrade") and given.get("ApplyImmediately")):
                raise contradictory(
                    "The AllowMajorVersionUpgrade flag must be present when upgrading to a new "
                    "major version; later than at once is not offered by this local RDS."
                )
            changed = engine_of(given, one.engine_version)
            one.engine_version = changed["engine_version"]
            one.parameter_group = changed["parameter_group"]
        one.deletion_protection = bool(given.get("DeletionProtection", one.deletion_protection))
        return {"DBInstance": shown.instance(self._world, one)}

    def promote(self, call: Call) -> Mapping[str, Any]:
        """``PromoteReadReplica``."""
        one = self._available(call.region, call.given["DBInstanceIdentifier"])
        days, server = days_of(call.given, _DAYS), one.server
        if one.source is None or server is None:
            raise wrong_state(one.identifier, "it is not a read replica")
        one.status = "modifying"

        def work() -> None:
            server.promote()
            with self._world.lock:
                one.source, one.retention_days, one.status = None, days, "available"

        self._world.run(work, lambda: _fail(one, "failed"))
        return {"DBInstance": shown.instance(self._world, one)}

    def stop(self, call: Call) -> Mapping[str, Any]:
        """``StopDBInstance``."""
        if "DBSnapshotIdentifier" in call.given:
            raise invalid("DBSnapshotIdentifier is not offered by this local RDS.")
        one = self._available(call.region, call.given["DBInstanceIdentifier"])
        if one.source is not None or any(self._world.replicas_of(one)):
            raise wrong_state(one.identifier, "a read replica, or one with read replicas")
        self._change(one, "stopping", "stopped", lambda server: server.stop())
        return {"DBInstance": shown.instance(self._world, one)}

    def start(self, call: Call) -> Mapping[str, Any]:
        """``StartDBInstance``."""
        one = self._world.found(call.region, call.given["DBInstanceIdentifier"])
        if one.status != "stopped":
            raise wrong_state(one.identifier, f"expected stopped, it is {one.status}")
        self._change(one, "starting", "available", lambda server: server.start())
        return {"DBInstance": shown.instance(self._world, one)}

    def delete(self, call: Call) -> Mapping[str, Any]:
        """``DeleteDBInstance``: replicas are promoted by it."""
        given, world = call.given, self._world
        one = world.found(call.region, given["DBInstanceIdentifier"])
        skip, name = bool(given.get("SkipFinalSnapshot")), given.get("FinalDBSnapshotIdentifier")
        if skip == (name is not None):
            raise contradictory(
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
            )
        if one.deletion_protection:
            raise contradictory(
                "Cannot delete protected DB Instance, please disable deletion protection and try "
                "again."
            )
        if one.status in ("deleting", "modifying", "starting", "stopping", "backing-up"):
            raise wrong_state(one.identifier, one.status)
        final = None
        if name is not None:
            if one.status != "available":
                raise wrong_state(one.identifier, one.status)
            if one.source is not None:
                raise contradictory("A final snapshot can't be taken of a read replica.")
            tags = dict(one.tags) if one.copy_tags else {}
            final = DbSnapshot(
                identifier=name,
                region=one.region,
                of=one,
                tags=tags,
                engine_version=one.engine_version,
            )
            world.add_snapshot(final)
        one.status = "deleting"
        world.run(lambda: self._end(one, final), lambda: _fail(one, "failed"))
        return {"DBInstance": shown.instance(world, one)}

    def bring_up(self, made: Db, start: Any) -> None:
        """Have a new instance run; it is available when its server is.

        :param start: gives the server.
        """
        world = self._world

        def work() -> None:
            server: Instance = start()
            with world.lock:
                if made.status == "creating":
                    made.server, made.status = server, "available"
                    return
            world.home.delete(server)  # it was deleted meanwhile

        world.run(work, lambda: _fail(made, "failed"))

    def _available(self, region: str, identifier: str) -> Db:
        one = self._world.found(region, identifier)
        if one.status != "available":
            raise wrong_state(one.identifier, one.status)
        return one

    def _change(self, one: Db, through: str, to: str, change: Any) -> None:
        one.status, server = through, one.server

        def work() -> None:
            change(server)
            with self._world.lock:
                one.status = to

        self._world.run(work, lambda: _fail(one, "failed"))

    def _end(self, one: Db, final: DbSnapshot | None) -> None:
        world, server = self._world, one.server
        if final is not None and server is not None:
            backup = world.home.backup(server, final.identifier)
            with world.lock:
                final.backup, final.status = backup, "available"
                final.created_at = backup.completed_at
        with world.lock:
            replicas = list(world.replicas_of(one))
        for replica in replicas:
            if replica.server is not None:
                replica.server.promote()
            with world.lock:
                replica.source = None
        if server is not None:
            world.home.delete(server)
        with world.lock:
            del world.instances[one.region, one.identifier]


def _fail(one: Db, status: str) -> None:
    one.status, one.message = status, "The instance could not be brought to its next state."
