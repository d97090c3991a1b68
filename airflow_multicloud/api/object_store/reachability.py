"""Which replicas answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.lists import texts
from airflow_multicloud.opening.preflight import LocationStatus, check_location
from airflow_multicloud.registry import session


@dataclass(frozen=True, slots=True)
class ReachableReplicas:
    """Which replicas answer, in the order given.

    :param uris: of those in reach. What a retry can't mend (a wrong connection, say) counts as in
        reach: the replication says it, by the parameter's name.
    :param out_of_reach: the others, and why.
    """

    uris: tuple[str, ...]
    out_of_reach: tuple[LocationStatus, ...]


@session()
@operation("reachable_replicas")
def reachable_replicas(replicas: Sequence[str]) -> ReachableReplicas:
    """Look at the bucket of each replica; one that is out of reach costs no other.

    :param replicas: URIs of prefixes.
    :raises StorageError: when none is in reach, with the kind of the first one's error.
    """
    listed = texts(replicas, "replicas", what="URIs", if_empty="name at least one")
    found = [check_location(uri) for uri in listed]
    down = tuple(status for status in found if status.kind is not None and status.kind.retryable)
    if len(down) == len(found):
        raise StorageError(
            f"replicas: none is in reach: {'; '.join(map(str, down))}",
            kind=down[0].kind or ErrorKind.UNAVAILABLE,
        )
    return ReachableReplicas(tuple(s.uri for s in found if s not in down), down)
