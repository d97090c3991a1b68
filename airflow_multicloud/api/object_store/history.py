"""What is recorded beside a replica."""

from __future__ import annotations

from datetime import timedelta

from airflow_multicloud.core.replication import history, status
from airflow_multicloud.core.replication.history import Run
from airflow_multicloud.core.replication.options import ObjectFilter
from airflow_multicloud.core.replication.run import selection_of
from airflow_multicloud.core.replication.status import ReplicaStatus
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.registry import session


@session()
@operation("list_runs")
def list_runs(replica: str, *, limit: int = 20) -> tuple[Run, ...]:
    """The runs recorded beside a replica, the newest first.

    :param replica: the replica's URI, as it was a destination.
    :param limit: at most so many, from 1.
    :raises CloudError: kind ``not_found`` when nothing is recorded there.
    """
    end = open_endpoint(replica, parameter="replica")
    with operation("list_runs", cloud__provider=end.cloud):
        return history.runs(end, limit=limit)


@session()
@operation("replica_status")
def replica_status(
    replica: str,
    *,
    max_lag: timedelta | None = None,
    chosen: ObjectFilter = ObjectFilter(),
) -> ReplicaStatus:
    """How a replica stands by what is recorded beside it.

    Nothing is verified again; :func:`verify_replica` does that.

    :param replica: the replica's URI, as it was a destination.
    :param max_lag: more than this is among the findings.
    :param chosen: which objects are meant, as the runs select them (``filter`` of their options);
        all of them when left out.
    :raises CloudError: kind ``not_found`` when nothing is recorded there.
    """
    end = open_endpoint(replica, parameter="replica")
    with operation("replica_status", cloud__provider=end.cloud):
        return status.status(end, max_lag=max_lag, asked=selection_of(chosen))
