"""``python -m airflow_multicloud.testing.local_clouds.gcp.compute``: serve until ended."""

from __future__ import annotations

import argparse
from pathlib import Path

from airflow_multicloud.testing.local_clouds.gcp.compute.engine import Engine
from airflow_multicloud.testing.local_clouds.gcp.compute.server import administering, responding
from airflow_multicloud.testing.local_clouds.kit.http import HttpServer
from airflow_multicloud.testing.local_clouds.kit.machines import Machines
from airflow_multicloud.testing.local_clouds.kit.state import State


def main() -> None:
    """Both listeners; the administration comes last: who sees it ready finds the other."""
    parser = argparse.ArgumentParser(prog="gcp.compute", description="Compute Engine on loopback")
    parser.add_argument("--port", type=int, required=True, help="Compute Engine")
    parser.add_argument("--admin-port", type=int, required=True, help="seeding and faults")
    parser.add_argument("--directory", type=Path, required=True, help="for its machines")
    given = parser.parse_args()
    state, machines = State(), Machines(given.directory, port=given.port)
    try:
        with HttpServer(responding(Engine(machines, state), state), port=given.port):
            HttpServer(administering(state), port=given.admin_port).serve_forever()
    finally:
        machines.close()


if __name__ == "__main__":
    main()
