"""Which requests the verbs of databases make of Resource Manager, and what must be allowed.

"Azure permissions for Databases", Microsoft.DBforPostgreSQL
(https://learn.microsoft.com/azure/role-based-access-control/permissions/databases), "Lock your
resources" and "Tags - Update At Scope". A server in a subnet joins that and a private DNS zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from airflow_multicloud.clouds.azure.database.fields import TYPE
from airflow_multicloud.clouds.azure.database.sql.calls import CALLS as _OF_SQL
from airflow_multicloud.clouds.azure.database.sql.calls import SQL
from airflow_multicloud.clouds.azure.database.sql.fields import is_sql
from airflow_multicloud.ports.calls import ApiCall, CallTable
from airflow_multicloud.ports.database import DatabaseRef

_SERVER, _GROUP, _SUBSCRIPTION = "server", "group", "subscription"
#: The fact that a flexible server is meant, or may be.
_POSTGRES = "postgres"
_ID = re.compile(
    r"(?P<group>/subscriptions/[^/]+/resourceGroups/[^/]+)/providers/"
    r"(?:[^/]+/flexibleServers/[^/]+|Microsoft\.Sql/servers/[^/]+/databases/[^/]+)",
    re.IGNORECASE,
)
_METRICS, _LOCKS = "Microsoft.Insights/metrics", "Microsoft.Authorization/locks"
_TAGS = "Microsoft.Resources/tags"


def _call(call: str, *permissions: str, resource: str = _SERVER, without: str = "") -> ApiCall:
    return ApiCall(
        call=call, permissions=permissions, resource=resource, without=without, when=_POSTGRES
    )


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    found = _ID.match(facts.get("database") or facts.get("snapshot") or "")
    subscription = f"/subscriptions/{facts['subscription']}"
    if kind == _SUBSCRIPTION:
        return subscription
    if found is None:
        beside = _ID.match(facts.get("beside", ""))
        named = f"{subscription}/resourceGroups/{facts['resource_group']}"
        return named if beside is None else beside["group"]
    return found[0] if kind == _SERVER else found["group"]


def _kinds(facts: Mapping[str, str]) -> Iterable[str]:
    """Which service a reference is of; both, where only the run tells."""
    ref = facts.get("database") or facts.get("snapshot") or facts.get("beside")
    found = None if ref is None else _ID.match(ref)
    if found is None:
        return (_POSTGRES, SQL)
    return (SQL,) if is_sql(DatabaseRef(found[0])) else (_POSTGRES,)


_GET = _call("GET flexibleServers/{name}", f"{TYPE}/read")
_REPLICAS = _call("GET flexibleServers/{name}/replicas", f"{TYPE}/replicas/read")
_LOCKS_ON = _call("GET locks of a server", f"{_LOCKS}/read")
_DESCRIBE = (_GET, _REPLICAS, _LOCKS_ON)
_MADE = tuple(
    _call(one.call, *one.permissions, resource=_GROUP) for one in (_GET, _REPLICAS, _LOCKS_ON)
)
_LIST = _call("GET flexibleServers", f"{TYPE}/read", resource=_SUBSCRIPTION)
_ALL_LOCKS = _call("GET locks", f"{_LOCKS}/read", resource=_SUBSCRIPTION)
_BACKUPS = _call("GET flexibleServers/{name}/backups", f"{TYPE}/backups/read")
_BACKUP = _call("GET flexibleServers/{name}/backups/{name}", f"{TYPE}/backups/read")
_OPERATION = _call(
    "GET azureAsyncOperation",
    "Microsoft.DBforPostgreSQL/locations/azureAsyncOperation/read",
    resource=_SUBSCRIPTION,
)
_RESTORE = (
    _GET,
    _MADE[0],
    _call("PUT flexibleServers/{name}", f"{TYPE}/write", resource=_GROUP),
    _call(
        "PUT flexibleServers/{name}",
        *("Microsoft.Network/virtualNetworks/subnets/join/action",),
        *("Microsoft.Network/privateDnsZones/join/action",),
        resource=_SUBSCRIPTION,
        without="a server in a subnet can't be restored",
    ),
)
_RETAG = _call("PATCH tags", f"{_TAGS}/write")
_DELETE = ("DELETE flexibleServers/{name}", f"{TYPE}/delete")

_CALLS: Mapping[str, tuple[ApiCall, ...]] = {
    "describe_database": _DESCRIBE,
    "describe_database:replica": (
        *_DESCRIBE,
        _call("GET metrics", f"{_METRICS}/read"),
    ),
    "describe_database:made": _MADE,
    "list_databases": (_LIST, _ALL_LOCKS),
    "describe_operation": (_OPERATION, _GET),
    "describe_operation:made": (_OPERATION, _MADE[0]),
    "describe_operation:snapshot": (_OPERATION, _GET, _BACKUP),
    "list_snapshots": (_GET, _BACKUPS),
    "list_snapshots:all": (
        _LIST,
        _call(_BACKUPS.call, *_BACKUPS.permissions, resource=_SUBSCRIPTION),
    ),
    "describe_snapshot": (_GET, _BACKUP),
    # Its labels are tags of the server.
    "snapshot_database": (
        *(_GET, _BACKUPS, _BACKUP, _RETAG),
        _call("PUT flexibleServers/{name}/backups/{name}", f"{TYPE}/backups/write"),
    ),
    # Its labels go with it.
    "remove_snapshot": (
        *(_GET, _BACKUP, _RETAG),
        _call("DELETE flexibleServers/{name}/backups/{name}", f"{TYPE}/backups/delete"),
    ),
    # A backup that is not taken is not there.
    "remove_snapshot:failed": (),
    "restore_database:snapshot": (*_RESTORE, _BACKUP),
    "restore_database:moment": _RESTORE,
    "restore_database:protected": (_call("PUT locks", f"{_LOCKS}/write", resource=_GROUP),),
    "promote_replica": (_GET, _call("PATCH flexibleServers/{name}", f"{TYPE}/write")),
    "remove_database": (*_DESCRIBE, _call(*_DELETE)),
    "remove_database:failed": (
        _call(*_DELETE, resource=_GROUP, without="what an earlier try has left is not removed"),
    ),
    # There is none: Azure deletes backups with their server.
    "remove_database:final_snapshot": (),
}

TABLE = CallTable(
    {use: (*calls, *_OF_SQL.get(use, ())) for use, calls in _CALLS.items()}, _resource, _kinds
)
