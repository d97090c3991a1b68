"""``python -m airflow_multicloud.testing.local_clouds.gcp.secrets``: serve until ended."""

from __future__ import annotations

import argparse
import os

from airflow_multicloud.testing.local_clouds.gcp.grpc.server import GrpcServer
from airflow_multicloud.testing.local_clouds.gcp.grpc.tokens import Tokens, administering
from airflow_multicloud.testing.local_clouds.gcp.secrets.projects import projects
from airflow_multicloud.testing.local_clouds.gcp.secrets.service import secrets
from airflow_multicloud.testing.local_clouds.gcp.service_account import PUBLIC_KEY
from airflow_multicloud.testing.local_clouds.kit.http import HttpServer
from airflow_multicloud.testing.local_clouds.kit.state import State


def main() -> None:
    """Both listeners; the administration comes last: who sees it ready finds the other."""
    parser = argparse.ArgumentParser(prog="gcp.secrets", description="Secret Manager on loopback")
    parser.add_argument("--port", type=int, required=True, help="gRPC: the service")
    parser.add_argument("--admin-port", type=int, required=True, help="seeding, faults and tokens")
    given = parser.parse_args()
    state, tokens = State(), Tokens(os.environ[PUBLIC_KEY])
    with GrpcServer([secrets(state)], port=given.port, check=tokens.check, state=state):
        beside = projects(state, tokens, administering(state, tokens))
        HttpServer(beside, port=given.admin_port).serve_forever()


if __name__ == "__main__":
    main()
