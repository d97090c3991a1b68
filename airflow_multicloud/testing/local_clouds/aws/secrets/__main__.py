"""``python -m airflow_multicloud.testing.local_clouds.aws.secrets``: serve until ended.

Only this process loads moto.
"""

from __future__ import annotations

import argparse

from airflow_multicloud.testing.local_clouds.aws.secrets.server import SecretsServer
from airflow_multicloud.testing.local_clouds.kit.http import HttpServer
from airflow_multicloud.testing.local_clouds.kit.state import State, administration


def main() -> None:
    """Both listeners; the plain one comes last, so that who sees it ready finds the other."""
    parser = argparse.ArgumentParser(prog="aws.secrets", description="Secrets Manager on loopback")
    parser.add_argument("--port", type=int, required=True, help="the APIs")
    parser.add_argument("--admin-port", type=int, required=True, help="seeding and faults")
    given = parser.parse_args()
    state = State()
    with HttpServer(SecretsServer(state), port=given.port):
        HttpServer(administration(state), port=given.admin_port).serve_forever()


if __name__ == "__main__":
    main()
