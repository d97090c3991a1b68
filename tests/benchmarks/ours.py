"""``python -m tests.benchmarks.ours THREADS MIB DIGEST SOURCE DESTINATION…``: one replication."""

from __future__ import annotations

import sys
from dataclasses import replace

from airflow_multicloud import api
from tests.benchmarks.cases import MIB
from tests.benchmarks.section import measured


def main() -> None:
    """Replicate; 0 threads and MiB mean the package's own defaults."""
    threads, memory, digest, source, *destinations = sys.argv[1:]
    defaults = api.ReplicationOptions()
    options = replace(
        defaults,
        concurrency=int(threads) or defaults.concurrency,
        memory_limit=int(memory) * MIB or defaults.memory_limit,
        digest=api.ContentDigest(digest),
    )
    api.replication(source, destinations)  # imports the SDKs, sends nothing
    with measured():
        api.replicate(source, destinations, options)


if __name__ == "__main__":
    main()
