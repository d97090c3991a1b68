"""Cloud SQL's answers as the port's values, and references as it takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from airflow_multicloud.clouds.gcp.database.claims import may_be_claimed, shown_labels
from airflow_multicloud.clouds.gcp.database.errors import failure
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseEndpoint,
    DatabaseInstance,
    DatabaseRef,
    DatabaseRole,
    DatabaseState,
)

_PROJECT: Final = r"(?P<project>[A-Za-z0-9.:-]{1,255})"
#: "Instance ID" of https://cloud.google.com/sql/docs/postgres/instance-settings.
_NAME: Final = r"(?P<name>[a-z][a-z0-9-]{0,97})"
_ID: Final = re.compile(rf"(?:projects/{_PROJECT}/instances/)?{_NAME}")
_BACKUP_ID: Final = re.compile(rf"projects/{_PROJECT}/backups/(?P<name>[A-Za-z0-9_-]{{1,255}})")

#: ``state`` in the discovery document. Whether a RUNNABLE one runs is told by its policy. One that
#: is not here is taken for a change that goes on.
_STATES: Final[Mapping[str, DatabaseState]] = {
    "RUNNABLE": DatabaseState.AVAILABLE,
    "ONLINE_MAINTENANCE": DatabaseState.AVAILABLE,
    "PENDING_CREATE": DatabaseState.CREATING,
    "PENDING_DELETE": DatabaseState.DELETING,
    "SUSPENDED": DatabaseState.FAILED,
    "FAILED": DatabaseState.FAILED,
}
#: Of MySQL and SQL Server likewise the engine's own: Cloud SQL has no others.
_PORTS: Final = {"postgres": 5432, "mysql": 3306, "sqlserver": 1433}
#: A private address is what those who have one are reached at.
_ADDRESSES: Final = ("PRIVATE", "PRIMARY")


@dataclass(frozen=True, slots=True)
class Place:
    """Which instance or backup a reference names."""

    project: str
    name: str

    @property
    def id(self) -> str:
        """An instance's full id."""
        return f"projects/{self.project}/instances/{self.name}"

    @property
    def path(self) -> str:
        """The instance in the Admin API."""
        return f"{project_path(self.project)}/instances/{quote(self.name, safe='')}"

    @property
    def backup_id(self) -> str:
        """A backup's full id."""
        return f"projects/{self.project}/backups/{self.name}"

    @property
    def backup_path(self) -> str:
        """The backup in the Admin API."""
        return f"{project_path(self.project)}/backups/{quote(self.name, safe='')}"


def project_path(project: str) -> str:
    """A project in the Admin API."""
    return f"/v1/projects/{quote(project, safe=':')}"


def place_of(ref: DatabaseRef, *, home: str | None) -> Place:
    """The instance that a reference names.

    :param home: the project of a plain name.
    :raises DatabaseError: ``invalid_argument``.
    """
    found = _ID.fullmatch(ref.id)
    project = (found["project"] or home) if found else None
    if found is None or project is None:
        raise failure(
            f"database: {ref.id!r} given; expected an instance's name, or "
            "projects/<project>/instances/<name>",
            ErrorKind.INVALID_ARGUMENT,
        )
    return Place(project, found["name"])


def backup_place_of(ref: DatabaseRef) -> Place:
    """The backup that a reference names.

    :raises DatabaseError: ``invalid_argument``.
    """
    found = _BACKUP_ID.fullmatch(ref.id)
    if found is None:
        raise failure(
            f"snapshot: {ref.id!r} given; expected projects/<project>/backups/<id>",
            ErrorKind.INVALID_ARGUMENT,
        )
    return Place(found["project"], found["name"])


def project_in(ref: DatabaseRef) -> str | None:
    """The project that the id of an instance or a backup names; ``None`` for a plain name.

    :raises DatabaseError: ``invalid_argument``.
    """
    if "/backups/" in ref.id:
        return backup_place_of(ref).project
    return place_of(ref, home="").project or None


