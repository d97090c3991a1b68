"""``python -m airflow_multicloud.testing.local_clouds.aws.database``: serve until ended."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import closing

from airflow_multicloud.testing.local_clouds.aws.database.server import RdsServer
from airflow_multicloud.testing.local_clouds.aws.database.world import World
from airflow_multicloud.testing.local_clouds.kit.http import HttpServer
from airflow_multicloud.testing.local_clouds.kit.postgres.home import PostgresHome
from airflow_multicloud.testing.local_clouds.kit.sql_admin import database_administration
from airflow_multicloud.testing.local_clouds.kit.state import State, administration


def main() -> None:
    """Both listeners; the plain one comes last, so that who sees it ready finds the other."""
    parser = argparse.ArgumentParser(prog="aws.database", description="RDS on loopback")
    parser.add_argument("--port", type=int, required=True, help="the APIs")
    parser.add_argument("--admin-port", type=int, required=True, help="seeding and faults")
    given = parser.parse_args()
    # So that the servers end in good order, and what they wrote is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    state = State()
    with closing(PostgresHome(port=given.port)) as home:
        world = World(home, state)
        owner = database_administration(home, world, administration(state))
        with HttpServer(RdsServer(world, state), port=given.port):
            HttpServer(owner, port=given.admin_port).serve_forever()


if __name__ == "__main__":
    main()
