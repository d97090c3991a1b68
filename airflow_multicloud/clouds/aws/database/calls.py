"""Which requests the verbs of databases make of RDS, and what they need to be allowed.

"Actions, resources, and condition keys for Amazon RDS" in the Service Authorization Reference. What
is made carries tags, for which ``AddTagsToResource`` is needed besides; a restore also needs the
option, parameter and subnet group that it names. A lag is CloudWatch's, which has no resources.
STS says whose account it is where an ARN finds nothing, and to whoever names an account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from airflow_multicloud.clouds.aws.identity.calls import WHO_AM_I
from airflow_multicloud.ports.calls import ApiCall, CallTable

#: What is restored lies in the region of its source.
_REGION = re.compile(r"arn:[^:]+:rds:([^:]+):")
_DB, _DBS, _SNAPSHOT, _BACKUP = "db", "every db", "snapshot", "auto-backup"
_GROUPS = ("og", "pg", "subgrp")
_METRICS = "any"


def _calls(name: str, *kinds: str, without: str = "") -> tuple[ApiCall, ...]:
    """One call, which is allowed on each of these kinds of resource, or not at all."""
    action = (f"rds:{name}",)
    return tuple(
        ApiCall(call=f"rds:{name}", permissions=action, resource=kind, without=without)
        for kind in kinds
    )


def _tagged(name: str, made: str, *kinds: str) -> tuple[ApiCall, ...]:
    """The same, of a call that makes something with tags."""
    tagging = ApiCall(call=f"rds:{name}", permissions=("rds:AddTagsToResource",), resource=made)
    return (*_calls(name, made, *kinds), tagging)


def _resource(kind: str, facts: Mapping[str, str]) -> str:
    if kind == _METRICS:
        return "*"
    given = facts.get("database", "")
    named = _REGION.match(given or facts.get("snapshot") or facts.get("beside", ""))
    region = named[1] if named else facts["region"]
    arns = f"arn:{facts['partition']}:rds:{region}:{facts['account']}:"
    if kind == _DB and given:
        # An ARN of another account or region stays what it is.
        return given if given.startswith("arn:") else f"{arns}db:{given}"
    return f"{arns}{'db' if kind in (_DB, _DBS) else kind}:*"


_DESCRIBE = (
    *_calls("DescribeDBInstances", _DB),
    *_calls("DescribeDBInstanceAutomatedBackups", _DB, _BACKUP),
    WHO_AM_I,
)
_LIST = _calls("DescribeDBInstances", _DBS)
_SNAPSHOTS = _calls("DescribeDBSnapshots", _DBS, _SNAPSHOT)
_LAG = ApiCall(
    call="monitoring:GetMetricData", permissions=("cloudwatch:GetMetricData",), resource=_METRICS
)

TABLE = CallTable(
    {
        "describe_database": _DESCRIBE,
        "describe_database:replica": (*_DESCRIBE, _LAG),
        "describe_database:made": (
            *_LIST,
            *_calls("DescribeDBInstanceAutomatedBackups", _DBS, _BACKUP),
        ),
        "list_databases": _LIST,
        "describe_operation": (*_calls("DescribeDBInstances", _DB), WHO_AM_I),
        "describe_operation:made": _LIST,
        "describe_operation:snapshot": (*_SNAPSHOTS, WHO_AM_I),
        "list_snapshots": (*_SNAPSHOTS, WHO_AM_I),
        "list_snapshots:all": _SNAPSHOTS,
        "describe_snapshot": (*_SNAPSHOTS, WHO_AM_I),
        "snapshot_database": _tagged("CreateDBSnapshot", _SNAPSHOT, _DB),
        "remove_snapshot": (*_SNAPSHOTS, WHO_AM_I, *_calls("DeleteDBSnapshot", _SNAPSHOT)),
        "remove_snapshot:failed": _calls(
            "DeleteDBSnapshot", _SNAPSHOT, without="a snapshot that has failed is in the way"
        ),
        "restore_database:snapshot": (
            *_LIST,
            *_SNAPSHOTS,
            *_tagged("RestoreDBInstanceFromDBSnapshot", _DBS, _SNAPSHOT, *_GROUPS),
        ),
        "restore_database:moment": (
            *_LIST,
            *_tagged("RestoreDBInstanceToPointInTime", _DBS, _BACKUP, *_GROUPS),
        ),
        "restore_database:protected": (),
        "promote_replica": _calls("PromoteReadReplica", _DB),
        "remove_database": (*_calls("DeleteDBInstance", _DB), WHO_AM_I),
        "remove_database:failed": _calls(
            "DeleteDBInstance", _DBS, without="what an earlier try has left is not removed"
        ),
        "remove_database:final_snapshot": (
            ApiCall(
                call="rds:DeleteDBInstance",
                permissions=("rds:CreateDBSnapshot", "rds:AddTagsToResource"),
                resource=_SNAPSHOT,
            ),
            ApiCall(
                call="rds:DeleteDBInstance", permissions=("rds:CreateDBSnapshot",), resource=_DB
            ),
        ),
    },
    _resource,
)
