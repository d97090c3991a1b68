"""``python -m airflow_multicloud.testing.local_clouds.gcp.database``: serve until ended."""

from __future__ import annotations

import argparse
import os
from contextlib import closing

from airflow_multicloud.testing.local_clouds.gcp.database.server import CloudSqlServer
from airflow_multicloud.testing.local_clouds.gcp.database.world import World
from airflow_multicloud.testing.local_clouds.gcp.grpc.tokens import Tokens
from airflow_multicloud.testing.local_clouds.gcp.service_account import PUBLIC_KEY
from airflow_multicloud.testing.local_clouds.kit.http import HttpServer
from airflow_multicloud.testing.local_clouds.kit.postgres.home import PostgresHome
from airflow_multicloud.testing.local_clouds.kit.sql_admin import database_administration
from airflow_multicloud.testing.local_clouds.kit.state import State, administration


def main() -> None:
    """Both listeners; the administration comes last: who sees it ready finds the other."""
    parser = argparse.ArgumentParser(prog="gcp.database", description="Cloud SQL on loopback")
    parser.add_argument("--port", type=int, required=True, help="the APIs")
    parser.add_argument("--admin-port", type=int, required=True, help="seeding and faults")
    given = parser.parse_args()
    state = State()
    with closing(PostgresHome(port=given.port)) as home:
        world = World(home, state)
        owner = database_administration(home, world, administration(state))
        server = CloudSqlServer(world, state, Tokens(os.environ[PUBLIC_KEY]))
        with HttpServer(server, port=given.port):
            HttpServer(owner, port=given.admin_port).serve_forever()


if __name__ == "__main__":
    main()
