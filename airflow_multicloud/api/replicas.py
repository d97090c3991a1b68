"""Make replicas, and prove them."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_multicloud.api.destinations import Destination, open_destinations
from airflow_multicloud.core.endpoints import open_endpoint
from airflow_multicloud.core.replication import engine
from airflow_multicloud.core.replication.engine import Replication
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.planning import Plan
from airflow_multicloud.core.replication.progress import INTERVAL, Listener
from airflow_multicloud.core.replication.report import ReplicationReport
from airflow_multicloud.core.replication.verification import Depth, VerificationReport
from airflow_multicloud.core.replication.verification import verify as _verify


def replication(
    source: str,
    destinations: Sequence[str | Destination],
    options: ReplicationOptions = ReplicationOptions(),
) -> Replication:
    """Resolve URIs to stores and check that they can be replicated; no request is made.

    :raises CloudError: naming the parameter that is wrong.
    """
    opened = open_destinations(destinations, parameter="destinations")
    return Replication(open_endpoint(source, parameter="source"), opened, options)


def replicate(
    source: str,
    destinations: Sequence[str | Destination],
    options: ReplicationOptions = ReplicationOptions(),
    *,
    run_id: str | None = None,
    listener: Listener | None = None,
    interval: float = INTERVAL,
) -> ReplicationReport:
    """Make every destination a proven replica of an object or a prefix.

    :param listener: told about progress on this thread, at most every ``interval`` seconds.
    :raises CloudError: before any byte moves, for whatever is wrong with the call.
    :raises ReplicationFailedError: when too few objects ended sound.
    """
    return engine.replicate(
        replication(source, destinations, options),
        run_id=run_id,
        listener=listener,
        interval=interval,
    )


def plan_replication(
    source: str,
    destinations: Sequence[str | Destination],
    options: ReplicationOptions = ReplicationOptions(),
) -> tuple[Plan, ...]:
    """What :func:`replicate` would do now: objects, bytes and requests per destination."""
    return engine.plan(replication(source, destinations, options))


def verify_replica(
    replica: str, *, depth: Depth = Depth.AUTO, run_id: str | None = None
) -> VerificationReport:
    """Prove a replica against its manifest; see :class:`Depth`."""
    return _verify(open_endpoint(replica, parameter="replica"), depth=depth, run_id=run_id)
