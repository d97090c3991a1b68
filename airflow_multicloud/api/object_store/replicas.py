"""Make replicas, and prove them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from airflow_multicloud.api.object_store.destinations import Destination, open_destinations
from airflow_multicloud.core.endpoints import naming
from airflow_multicloud.core.replication import engine
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.plans import NAMED_PLANNED, Plan
from airflow_multicloud.core.replication.progress import INTERVAL, Listener
from airflow_multicloud.core.replication.report import ReplicationReport
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.replication.verification import Depth, VerificationReport
from airflow_multicloud.core.replication.verification import verify as _verify
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.registry import session

_RUN_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")


@session()
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


@session()
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

    :param run_id: names the manifest: letters, digits, ``.``, ``_`` and ``-``; a random one when
        left out.
    :param listener: told about progress on this thread, at most every ``interval`` seconds.
    :raises CloudError: before any byte moves, for whatever is wrong with the call.
    :raises ReplicationFailedError: when too few objects ended sound.
    """
    check_run_id(run_id)
    return engine.replicate(
        replication(source, destinations, options),
        run_id=run_id,
        listener=listener,
        interval=interval,
    )


@session()
def plan_replication(
    source: str,
    destinations: Sequence[str | Destination],
    options: ReplicationOptions = ReplicationOptions(),
    *,
    named: int = NAMED_PLANNED,
) -> tuple[Plan, ...]:
    """What :func:`replicate` would do now: objects, bytes and requests per destination.

    A bucket that ``create_buckets`` would create counts as empty.

    :param named: how many keys of each kind (replaced, compared, deleted) to name.
    """
    return engine.plan(replication(source, destinations, options), named=named)


@session()
def verify_replica(
    replica: str, *, depth: Depth | str = Depth.AUTO, run_id: str | None = None
) -> VerificationReport:
    """Prove a replica against its manifest; see :class:`Depth`.

    :param depth: one of them, or its value.
    :param run_id: verify against this run's manifest instead of the latest.
    """
    check_run_id(run_id)
    if depth not in tuple(Depth):
        raise StorageError(
            f"depth: {depth!r} given, expected one of {', '.join(Depth)}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    end = open_endpoint(replica, parameter="replica")
    with naming("replica", end):
        return _verify(end, depth=Depth(depth), run_id=run_id)


def check_run_id(run_id: str | None, *, parameter: str = "run_id") -> None:
    """Refuse what can't name a run.

    :raises StorageError: kind ``invalid_argument``, naming the parameter.
    """
    # It becomes a part of keys; "../…" would lead to other manifests, or out of them.
    if run_id is not None and not _RUN_ID.fullmatch(run_id):
        raise StorageError(
            f"{parameter}: {run_id!r} given, expected at most 200 letters, digits, '.', '_' and "
            "'-', the first not a '.'",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
