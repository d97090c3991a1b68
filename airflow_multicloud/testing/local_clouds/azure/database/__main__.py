"""``python -m airflow_multicloud.testing.local_clouds.azure.database``: serve until ended.

Only this process loads the SDKs that requests are checked against.
"""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import closing
from pathlib import Path

from airflow_multicloud.testing.local_clouds.azure.arm.server import azure
from airflow_multicloud.testing.local_clouds.azure.database import service
from airflow_multicloud.testing.local_clouds.azure.database.sql.owner import sql_administration
from airflow_multicloud.testing.local_clouds.azure.database.sql.world import SqlWorld
from airflow_multicloud.testing.local_clouds.azure.database.world import World
from airflow_multicloud.testing.local_clouds.azure.identity.tokens import Tokens
from airflow_multicloud.testing.local_clouds.kit.certificates import issue
from airflow_multicloud.testing.local_clouds.kit.http import HttpServer
from airflow_multicloud.testing.local_clouds.kit.postgres.home import PostgresHome
from airflow_multicloud.testing.local_clouds.kit.sql_admin import database_administration
from airflow_multicloud.testing.local_clouds.kit.sql_seeds import SeededDatabaseFaults
from airflow_multicloud.testing.local_clouds.kit.state import State, administration


def main() -> None:
    """Both listeners; the plain one comes last, so that who sees it ready finds the other."""
    parser = argparse.ArgumentParser(prog="azure.database", description="databases on loopback")
    parser.add_argument("--port", type=int, required=True, help="TLS: Azure")
    parser.add_argument("--admin-port", type=int, required=True, help="plain: seeding and faults")
    parser.add_argument("--directory", type=Path, required=True, help="for ca.pem and the rest")
    given = parser.parse_args()
    # So that the servers end in good order, and what they wrote is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    state, tokens = State(), Tokens()
    with closing(PostgresHome(port=given.port)) as home:
        world = World(home, SeededDatabaseFaults(state))
        sql = SqlWorld(world)
        respond = azure([*tokens.routes(), *service.routes(world, sql)], tokens, state)
        owner = sql_administration(sql, administration(state))
        owner = database_administration(home, world, owner)
        with HttpServer(respond, port=given.port, certificates=issue(given.directory)):
            HttpServer(owner, port=given.admin_port).serve_forever()


if __name__ == "__main__":
    main()
