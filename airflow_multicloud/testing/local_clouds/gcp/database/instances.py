"""Methods on instances: making, describing, changing, promoting and deleting them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from airflow_multicloud.testing.local_clouds.gcp.database import shown
from airflow_multicloud.testing.local_clouds.gcp.database.refusals import (
    invalid,
    not_for_this,
    wrong_state,
)
from airflow_multicloud.testing.local_clouds.gcp.database.rules import (
    REGIONS,
    TIERS,
    check_name,
    defaults,
    fits,
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
from airflow_multicloud.testing.local_clouds.gcp.rest.strict import Call
from airflow_multicloud.testing.local_clouds.kit.postgres.instance import Instance, Login
from airflow_multicloud.testing.sql_faults import DatabaseCall

#: Google's is 500; "the service may return fewer" than were asked for.
_PAGE = 3


class Instances:
    """The methods; each is called with the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def handlers(self) -> Mapping[str, Callable[[Call], Any]]:
        """Method's id → what answers it."""
        return {
            "sql.instances.insert": self.insert,
            "sql.instances.get": self.get,
            "sql.instances.list": self.list_all,
            "sql.instances.patch": self.patch,
            "sql.instances.promoteReplica": self.promote,
            "sql.instances.delete": self.delete,
            "sql.projects.instances.getLatestRecoveryTime": self.recovery_time,
            "sql.users.insert": self.insert_user,
            "sql.tiers.list": self.tiers,
        }

    def insert(self, call: Call) -> dict[str, Any]:
        """A new instance or replica; PostgreSQL only, of the version that runs here."""
        given, world = call.body, self._world
        name, region = given.get("name", ""), given.get("region", REGIONS[0])
        check_name(name)
        if region not in REGIONS:
            raise invalid(f"Invalid region ({region})")
        if not (primary := given.get("masterInstanceName")):
            if given.get("databaseVersion") != shown.VERSION:
                raise invalid(f"Invalid database version ({given.get('databaseVersion')})")
            login = Login("postgres", given.get("rootPassword") or secrets.token_urlsafe())
            made = Db(name=name, region=region, settings=defaults(given.get("settings", {})))
            world.add(made)
            start: Callable[[], Instance] = lambda: world.home.create(name, login)  # noqa: E731
            return self.bring_up("CREATE", made, start)
        source = world.idle(primary.rpartition(":")[2])
        server = source.server
        if source.primary or not source.runs or server is None:
            raise wrong_state()
        settings = {"tier": source.settings["tier"], **given.get("settings", {})}
        made = Db(name=name, region=region, settings=defaults(settings), primary=source.name)
        world.add(made)
        return self.bring_up("CREATE_REPLICA", made, lambda: world.home.replica(server, name))

    def bring_up(
        self,
        kind: str,
        made: Db,
        start: Callable[[], Instance],
        *,
        later: tuple[DatabaseCall, str] | None = None,
    ) -> dict[str, Any]:
        """Have a new instance run.

        :param start: gives the server.
        :param later: as in :meth:`World.begin`.
        """

        def run() -> None:
            server = start()
            with self._world.lock:
                made.server, made.state = server, "RUNNABLE"

        def failed(_error: dict[str, Any]) -> None:
            made.state = "FAILED"

        return self._world.begin(kind, made.name, run, failed=failed, later=later)

    def get(self, call: Call) -> dict[str, Any]:
        """One instance."""
        return shown.instance(self._world, self._world.found(call.parameters["instance"]))

    def list_all(self, call: Call) -> dict[str, Any]:
        """Those that a filter fits."""
        terms = terms_of(call.parameters.get("filter", ""))
        missed = self._world.seeds("unreachable_regions", "region")
        all_of_them = [shown.instance(self._world, one) for one in self._world.instances.values()]
        found = [
            one
            for one in all_of_them
            if one["region"] not in missed and all(fits(one, *term) for term in terms)
        ]
        sized = {**call.parameters, "pageSize": call.parameters.get("maxResults")}
        page = page_of(Call(call.method, sized, None), "items", found, _PAGE)
        if not found:  # as all of Google's: an empty list is left out
            page = {}
        if missed:
            page["warnings"] = [
                {"code": "REGION_UNREACHABLE", "region": region, "message": "The region is down."}
                for region in sorted(missed)
            ]
        return {"kind": "sql#instancesList", **page}

    def patch(self, call: Call) -> dict[str, Any]:
        """Change settings; whether it runs is one of them."""
        if strange := sorted(set(call.body) - {"settings"}):
            raise invalid(f"{strange[0]} can't be changed here")
        one = self._world.idle(call.parameters["instance"])
        if one.state != "RUNNABLE":
            raise wrong_state()
        changes = call.body.get("settings", {})
        settings = merged(one.settings, changes)
        policy, server = changes.get("activationPolicy"), one.server
        stops = policy == "NEVER" and one.settings["activationPolicy"] != "NEVER"
        if stops and (one.primary or any(self._world.replicas_of(one))):
            raise not_for_this()

        def run() -> None:
            if server is not None and policy == "NEVER":
                server.stop()
            elif server is not None and policy == "ALWAYS":
                server.start()
            with self._world.lock:
                one.settings = settings

        return self._world.begin("UPDATE", one.name, run)

    def promote(self, call: Call) -> dict[str, Any]:
        """Make a replica a primary; its backups are off from then on, as Google's are not."""
        one = self._world.idle(call.parameters["instance"])
        server = one.server
        if one.primary is None:
            raise not_for_this()
        if not one.runs or server is None:
            raise wrong_state()

        def run() -> None:
            server.promote()
            with self._world.lock:
                one.primary = None

        return self._world.begin("PROMOTE_REPLICA", one.name, run)

    def delete(self, call: Call) -> dict[str, Any]:
        """Delete one, and its backups unless they are to be kept."""
        given, world = call.parameters, self._world
        one = world.idle(given["instance"])
        if one.settings.get("deletionProtectionEnabled"):
            raise invalid(
                "The instance is protected. Please disable the deletion protection and try again"
            )
        if any(world.replicas_of(one)):
            raise not_for_this()
        final = None
        if given.get("enableFinalBackup"):
            if not one.runs:
                raise wrong_state()
            final = DbBackup(
                of=one.name,
                region=one.region,
                settings=dict(one.settings),
                kind="FINAL",
                description=given.get("finalBackupDescription"),
            )
            world.backups[final.name] = final
        before, one.state = one.state, "PENDING_DELETE"

        def run() -> None:
            if final is not None and one.server is not None:
                final.begun_at = stamp(datetime.now().astimezone())
                final.backup = world.home.backup(one.server, final.uid)
                final.state = "SUCCESSFUL"
            if one.server is not None:
                world.home.delete(one.server)
            with world.lock:
                del world.instances[one.name]
                if not one.settings.get("retainBackupsOnDelete"):
                    self._forget_backups(one)

        def failed(_error: dict[str, Any]) -> None:
            one.state = before

        return world.begin("DELETE", one.name, run, failed=failed)

    def recovery_time(self, call: Call) -> dict[str, Any]:
        """The moments that an instance can be restored to."""
        one = self._world.idle(call.parameters["instance"])
        if not has_log(one) or one.server is None:
            raise not_for_this()
        archive = one.server.archive
        latest = one.server.seal() if one.runs else archive.latest
        if archive.earliest is None or latest is None:
            raise wrong_state()
        return {
            "kind": "sql#getLatestRecoveryTime",
            "earliestRecoveryTime": stamp(archive.earliest),
            "latestRecoveryTime": stamp(latest),
        }

    def insert_user(self, call: Call) -> dict[str, Any]:
        """A user who owns the database ``postgres``."""
        one = self._world.idle(call.parameters["instance"])
        server, given = one.server, call.body
        if one.primary or not one.runs or server is None:
            raise wrong_state()
        login = Login(given["name"], given["password"])
        return self._world.begin("CREATE_USER", one.name, lambda: server.add_login(login, ()))

    def tiers(self, _call: Call) -> dict[str, Any]:
        """The sizes that are listed."""
        items = [
            {"kind": "sql#tier", "tier": tier, "RAM": str(size), "region": list(REGIONS)}
            for tier, size in TIERS.items()
        ]
        return {"kind": "sql#tiersList", "items": items}

    def _forget_backups(self, one: Db) -> None:
        for backup in list(self._world.backups.values()):
            if backup.of == one.name and backup.kind != "FINAL":
                del self._world.backups[backup.name]
                if backup.backup is not None:
                    self._world.home.delete_backup(backup.backup)


def has_log(one: Db) -> bool:
    """Whether moments of an instance can be restored."""
    configured = one.settings.get("backupConfiguration", {})
    return bool(configured.get("pointInTimeRecoveryEnabled")) and one.primary is None
