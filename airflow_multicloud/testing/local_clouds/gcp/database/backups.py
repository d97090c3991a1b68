"""Backups and what is made of them, and clones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp.database import shown
from airflow_multicloud.testing.local_clouds.gcp.database.instances import Instances, has_log
from airflow_multicloud.testing.local_clouds.gcp.database.refusals import (
    invalid,
    not_for_this,
    wrong_state,
)
from airflow_multicloud.testing.local_clouds.gcp.database.rules import (
    check_name,
    merged,
    terms_of,
)
from airflow_multicloud.testing.local_clouds.gcp.database.world import (
    Db,
    DbBackup,
    World,
    stamp,
)
from airflow_multicloud.testing.local_clouds.gcp.rest.paging import page_of
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Call, Refusal
from airflow_multicloud.testing.local_clouds.kit.postgres.archives import NotRestorableError
from airflow_multicloud.testing.local_clouds.kit.postgres.instance import Instance
from airflow_multicloud.testing.sql_faults import DatabaseCall

_PAGE = 3


class Backups:
    """The methods; each is called with the world's lock."""

    def __init__(self, world: World, instances: Instances) -> None:
        self._world = world
        self._instances = instances

    @property
    def handlers(self) -> Mapping[str, Callable[[Call], Any]]:
        """Method's id → what answers it."""
        return {
            "sql.Backups.CreateBackup": self.create,
            "sql.Backups.GetBackup": self.get,
            "sql.Backups.ListBackups": self.list_all,
            "sql.Backups.DeleteBackup": self.delete,
            "sql.instances.restoreBackup": self.restore,
            "sql.instances.clone": self.clone,
            "sql.operations.get": self.get_operation,
            "sql.operations.list": self.list_operations,
        }

    def create(self, call: Call) -> dict[str, Any]:
        """An on-demand backup."""
        if strange := sorted(set(call.body) - {"instance", "description", "location"}):
            raise invalid(f"{strange[0]} can't be given")
        world, text = self._world, call.body.get("description")
        one = world.idle(call.body.get("instance", ""))
        server = one.server
        if not one.runs or server is None:
            raise wrong_state()
        made = DbBackup(
            of=one.name,
            region=one.region,
            settings=dict(one.settings),
            kind="ON_DEMAND",
            description=text,
        )
        world.backups[made.name] = made

        def run() -> None:
            made.state, made.begun_at = "RUNNING", stamp(datetime.now(UTC))
            made.backup = world.home.backup(server, made.uid)
            made.state = "SUCCESSFUL"

        def failed(error: dict[str, Any]) -> None:
            made.state, made.error = "FAILED", error

        return world.begin(
            "BACKUP_VOLUME",
            one.name,
            run,
            failed=failed,
            context={"backupContext": {"kind": "sql#backupContext", "name": made.name}},
            later=(DatabaseCall.SNAPSHOT, text or ""),
        )

    def get(self, call: Call) -> dict[str, Any]:
        """One backup."""
        return shown.backup(self._world.found_backup(call.parameters["name"]))

    def list_all(self, call: Call) -> dict[str, Any]:
        """Those of the project, or of an instance."""
        terms = terms_of(call.parameters.get("filter", ""), known=("instance",))
        found = [
            shown.backup(one)
            for one in self._world.backups.values()
            if all(one.of == name for _, name in terms)
        ]
        return page_of(call, "backups", found, _PAGE) if found else {}

    def delete(self, call: Call) -> dict[str, Any]:
        """Delete one."""
        world = self._world
        one = world.found_backup(call.parameters["name"])
        if one.state in ("ENQUEUED", "RUNNING", "DELETING"):
            raise wrong_state()
        one.state = "DELETING"

        def run() -> None:
            if one.backup is not None:
                world.home.delete_backup(one.backup)
            with world.lock:
                del world.backups[one.name]

        return world.begin("DELETE_BACKUP", one.uid, run)

    def restore(self, call: Call) -> dict[str, Any]:
        """A new instance with a backup's data; over one that is there it is not simulated."""
        given, name = call.body, call.parameters["instance"]
        if strange := sorted(set(given) - {"backup", "restoreInstanceSettings"}):
            raise invalid(f"{strange[0]} can't be given here")
        overrides = given.get("restoreInstanceSettings", {})
        if strange := sorted(set(overrides) - {"settings"}):
            raise invalid(f"restoreInstanceSettings.{strange[0]} can't be given here")
        check_name(name)
        one = self._world.found_backup(given.get("backup", ""))
        if name in self._world.instances:
            raise not_for_this()
        backup = one.backup
        if one.state != "SUCCESSFUL" or backup is None:
            raise wrong_state()
        settings = merged(one.settings, overrides.get("settings", {}))
        made = Db(name=name, region=one.region, settings=settings)
        return self._bring_up(
            "RESTORE_VOLUME", made, lambda: self._world.home.restore(backup, name)
        )

    def clone(self, call: Call) -> dict[str, Any]:
        """A new instance as another is or was, with its settings and labels."""
        context, world = call.body.get("cloneContext", {}), self._world
        if strange := sorted(set(context) - {"destinationInstanceName", "pointInTime"}):
            raise invalid(f"{strange[0]} can't be given here")
        name = context.get("destinationInstanceName", "")
        check_name(name)
        source = world.idle(call.parameters["instance"])
        server = source.server
        if source.primary or not source.runs or server is None:
            raise wrong_state()
        made = Db(name=name, region=source.region, settings=merged(source.settings, {}))
        if (text := context.get("pointInTime")) is None:
            return self._bring_up("CLONE", made, lambda: self._copy(server, name))
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise invalid(f"Invalid value for: pointInTime ({text})") from None
        if not has_log(source):
            raise not_for_this()
        server.seal()
        try:
            server.archive.check_reaches(moment)
        except NotRestorableError:
            raise Refusal(
                HTTPStatus.BAD_REQUEST, "Invalid point in time.", reason="invalid"
            ) from None
        archive = server.archive
        return self._bring_up(
            "CLONE", made, lambda: world.home.restore_to_time(archive, moment, name)
        )

    def get_operation(self, call: Call) -> dict[str, Any]:
        """One operation."""
        for work in self._world.operations:
            if work.name == call.parameters["operation"]:
                return work.shown()
        raise Refusal(
            HTTPStatus.NOT_FOUND, "The operation does not exist.", reason="operationDoesNotExist"
        )

    def list_operations(self, call: Call) -> dict[str, Any]:
        """Those on an instance, the newest first."""
        wanted = call.parameters.get("instance")
        found = [
            work.shown()
            for work in reversed(self._world.operations)
            if wanted in (None, work.target)
        ]
        sized = {**call.parameters, "pageSize": call.parameters.get("maxResults")}
        page = page_of(Call(call.method, sized, None), "items", found, 100) if found else {}
        return {"kind": "sql#operationsList", **page}

    def _bring_up(self, kind: str, made: Db, start: Callable[[], Instance]) -> dict[str, Any]:
        self._world.add(made)
        later = (DatabaseCall.RESTORE, made.name)
        return self._instances.bring_up(kind, made, start, later=later)

    def _copy(self, server: Instance, name: str) -> Instance:
        home = self._world.home
        copied = home.backup(server, f"for {name}")
        try:
            return home.restore(copied, name)
        finally:
            home.delete_backup(copied)
