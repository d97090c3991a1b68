"""``python -m tests.benchmarks.ours SOURCE DESTINATION…``: one replication, measured."""

from __future__ import annotations

import sys

from airflow_multicloud import api
from tests.benchmarks.section import measured


def main() -> None:
    """Replicate with the package's own defaults."""
    source, *destinations = sys.argv[1:]
    api.replication(source, destinations)  # imports the SDKs, sends nothing
    with measured():
        api.replicate(source, destinations)


if __name__ == "__main__":
    main()
