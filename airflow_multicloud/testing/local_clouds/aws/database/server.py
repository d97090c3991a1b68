"""What the local RDS answers: signatures, botocore's model, faults, and then its actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from werkzeug import Request

from airflow_multicloud.testing.local_clouds.aws.database import callers, lags
from airflow_multicloud.testing.local_clouds.aws.database.answers import Refusal, answer_of
from airflow_multicloud.testing.local_clouds.aws.database.backups import Backups
from airflow_multicloud.testing.local_clouds.aws.database.instances import Instances
from airflow_multicloud.testing.local_clouds.aws.database.queries import action_of, read
from airflow_multicloud.testing.local_clouds.aws.database.words import refusal, stranger
from airflow_multicloud.testing.local_clouds.aws.database.world import World
from airflow_multicloud.testing.local_clouds.aws.metrics import words as metric_words
from airflow_multicloud.testing.local_clouds.aws.telemetry.signatures import signed
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import (
    Call,
    operation_of,
    refusal_of,
)
from airflow_multicloud.testing.local_clouds.kit.http import Answer
from airflow_multicloud.testing.local_clouds.kit.sql_seeds import SeededDatabaseFaults
from airflow_multicloud.testing.local_clouds.kit.state import State
from airflow_multicloud.testing.sql_faults import DatabaseCall, DatabaseFaultKind

# Action → which call of the port it belongs to, and which parameter names what it is about.
_CASES = {
    "CreateDBSnapshot": (DatabaseCall.SNAPSHOT, "DBSnapshotIdentifier"),
    "RestoreDBInstanceFromDBSnapshot": (DatabaseCall.RESTORE, "DBInstanceIdentifier"),
    "RestoreDBInstanceToPointInTime": (DatabaseCall.RESTORE, "TargetDBInstanceIdentifier"),
    "PromoteReadReplica": (DatabaseCall.PROMOTE, "DBInstanceIdentifier"),
    "StartDBInstance": (DatabaseCall.POWER, "DBInstanceIdentifier"),
    "StopDBInstance": (DatabaseCall.POWER, "DBInstanceIdentifier"),
    "DeleteDBInstance": (DatabaseCall.REMOVE, "DBInstanceIdentifier"),
    "DeleteDBSnapshot": (DatabaseCall.REMOVE, "DBSnapshotIdentifier"),
}
_LOOKS = {
    "DescribeDBInstances": "DBInstanceIdentifier",
    "DescribeDBSnapshots": "DBSnapshotIdentifier",
}


class RdsServer:
    """Answers requests to RDS, CloudWatch's about replicas, and STS's about the caller."""

    def __init__(self, world: World, state: State) -> None:
        self._world = world
        self._state = state
        self._faults = SeededDatabaseFaults(state)
        instances = Instances(world)
        backups = Backups(world, instances, self._faults)
        self._actions: Mapping[str, Callable[[Call], Mapping[str, Any]]] = {
            "CreateDBInstance": instances.create,
            "CreateDBInstanceReadReplica": instances.replicate,
            "DescribeDBInstances": instances.describe,
            "DescribeDBInstanceAutomatedBackups": instances.backups,
            "ModifyDBInstance": instances.modify,
            "PromoteReadReplica": instances.promote,
            "StartDBInstance": instances.start,
            "StopDBInstance": instances.stop,
            "DeleteDBInstance": instances.delete,
            "CreateDBSnapshot": backups.create,
            "DescribeDBSnapshots": backups.describe,
            "DeleteDBSnapshot": backups.delete,
            "RestoreDBInstanceFromDBSnapshot": backups.restore,
            "RestoreDBInstanceToPointInTime": backups.restore_to_time,
        }

    def __call__(self, request: Request) -> Answer:
        """The answer to a request."""
        caller = signed(request)
        if caller.service == "monitoring":
            name = operation_of(request)
            if caller.problem is None:
                answer = lags.answer(self._world, request, caller.region)
            else:
                answer = refusal_of(request, metric_words.stranger(caller.problem))
        elif caller.service == "sts" and caller.problem is None:
            name, answer = callers.answer(request)
        else:
            name = action_of(request.get_data())
            try:
                if caller.problem is not None:
                    raise stranger(caller.problem)
                answer = self._answer(read(request.get_data(), caller.region))
            except Refusal as refused:
                answer = refused.answer
        self._state.log(request, answer.status, action=f"{caller.service}:{name}")
        return answer

    def _answer(self, call: Call) -> Answer:
        action = self._actions.get(call.operation)
        if action is None:
            raise Refusal("InvalidAction", f"{call.operation} is not offered by this local RDS.")
        case, name = _case_of(call)
        if fault := self._faults.meet(DatabaseFaultKind.REFUSE, case, name):
            raise refusal(fault.error)
        with self._world.lock:
            answered = answer_of(call.operation, action(call))
        if self._faults.meet(DatabaseFaultKind.LOSE_ANSWER, case, name):
            raise ConnectionAbortedError
        return answered


def _case_of(call: Call) -> tuple[DatabaseCall, str]:
    """What a call is about."""
    if call.operation in _CASES:
        case, parameter = _CASES[call.operation]
        return case, str(call.given.get(parameter, ""))
    name = str(call.given.get(_LOOKS.get(call.operation, ""), ""))
    return (DatabaseCall.DESCRIBE if name else DatabaseCall.LIST), name
