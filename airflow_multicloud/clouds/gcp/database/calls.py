"""Which requests the verbs of databases make of Cloud SQL, and what they need to be allowed.

"Required permissions for Cloud SQL API methods"
(https://cloud.google.com/sql/docs/postgres/iam-permissions) and "API methods by permission"
(https://cloud.google.com/sql/docs/postgres/audit-logging). Backups are the project's, and have the
permissions of the older backup runs.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.ports.calls import ApiCall, CallTable

_INSTANCE, _PROJECT = "instance", "project"


def _call(method: str, *permissions: str, resource: str = _PROJECT, without: str = "") -> ApiCall:
    return ApiCall(
        call=f"sql.{method}",
        permissions=tuple(f"cloudsql.{one}" for one in permissions),
        resource=resource,
        without=without,
    )


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    given = facts.get("database", "")
    named = given or facts.get("snapshot") or facts.get("beside", "")
    here = facts.get("in_account") or facts["project"]
    project = named.split("/")[1] if named.startswith("projects/") else here
    if kind == _INSTANCE and given:
        name = given.rpartition("/")[2]
        return f"//cloudsql.googleapis.com/projects/{project}/instances/{name}"
    return f"//cloudresourcemanager.googleapis.com/projects/{project}"


_GET = _call("instances.get", "instances.get", resource=_INSTANCE)
_WINDOW = _call("instances.getLatestRecoveryTime", "instances.get", resource=_INSTANCE)
_GET_ANY = _call("instances.get", "instances.get")
_WINDOW_OF_ANY = _call("instances.getLatestRecoveryTime", "instances.get")
_OPERATION = _call("operations.get", "instances.get")
#: What goes on with an instance, and what has failed.
_OPERATIONS = _call("operations.list", "instances.get")
_LIST = _call("instances.list", "instances.list")
_BACKUPS = _call("Backups.ListBackups", "backupRuns.list", "instances.list")
_BACKUP = _call("Backups.GetBackup", "backupRuns.get")
_SIZES = _call("tiers.list")
_LAG = ApiCall(
    call="monitoring.projects.timeSeries.list",
    permissions=("monitoring.timeSeries.list",),
    resource=_PROJECT,
)

TABLE = CallTable(
    {
        "describe_database": (_GET, _WINDOW),
        "describe_database:replica": (_GET, _WINDOW, _LAG),
        "describe_database:made": (_GET_ANY, _WINDOW_OF_ANY),
        "list_databases": (_LIST,),
        "describe_operation": (_OPERATION, _OPERATIONS, _GET),
        "describe_operation:made": (_OPERATION, _OPERATIONS, _GET_ANY),
        "describe_operation:snapshot": (_OPERATION, _BACKUP),
        "list_snapshots": (_BACKUPS,),
        "list_snapshots:all": (_BACKUPS,),
        "describe_snapshot": (_BACKUP,),
        "snapshot_database": (_GET, _BACKUPS, _call("Backups.CreateBackup", "backupRuns.create")),
        "remove_snapshot": (_BACKUP, _call("Backups.DeleteBackup", "backupRuns.delete")),
        "remove_snapshot:failed": (
            _BACKUP,
            _call(
                *("Backups.DeleteBackup", "backupRuns.delete"),
                without="a snapshot that has failed is in the way",
            ),
        ),
        "restore_database:snapshot": (
            _GET_ANY,
            _SIZES,
            _BACKUP,
            _call(
                *("instances.restoreBackup", "instances.restoreBackup"),
                *("instances.create", "backupRuns.get"),
            ),
        ),
        # A clone gets its labels when it is there.
        "restore_database:moment": (
            _GET_ANY,
            _SIZES,
            _WINDOW,
            _call("instances.clone", "instances.clone", resource=_INSTANCE),
            _call("instances.patch", "instances.update"),
        ),
        "restore_database:protected": (),
        "promote_replica": (
            _GET,
            _call("instances.promoteReplica", "instances.promoteReplica", resource=_INSTANCE),
        ),
        "remove_database": (
            _GET,
            _call("instances.delete", "instances.delete", resource=_INSTANCE),
        ),
        "remove_database:failed": (
            _call(
                *("instances.delete", "instances.delete"),
                without="what an earlier try has left is not removed",
            ),
        ),
        # The backup is the deletion's own.
        "remove_database:final_snapshot": (),
    },
    _resource,
)
