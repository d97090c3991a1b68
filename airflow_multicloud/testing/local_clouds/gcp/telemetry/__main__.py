"""``python -m airflow_multicloud.testing.local_clouds.gcp.telemetry``: serve until ended."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from airflow_multicloud.testing.local_clouds.gcp.grpc.server import GrpcServer
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Service
from airflow_multicloud.testing.local_clouds.gcp.grpc.tokens import Tokens, administering
from airflow_multicloud.testing.local_clouds.gcp.logs.service import logs
from airflow_multicloud.testing.local_clouds.gcp.metrics.service import metrics
from airflow_multicloud.testing.local_clouds.gcp.service_account import PUBLIC_KEY
from airflow_multicloud.testing.local_clouds.gcp.telemetry.otlp import Otlp
from airflow_multicloud.testing.local_clouds.kit.http import HttpServer
from airflow_multicloud.testing.local_clouds.kit.otlp import kept_by
from airflow_multicloud.testing.local_clouds.kit.state import State

#: What the process serves: each is made once.
_SERVICES: tuple[Callable[[State], Service], ...] = (metrics, logs)


def main() -> None:
    """All listeners; the administration comes last: who sees it ready finds the others."""
    parser = argparse.ArgumentParser(prog="gcp.telemetry", description="Google Cloud on loopback")
    parser.add_argument("--port", type=int, required=True, help="gRPC: the services")
    parser.add_argument("--otlp-port", type=int, required=True, help="HTTP: the Telemetry API")
    parser.add_argument("--admin-port", type=int, required=True, help="seeding, faults and tokens")
    given = parser.parse_args()
    state, tokens = State(), Tokens(os.environ[PUBLIC_KEY])
    services = [make(state) for make in _SERVICES]
    otlp = Otlp(tokens, state)
    with (
        GrpcServer(services, port=given.port, check=tokens.check, state=state),
        HttpServer(otlp.respond, port=given.otlp_port),
    ):
        owner = kept_by(otlp.sink, administering(state, tokens))
        HttpServer(owner, port=given.admin_port).serve_forever()


if __name__ == "__main__":
    main()
