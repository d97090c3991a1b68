"""Servers and backups of the service as the port's values, and ids as it takes them.

States: ``ServerState`` of the service's SDK; sizes: "Compute options in Azure Database for
PostgreSQL" (https://learn.microsoft.com/azure/postgresql/compute-storage/concepts-compute).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from airflow_multicloud.clouds.azure.database.errors import failure
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseEndpoint,
    DatabaseInstance,
    DatabaseRef,
    DatabaseRole,
    DatabaseState,
)

if TYPE_CHECKING:
    from azure.mgmt.postgresqlflexibleservers.models import Server

TYPE: Final = "Microsoft.DBforPostgreSQL/flexibleServers"
#: That the labels of a server's backups are kept under, among its tags.
BACKUP_TAGS: Final = "multicloud-snapshot:"
_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/\s]+)/resourceGroups/(?P<group>[^/\s]+)"
    rf"/providers/{re.escape(TYPE)}/(?P<name>[A-Za-z0-9-]+)(?:/backups/(?P<backup>[\w.-]+))?",
    re.IGNORECASE,
)
# "Always 5432", where PgBouncer is not asked
# (https://learn.microsoft.com/azure/postgresql/connectivity/concepts-connectivity-issues).
_PORT = 5432
#: One that is not here is taken for a change that goes on.
_STATES: Mapping[str, DatabaseState] = {
    "ready": DatabaseState.AVAILABLE,
    "provisioning": DatabaseState.CREATING,
    "starting": DatabaseState.STARTING,
    "stopping": DatabaseState.STOPPING,
    "stopped": DatabaseState.STOPPED,
    "dropping": DatabaseState.DELETING,
    "disabled": DatabaseState.FAILED,
    "inaccessible": DatabaseState.FAILED,
}
#: State of a server that does not work → why: the subscription's state, or the key's.
FAILURES: Mapping[str, ErrorKind] = {
    "disabled": ErrorKind.PRECONDITION_FAILED,
    "inaccessible": ErrorKind.PERMISSION_DENIED,
}
CHANGING = frozenset(
    {
        DatabaseState.CREATING,
        DatabaseState.BUSY,
        DatabaseState.STARTING,
        DatabaseState.STOPPING,
        DatabaseState.DELETING,
    }
)
_TIERS = {"B": "Burstable", "D": "GeneralPurpose", "E": "MemoryOptimized"}
_SIZE = re.compile(r"Standard_([BDE])\d\w*", re.ASCII)
_PORTALS = {
    "management.usgovcloudapi.net": "https://portal.azure.us",
    "management.chinacloudapi.cn": "https://portal.azure.cn",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which server or backup an id names.

    :param group: its resource group, in lower case: Azure takes and gives it in any.
    :param backup: of the server, or the server itself.
    """

    subscription: str
    group: str
    name: str
    backup: str | None = None

    @property
    def server(self) -> str:
        """The server's id: one form, whatever case Azure answers with."""
        within = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{within}/providers/{TYPE}/{self.name}"

    @property
    def id(self) -> str:
        """The id of what it names, likewise."""
        return self.server if self.backup is None else f"{self.server}/backups/{self.backup}"


def place_of(ref: DatabaseRef, subscription: str, *, is_backup: bool = False) -> Place:
    """What a reference names.

    :param subscription: the connection's.
    :raises DatabaseError: ``invalid_argument``.
    """
    found = _ID.fullmatch(ref.id)
    if found is None or (found["backup"] is not None) != is_backup:
        what, end = ("snapshot", "/backups/…") if is_backup else ("database", "")
        other = "" if is_backup else " or …/providers/Microsoft.Sql/servers/…/databases/…"
        raise failure(
            f"{what}: {ref.id!r} given; expected "
            f"/subscriptions/…/resourceGroups/…/providers/{TYPE}/…{end}{other}"
        )
    if found["subscription"].lower() != subscription.lower():
        raise failure(
            f"database: {ref.id!r} is not in the connection's subscription, {subscription}; use a "
            "connection of its own"
        )
    return Place(
        subscription=subscription.lower(),
        group=found["group"].lower(),
        name=found["name"].lower(),
        backup=found["backup"],
    )


