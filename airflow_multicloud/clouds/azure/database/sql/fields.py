"""Databases of Azure SQL as the port's values, and ids as the service takes them.

States: ``DatabaseStatus`` of the service's SDK, which says no more of them; roles and links:
"Replication Links" (https://learn.microsoft.com/rest/api/sql/replication-links).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from airflow_multicloud.clouds.azure.database.errors import failure
from airflow_multicloud.clouds.azure.database.fields import moment_of, portal_of, text_of
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseEndpoint,
    DatabaseInstance,
    DatabaseRef,
    DatabaseRole,
    DatabaseState,
)

if TYPE_CHECKING:
    from azure.mgmt.sql.models import Database, ReplicationLink, Server

TYPE: Final = "Microsoft.Sql/servers/databases"
#: The tier whose databases can be paused and resumed: dedicated SQL pools.
DATA_WAREHOUSE: Final = "datawarehouse"
_OURS = re.compile(r"/providers/Microsoft\.Sql/", re.IGNORECASE)
_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/\s]+)/resourceGroups/(?P<group>[^/\s]+)"
    r"/providers/Microsoft\.Sql/servers/(?P<server>[A-Za-z0-9-]+)/databases/(?P<name>[^/<>*%&:\\?]+)",
    re.IGNORECASE,
)
# https://learn.microsoft.com/azure/azure-sql/database/connectivity-architecture
_PORT = 1433
#: Every server has one, which is the service's.
_SYSTEM = "master"
#: One that is not here is taken for a change that goes on.
_STATES: Mapping[str, DatabaseState] = {
    "online": DatabaseState.AVAILABLE,
    "creating": DatabaseState.CREATING,
    "copying": DatabaseState.CREATING,
    "restoring": DatabaseState.CREATING,
    "pausing": DatabaseState.STOPPING,
    "paused": DatabaseState.STOPPED,
    "resuming": DatabaseState.STARTING,
    "starting": DatabaseState.STARTING,
    "stopping": DatabaseState.STOPPING,
    "stopped": DatabaseState.STOPPED,
    "disabled": DatabaseState.FAILED,
    "emergencymode": DatabaseState.FAILED,
    "inaccessible": DatabaseState.FAILED,
    "offline": DatabaseState.FAILED,
    "recoverypending": DatabaseState.FAILED,
    "shutdown": DatabaseState.FAILED,
    "suspect": DatabaseState.FAILED,
}
#: State of one that does not work → why, where that is known: the key that it is encrypted with.
_FAILURES = {
    "inaccessible": ErrorKind.PERMISSION_DENIED,
    "disabled": ErrorKind.PRECONDITION_FAILED,
}
_SECONDARY = frozenset({"secondary", "nonreadablesecondary"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlPlace:
    """Which database an id names.

    :param group: its resource group, in lower case: Azure takes and gives it in any.
    :param server: likewise.
    :param name: as it was given; Azure takes it in any case.
    """

    subscription: str
    group: str
    server: str
    name: str

    @property
    def server_id(self) -> str:
        """The id of its server: one form, whatever case Azure answers with."""
        within = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{within}/providers/Microsoft.Sql/servers/{self.server}"

    @property
    def id(self) -> str:
        """Its own, likewise."""
        return f"{self.server_id}/databases/{self.name}"


def is_sql(ref: DatabaseRef) -> bool:
    """Whether a reference is to something of Azure SQL."""
    return _OURS.search(ref.id) is not None


def place_of(ref: DatabaseRef, subscription: str) -> SqlPlace:
    """What a reference names.

    :param subscription: the connection's.
    :raises DatabaseError: ``invalid_argument``.
    """
    found = _place(ref.id)
    if found is None or found.name.lower() == _SYSTEM:
        raise failure(
            f"database: {ref.id!r} given; expected /subscriptions/…/resourceGroups/…/providers/"
            "Microsoft.Sql/servers/…/databases/… of a database that is not the service's own"
        )
    if found.subscription != subscription.lower():
        raise failure(
            f"database: {ref.id!r} is not in the connection's subscription, {subscription}; use a "
            "connection of its own"
        )
    return found


def _place(id_: str) -> SqlPlace | None:
    found = _ID.fullmatch(id_)
    if found is None:
        return None
    return SqlPlace(
        subscription=found["subscription"].lower(),
        group=found["group"].lower(),
        server=found["server"].lower(),
        name=found["name"],
    )


def canonical(id_: str) -> str:
    """A database's id in the form of :attr:`SqlPlace.id`; any other text as it is."""
    found = _place(id_)
    return id_ if found is None else found.id


