"""A restore as people ask for it, checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from airflow_multicloud.core.database.given import (
    is_nothing,
    label_map,
    line,
    moment,
    reference,
    refused,
    resource_name,
)
from airflow_multicloud.core.database.restores import RestoreWish
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.lists import texts
from airflow_multicloud.ports.database import DatabaseNetwork, FromPointInTime, FromSnapshot

_LATEST = "latest"


def check_restore(given: Collection[str], *, scratch: bool, deletion_protected: bool) -> None:
    """Refuse parameters that don't go together.

    :param given: the names of those that were not left out.
    :raises DatabaseError: ``invalid_argument``.
    """
    sources = [one for one in ("database", "snapshot") if one in given]
    if len(sources) != 1:
        raise refused("database, snapshot", " and ".join(sources) or None, "exactly one of them")
    if "at" in given and "snapshot" in given:
        raise refused("at", "a moment", "none with snapshot, which is of one moment")
    if not scratch and "name" not in given:
        raise refused("name", None, "one for an instance that is not scratch")
    if scratch and deletion_protected:
        raise refused(
            "deletion_protected", "True", "False for a scratch instance, which is removed"
        )


def restore_wish(
    *,
    database: object = None,
    snapshot: object = None,
    at: object = None,
    name: object = None,
    scratch: bool = True,
    labels: Mapping[str, str] | None = None,
    size: object = None,
    network: object = None,
    deletion_protected: bool = False,
    region: object = None,
    account: str | None = None,
) -> RestoreWish:
    """What is asked for, checked before anything is asked of anybody.

    :raises DatabaseError: ``invalid_argument``.
    """
    given = {"database": database, "snapshot": snapshot, "at": at, "name": name}
    check_restore(
        [key for key, value in given.items() if not is_nothing(value)],
        scratch=scratch,
        deletion_protected=deletion_protected,
    )
    source: FromSnapshot | FromPointInTime
    if is_nothing(snapshot):
        source = FromPointInTime(reference("database", database, region), _time(at))
    else:
        source = FromSnapshot(reference("snapshot", snapshot, region))
    return RestoreWish(
        source=source,
        name=None if is_nothing(name) else resource_name("name", name),
        scratch=scratch,
        labels=label_map("labels", labels),
        size=None if is_nothing(size) else line("size", size),
        network=_network(network),
        deletion_protected=deletion_protected,
        account=account,
    )


def _time(at: object) -> datetime | None:
    if is_nothing(at) or at == _LATEST:
        return None
    time = moment("at", at)
    if time > datetime.now(UTC):
        raise refused("at", time.isoformat(), "a moment that has passed")
    return time


def _network(given: object) -> DatabaseNetwork | None:
    if is_nothing(given) or isinstance(given, DatabaseNetwork):
        return given if isinstance(given, DatabaseNetwork) else None
    names = [field.name for field in fields(DatabaseNetwork)]
    if not isinstance(given, Mapping):
        raise refused("network", given, f"a mapping of {', '.join(names)}")
    found: dict[str, Any] = dict(given)
    unknown = sorted(str(key) for key in found if key not in names)
    if unknown:
        raise refused("network", ", ".join(unknown), f"only {', '.join(names)}")
    for key in ("subnet", "private_zone"):
        if found.get(key) is not None:
            found[key] = line(f"network: {key}", found[key])
    groups = found.get("security_groups") or ()
    found["security_groups"] = (
        texts(groups, "network: security_groups", error=DatabaseError) if groups else ()
    )
    if not isinstance(found.get("public_address", False), bool):
        raise refused("network: public_address", found["public_address"], "True or False")
    return DatabaseNetwork(**found)