def text_of(value: object) -> str:
    """What the service wrote, where the SDK gives a member of an enumeration or a text."""
    return "" if value is None else str(getattr(value, "value", value))


def region_of(server: Server) -> str:
    """A region as the port writes it: ``West Europe`` is ``westeurope``."""
    return (server.location or "").replace(" ", "").lower()


def status_of(server: Server) -> str:
    """The service's word for how a server is."""
    return text_of(server.properties.state if server.properties else None)


def state_of(server: Server) -> DatabaseState:
    """How a server is."""
    return _STATES.get(status_of(server).lower(), DatabaseState.BUSY)


def labels_of(server: Server) -> dict[str, str]:
    """A server's tags, without those that are of its backups."""
    tags: Mapping[str, str] = server.tags or {}
    return {key: value for key, value in tags.items() if not key.startswith(BACKUP_TAGS)}


def primary_of(server: Server) -> str | None:
    """The id of the primary that a replica follows; ``None`` for what is no replica."""
    properties = server.properties
    if properties is None:
        return None
    role = text_of(properties.replica.role if properties.replica else properties.replication_role)
    if not role.lower().endswith("asyncreplica"):
        return None
    return canonical(properties.source_server_resource_id or "")


def canonical(id_: str) -> str:
    """A server's id in the form of :attr:`Place.id`; any other text as it is."""
    found = _ID.fullmatch(id_)
    if found is None:
        return id_
    return Place(
        subscription=found["subscription"].lower(),
        group=found["group"].lower(),
        name=found["name"].lower(),
    ).server


def tier_of(size: str) -> str:
    """The tier that a size belongs to, by its family.

    :raises DatabaseError: ``invalid_argument``.
    """
    found = _SIZE.fullmatch(size)
    if found is None:
        raise failure(f"size: {size!r} given; expected a SKU's name, as Standard_D2ds_v5")
    return _TIERS[found[1]]


def instance_of(
    server: Server, *, replicas: Iterable[str], is_locked: bool, endpoint: str
) -> DatabaseInstance:
    """A server as the port has it, without its lag.

    Azure tells no last moment to restore: any until now is taken.

    :param replicas: ids of what follows it.
    :param is_locked: whether a lock keeps it from being deleted.
    :param endpoint: Resource Manager's, which tells which portal it is seen in.
    :raises LookupError: when it is none.
    """
    id_ = canonical(str(server.id))
    found = _ID.fullmatch(id_)
    properties = server.properties
    if found is None or properties is None:
        raise LookupError(f"{id_!r} is no server")
    status, state, source = status_of(server).lower(), state_of(server), primary_of(server)
    version = ".".join(filter(None, (text_of(properties.version), properties.minor_version)))
    backup, created = properties.backup, server.system_data
    earliest = None if source or backup is None else backup.earliest_restore_date
    host = properties.fully_qualified_domain_name
    kind = FAILURES.get(status)
    return DatabaseInstance(
        ref=DatabaseRef(id_, region_of(server)),
        name=found["name"],
        state=state,
        role=DatabaseRole.REPLICA if source is not None else DatabaseRole.PRIMARY,
        engine="postgres",
        engine_version=version,
        account_id=found["subscription"],
        endpoint=DatabaseEndpoint(host, _PORT) if host else None,
        replica_of=source,
        replicas=tuple(replicas),
        size=server.sku.name if server.sku else None,
        labels=labels_of(server),
        deletion_protected=is_locked,
        created_at=moment_of(created.created_at if created else None),
        restorable_from=moment_of(earliest),
        restorable_until=datetime.now(UTC) if earliest else None,
        error_kind=kind,
        error=None if kind is None else f"its state is {status_of(server)}",
        console_url=f"{portal_of(endpoint)}/#resource{id_}",
    )


def portal_of(endpoint: str) -> str:
    """The portal in which resources are seen.

    :param endpoint: Resource Manager's.
    """
    return _PORTALS.get(urlsplit(endpoint).hostname or "", "https://portal.azure.com")


def moment_of(value: datetime | None) -> datetime | None:
    """An aware time, in UTC."""
    return None if value is None else value.astimezone(UTC)
