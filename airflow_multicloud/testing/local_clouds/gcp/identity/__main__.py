"""``python -m airflow_multicloud.testing.local_clouds.gcp.identity``: serve until ended."""

from __future__ import annotations

import argparse
import os

from airflow_multicloud.testing.local_clouds.gcp.grpc.tokens import Tokens
from airflow_multicloud.testing.local_clouds.gcp.identity.server import PermissionsServer
from airflow_multicloud.testing.local_clouds.gcp.service_account import PUBLIC_KEY
from airflow_multicloud.testing.local_clouds.kit.http import HttpServer
from airflow_multicloud.testing.local_clouds.kit.state import State, administration


def main() -> None:
    """Both listeners; the administration comes last: who sees it ready finds the other."""
    parser = argparse.ArgumentParser(prog="gcp.identity", description="Permissions on loopback")
    parser.add_argument("--port", type=int, required=True, help="the APIs")
    parser.add_argument("--admin-port", type=int, required=True, help="seeding and faults")
    given = parser.parse_args()
    state = State()
    server = PermissionsServer(state, Tokens(os.environ[PUBLIC_KEY]))
    with HttpServer(server, port=given.port):
        HttpServer(administration(state), port=given.admin_port).serve_forever()


if __name__ == "__main__":
    main()