def region_of(one: Database | Server) -> str:
    """A region as the port writes it: ``West Europe`` is ``westeurope``."""
    return (one.location or "").replace(" ", "").lower()


def is_system(database: Database) -> bool:
    """Whether it is the service's own database of a server."""
    return (database.name or "").lower() == _SYSTEM


def status_of(database: Database) -> str:
    """The service's word for how a database is."""
    return text_of(database.properties.status if database.properties else None)


def state_of(database: Database) -> DatabaseState:
    """How a database is."""
    return _STATES.get(status_of(database).lower(), DatabaseState.BUSY)


def failure_of(database: Database) -> ErrorKind | None:
    """Why a database does not work; ``None`` for one that does."""
    if state_of(database) is not DatabaseState.FAILED:
        return None
    return _FAILURES.get(status_of(database).lower(), ErrorKind.UNAVAILABLE)


def following(links: Iterable[ReplicationLink]) -> ReplicationLink | None:
    """The link by which a database follows another; ``None`` for one that takes writes."""
    return next((link for link in links if _role(link) in _SECONDARY), None)


def followers(links: Iterable[ReplicationLink]) -> Iterator[str]:
    """The ids of what follows a database. A copy that is being made does not."""
    for link in links:
        if link.properties and text_of(link.properties.partner_role).lower() in _SECONDARY:
            yield partner_of(link)


def partner_of(link: ReplicationLink) -> str:
    """The id of what is at the other end of a link."""
    properties = link.properties
    if properties is None:
        raise LookupError("a replication link without properties")
    if properties.partner_database_id:
        return canonical(properties.partner_database_id)
    # The service's older answers have names only.
    return f"{properties.partner_server}/{properties.partner_database}"


def _role(link: ReplicationLink) -> str:
    return text_of(link.properties.role if link.properties else None).lower()


def tier_of(database: Database) -> str:
    """The service's word for its tier, in lower case."""
    return (database.sku.tier or "" if database.sku else "").lower()


def instance_of(
    database: Database,
    server: Server,
    links: Iterable[ReplicationLink],
    *,
    is_locked: bool,
    endpoint: str,
) -> DatabaseInstance:
    """A database as the port has it, without its lag.

    Azure tells no last moment to restore: any until now is taken.

    :param links: those of replication that it is part of.
    :param is_locked: whether a lock keeps it from being deleted.
    :param endpoint: Resource Manager's, which tells which portal it is seen in.
    :raises LookupError: when it is none.
    """
    place, properties, every = _place(str(database.id)), database.properties, list(links)
    if place is None or properties is None or server.properties is None:
        raise LookupError(f"{database.id!r} is no database")
    link, state, kind = following(every), state_of(database), failure_of(database)
    earliest = None if link is not None else properties.earliest_restore_date
    host = server.properties.fully_qualified_domain_name
    return DatabaseInstance(
        ref=DatabaseRef(place.id, region_of(database)),
        name=place.name,
        state=state,
        role=DatabaseRole.PRIMARY if link is None else DatabaseRole.REPLICA,
        engine="sqlserver",
        engine_version=server.properties.version or "",
        account_id=place.subscription,
        endpoint=DatabaseEndpoint(host, _PORT, place.name) if host else None,
        replica_of=None if link is None else partner_of(link),
        replicas=tuple(followers(every)),
        size=properties.current_service_objective_name,
        labels=dict(database.tags or {}),
        deletion_protected=is_locked,
        created_at=moment_of(properties.creation_date),
        restorable_from=moment_of(earliest),
        restorable_until=datetime.now(UTC) if earliest else None,
        error_kind=kind,
        error=None if kind is None else f"its state is {status_of(database)}",
        console_url=f"{portal_of(endpoint)}/#resource{place.id}",
    )
