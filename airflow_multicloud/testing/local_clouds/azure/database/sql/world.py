"""What is kept: databases, and the links between them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from airflow_multicloud.testing.local_clouds.azure.arm import SUBSCRIPTION_ID
from airflow_multicloud.testing.local_clouds.azure.arm.http import Call
from airflow_multicloud.testing.local_clouds.azure.compute.world import Body, not_found
from airflow_multicloud.testing.local_clouds.azure.database import RESOURCE_GROUP
from airflow_multicloud.testing.local_clouds.azure.database.operations import Operation, Paths
from airflow_multicloud.testing.local_clouds.azure.database.sql import (
    PROVIDER,
    SERVERS,
    SIZES,
    words,
)
from airflow_multicloud.testing.local_clouds.azure.database.world import World, text_of

PATHS = Paths(
    f"resourceGroups/{RESOURCE_GROUP}/providers/{PROVIDER}",
    "databaseAzureAsyncOperation",
    "databaseOperationResults",
)
_SETTLED = ("Online", "Paused")


@dataclass(slots=True, kw_only=True)
class Database:
    """One database, changed in place under the world's lock.

    :param size: its service objective.
    :param state: the service's status.
    :param begun: what goes on and does not show in its status: a deletion, a failover.
    :param origin: id of what it was restored from.
    :param moment: as of when it was restored.
    """

    name: str
    server: str
    size: str
    tags: dict[str, str]
    state: str = "Creating"
    id: str = ""
    database_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    redundancy: str = "Geo"
    begun: Operation | None = None
    origin: str | None = None
    moment: datetime | None = None

    @property
    def location(self) -> str:
        """Its server's region."""
        return SERVERS[self.server]


@dataclass(slots=True, kw_only=True)
class Link:
    """Replication between two databases.

    :param lag: how far the secondary is behind, in seconds.
    """

    primary: Database
    secondary: Database
    state: str = "CATCH_UP"
    lag: float = 0.0
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: datetime = field(default_factory=lambda: datetime.now(UTC))


class SqlWorld:
    """All that there is of Azure SQL.

    :param common: what both services share: the lock, operations, faults, locks of resources.
    """

    def __init__(self, common: World) -> None:
        self.common = common
        self.databases: dict[str, Database] = {}
        self.links: list[Link] = []

    def key_of(self, call: Call) -> str:
        """The id of the database that a request's path names, in lower case.

        :raises Refusal: 404, when its server is not there.
        """
        server = self.server_of(call)
        return f"{server_id(server)}/databases/{call.variables['name']}".lower()

    def server_of(self, call: Call) -> str:
        """The server that a request's path names.

        :raises Refusal: 404.
        """
        server = call.variables["server"].lower()
        if server not in SERVERS:
            raise not_found(server_id(server))
        return server

    def required(self, call: Call) -> Database:
        """The database that a request's path names.

        :raises Refusal: 404.
        """
        key = self.key_of(call)
        if key not in self.databases:
            raise not_found(key)
        return self.databases[key]

    def by_id(self, id_: str) -> Database | None:
        """A database by its id, in any case."""
        return self.databases.get(id_.lower())

    def links_of(self, one: Database) -> Iterator[Link]:
        """What a database replicates to or from."""
        return (link for link in self.links if one in (link.primary, link.secondary))

    def follows(self, one: Database) -> Link | None:
        """The link of a secondary."""
        return next((link for link in self.links if link.secondary is one), None)

    def check_settled(self, one: Database) -> None:
        """Refuse a database that changes just now.

        :raises Refusal: 409.
        """
        begun = one.begun is not None and one.begun.status == "InProgress"
        if begun or one.state not in _SETTLED:
            raise words.busy(one.name)

    def forget(self, one: Database) -> None:
        """A database is gone, and its links."""
        self.databases.pop(one.id.lower(), None)
        self.links = [link for link in self.links if one not in (link.primary, link.secondary)]

    def shown(self, one: Database) -> Body:
        """A database as it is answered."""
        sku: dict[str, Any] = dict(SIZES[one.size])
        properties: Body = {
            "status": one.state,
            "databaseId": one.database_id,
            "creationDate": text_of(one.created_at),
            "collation": "SQL_Latin1_General_CP1_CI_AS",
            "maxSizeBytes": 34359738368,
            "currentServiceObjectiveName": one.size,
            "requestedServiceObjectiveName": one.size,
            "currentSku": sku,
            "zoneRedundant": False,
            "currentBackupStorageRedundancy": one.redundancy,
            "requestedBackupStorageRedundancy": one.redundancy,
        }
        if self.follows(one) is not None:
            properties["secondaryType"] = "Geo"
        elif one.state in _SETTLED:
            properties["earliestRestoreDate"] = text_of(one.created_at)
        return {
            "id": one.id,
            "name": one.name,
            "type": f"{PROVIDER}/servers/databases",
            "kind": "v12.0,user",
            "location": one.location,
            "tags": dict(one.tags),
            "sku": sku,
            "properties": properties,
        }


def server_id(server: str) -> str:
    """A server's id."""
    return (
        f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{RESOURCE_GROUP}/providers/{PROVIDER}"
        f"/servers/{server}"
    )
