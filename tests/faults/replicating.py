"""A process of its own that replicates one prefix: ``replicating.py SOURCE DESTINATION``."""

from __future__ import annotations

import sys

from airflow_multicloud.core.replication.engine import Replication, replicate
from airflow_multicloud.core.replication.options import MIB, ReplicationOptions
from airflow_multicloud.opening.endpoints import open_endpoint

OPTIONS = ReplicationOptions(part_size=5 * MIB, large_object=5 * MIB, concurrency=4)

if __name__ == "__main__":
    replicate(
        Replication(
            open_endpoint(sys.argv[1], parameter="source"),
            (open_endpoint(sys.argv[2], parameter="destination"),),
            OPTIONS,
        )
    )
