"""``python -m airflow_multicloud.testing.local_clouds.azure.secrets``: serve until ended.

Only this process loads the SDK that requests are checked against.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from airflow_multicloud.testing.local_clouds.azure.arm.server import azure
from airflow_multicloud.testing.local_clouds.azure.identity.tokens import Tokens
from airflow_multicloud.testing.local_clouds.azure.secrets import AUDIENCE
from airflow_multicloud.testing.local_clouds.azure.secrets.challenges import Challenging
from airflow_multicloud.testing.local_clouds.azure.secrets.service import routes
from airflow_multicloud.testing.local_clouds.kit.certificates import issue
from airflow_multicloud.testing.local_clouds.kit.http import HttpServer
from airflow_multicloud.testing.local_clouds.kit.state import State, administration


def main() -> None:
    """Both listeners; the plain one comes last, so that who sees it ready finds the other."""
    parser = argparse.ArgumentParser(prog="azure.secrets", description="Key Vault on loopback")
    parser.add_argument("--port", type=int, required=True, help="TLS: the vault")
    parser.add_argument("--admin-port", type=int, required=True, help="plain: seeding and faults")
    parser.add_argument("--directory", type=Path, required=True, help="for ca.pem and the rest")
    given = parser.parse_args()
    state, tokens = State(), Tokens(audiences=(AUDIENCE,))
    respond = azure([*tokens.routes(), *routes(state)], Challenging(tokens), state)
    with HttpServer(respond, port=given.port, certificates=issue(given.directory)):
        HttpServer(administration(state), port=given.admin_port).serve_forever()


if __name__ == "__main__":
    main()
