"""What a task that is killed does: it replicates one prefix."""

from __future__ import annotations

from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import MIB, ReplicationOptions
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.opening.endpoints import open_endpoint

OPTIONS = ReplicationOptions(part_size=5 * MIB, large_object=5 * MIB, concurrency=4)


def replicate_prefix(source: str, destination: str) -> None:
    replicate(
        Replication(
            open_endpoint(source, parameter="source"),
            (open_endpoint(destination, parameter="destination"),),
            OPTIONS,
        )
    )