def settings_of(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """An instance's settings."""
    settings: Mapping[str, Any] = item.get("settings") or {}
    return settings


def state_of(item: Mapping[str, Any]) -> DatabaseState:
    """How an instance is."""
    state = _STATES.get(item.get("state", ""), DatabaseState.BUSY)
    if state is DatabaseState.AVAILABLE and settings_of(item).get("activationPolicy") == "NEVER":
        return DatabaseState.STOPPED
    return state


def primary_of(item: Mapping[str, Any]) -> str | None:
    """Full id of what a replica follows; ``None`` for a primary."""
    name = item.get("masterInstanceName")
    return _full_id(name, item["project"]) if name else None


def replicas_of(item: Mapping[str, Any]) -> tuple[str, ...]:
    """Full ids of what follows an instance."""
    return tuple(_full_id(name, item["project"]) for name in item.get("replicaNames") or ())


def engine_of(version: str) -> tuple[str, str]:
    """Engine and version that Google writes in one: ``POSTGRES_16_4``, ``SQLSERVER_2019_WEB``."""
    engine, *parts = version.split("_")
    number = ".".join(part for part in parts if part.isdecimal())
    return engine.lower(), number


def moment_of(text: str | None) -> datetime | None:
    """A time that Google writes by RFC 3339; ``None`` for none."""
    return None if not text else datetime.fromisoformat(text).astimezone(UTC)


def instance_of(item: Mapping[str, Any]) -> DatabaseInstance:
    """An instance as the port has it, without its lag and the moments to restore.

    :param item: of ``instances.get``.
    :raises LookupError: when it is none.
    """
    place = Place(item["project"], item["name"])
    engine, version = engine_of(item.get("databaseInstalledVersion") or item["databaseVersion"])
    state, primary = state_of(item), primary_of(item)
    failed = state is DatabaseState.FAILED
    settings = settings_of(item)
    return DatabaseInstance(
        ref=DatabaseRef(place.id, item["region"]),
        name=place.name,
        state=state,
        role=DatabaseRole.REPLICA if primary else DatabaseRole.PRIMARY,
        engine=engine,
        engine_version=version,
        account_id=place.project,
        endpoint=_endpoint(item, engine),
        replica_of=primary,
        replicas=replicas_of(item),
        size=settings.get("tier"),
        labels=shown_labels(item),
        labels_may_follow=may_be_claimed(item),
        deletion_protected=bool(settings.get("deletionProtectionEnabled")),
        created_at=moment_of(item.get("createTime")),
        error_kind=_why_failed(item) if failed else None,
        error=told_state(item) if failed else None,
        console_url=(
            f"https://console.cloud.google.com/sql/instances/{place.name}/overview"
            f"?project={quote(place.project, safe=':')}"
        ),
    )


def told_state(item: Mapping[str, Any]) -> str:
    """What Cloud SQL says of an instance's state."""
    reasons = ", ".join(item.get("suspensionReason") or ())
    return f"its state is {item.get('state')}" + (f" ({reasons})" if reasons else "")


def _why_failed(item: Mapping[str, Any]) -> ErrorKind:
    if item["state"] == "FAILED":
        return ErrorKind.UNAVAILABLE
    denied = "KMS_KEY_ISSUE" in (item.get("suspensionReason") or ())
    return ErrorKind.PERMISSION_DENIED if denied else ErrorKind.PRECONDITION_FAILED


def _full_id(name: str, project: str) -> str:
    """Of a plain name, or ``project:name``, where the project may have a colon of its own."""
    of, _, plain = name.rpartition(":")
    return Place(of or project, plain).id


def _endpoint(item: Mapping[str, Any], engine: str) -> DatabaseEndpoint | None:
    known = {one.get("type"): one["ipAddress"] for one in item.get("ipAddresses") or ()}
    host = next((known[kind] for kind in _ADDRESSES if kind in known), None)
    return DatabaseEndpoint(host, _PORTS[engine]) if host and engine in _PORTS else None
