"""Which requests the verbs make of Azure SQL, and what must be allowed.

"Azure permissions for Databases", Microsoft.Sql
(https://learn.microsoft.com/azure/role-based-access-control/permissions/databases). A lag is a
metric of the primary, which may lie anywhere in the subscription.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from airflow_multicloud.ports.calls import ApiCall

#: The fact that a database of Azure SQL is meant, or may be.
SQL: Final = "sql"
_TYPE = "Microsoft.Sql/servers/databases"
_DATABASE, _GROUP, _SUBSCRIPTION = "server", "group", "subscription"
_LOCKS = "Microsoft.Authorization/locks"


def _call(call: str, *permissions: str, resource: str = _DATABASE, without: str = "") -> ApiCall:
    return ApiCall(call=call, permissions=permissions, resource=resource, without=without, when=SQL)


def _made(*calls: ApiCall) -> tuple[ApiCall, ...]:
    """The same, of what lies beside what is named."""
    return tuple(_call(one.call, *one.permissions, resource=_GROUP) for one in calls)


_GET = _call("GET databases/{name}", f"{_TYPE}/read")
_SERVER = _call("GET servers/{name}", "Microsoft.Sql/servers/read", resource=_GROUP)
_LINKS = _call("GET databases/{name}/replicationLinks", f"{_TYPE}/replicationLinks/read")
_LOCKS_ON = _call("GET locks of a database", f"{_LOCKS}/read")
_DESCRIBE = (_GET, _SERVER, _LINKS, _LOCKS_ON)
_OPERATION = _call(
    "GET databaseAzureAsyncOperation",
    "Microsoft.Sql/locations/databaseAzureAsyncOperation/read",
    resource=_SUBSCRIPTION,
)
_DELETE = ("DELETE databases/{name}", f"{_TYPE}/delete")
#: Use → calls.
CALLS: Mapping[str, tuple[ApiCall, ...]] = {
    "describe_database": _DESCRIBE,
    "describe_database:replica": (
        *_DESCRIBE,
        _call("GET metrics", "Microsoft.Insights/metrics/read", resource=_SUBSCRIPTION),
    ),
    "describe_database:made": _made(*_DESCRIBE),
    "list_databases": (
        _call("GET servers", "Microsoft.Sql/servers/read", resource=_SUBSCRIPTION),
        _call("GET databases", f"{_TYPE}/read", resource=_SUBSCRIPTION),
        _call(_LINKS.call, *_LINKS.permissions, resource=_SUBSCRIPTION),
        _call("GET locks", f"{_LOCKS}/read", resource=_SUBSCRIPTION),
    ),
    "describe_operation": (_OPERATION, _GET, _LINKS),
    "describe_operation:made": (_OPERATION, *_made(_GET)),
    "restore_database:moment": (
        _GET,
        *_made(_GET),
        _call("PUT databases/{name}", f"{_TYPE}/write", resource=_GROUP),
    ),
    "restore_database:protected": (_call("PUT locks", f"{_LOCKS}/write", resource=_GROUP),),
    "promote_replica": (
        *(_GET, _LINKS),
        _call("POST failover", f"{_TYPE}/replicationLinks/failover/action"),
    ),
    "remove_database": (_GET, _LINKS, _LOCKS_ON, _call(*_DELETE)),
    "remove_database:failed": (
        _call(*_DELETE, resource=_GROUP, without="what an earlier try has left is not removed"),
    ),
}
