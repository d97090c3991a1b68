"""``python -m airflow_multicloud.testing.local_clouds.azure.arm``: serve until ended.

Only this process loads the SDKs that requests are checked against.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from airflow_multicloud.testing.local_clouds.azure.arm.server import azure
from airflow_multicloud.testing.local_clouds.azure.compute import service as compute
from airflow_multicloud.testing.local_clouds.azure.cost import advice, prices, queries
from airflow_multicloud.testing.local_clouds.azure.identity import authorization
from airflow_multicloud.testing.local_clouds.azure.identity.tokens import Tokens
from airflow_multicloud.testing.local_clouds.kit.certificates import issue
from airflow_multicloud.testing.local_clouds.kit.http import HttpServer
from airflow_multicloud.testing.local_clouds.kit.machines import Machines
from airflow_multicloud.testing.local_clouds.kit.state import State, administration

_SERVICES = (queries, advice, prices, authorization)


def main() -> None:
    """Both listeners; the plain one comes last, so that who sees it ready finds the other."""
    parser = argparse.ArgumentParser(prog="azure.arm", description="Azure on loopback")
    parser.add_argument("--port", type=int, required=True, help="TLS: Azure")
    parser.add_argument("--admin-port", type=int, required=True, help="plain: seeding and faults")
    parser.add_argument("--directory", type=Path, required=True, help="for ca.pem and the rest")
    given = parser.parse_args()
    state, tokens = State(), Tokens()
    machines = Machines(given.directory / "machines", port=given.port)
    routes = [
        *tokens.routes(),
        *(route for s in _SERVICES for route in s.routes(state)),
        *compute.routes(state, machines),
    ]
    respond = azure(routes, tokens, state)
    with HttpServer(respond, port=given.port, certificates=issue(given.directory)):
        HttpServer(administration(state), port=given.admin_port).serve_forever()


if __name__ == "__main__":
    main()
