"""``python -m airflow_multicloud.testing.local_clouds.aws.telemetry``: serve until ended.

Only this process loads moto.
"""

from __future__ import annotations

import argparse

from airflow_multicloud.testing.local_clouds.aws.telemetry.server import TelemetryServer
from airflow_multicloud.testing.local_clouds.kit.http import HttpServer
from airflow_multicloud.testing.local_clouds.kit.otlp import kept_by
from airflow_multicloud.testing.local_clouds.kit.state import State, administration


def main() -> None:
    """Both listeners; the plain one comes last, so that who sees it ready finds the other."""
    parser = argparse.ArgumentParser(prog="aws.telemetry", description="CloudWatch on loopback")
    parser.add_argument("--port", type=int, required=True, help="the APIs")
    parser.add_argument("--admin-port", type=int, required=True, help="seeding and faults")
    given = parser.parse_args()
    state = State()
    server = TelemetryServer(state)
    with HttpServer(server, port=given.port):
        owner = kept_by(server.sink, administration(state))
        HttpServer(owner, port=given.admin_port).serve_forever()


if __name__ == "__main__":
    main()
