"""``python -m airflow_multicloud.testing.local_clouds.azure_arm``: serve until ended.

Only this process loads the SDKs that requests are checked against.
"""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from airflow_multicloud.testing.local_clouds.azure_arm import advisor, cost, retail_prices
from airflow_multicloud.testing.local_clouds.azure_arm.certificates import issue
from airflow_multicloud.testing.local_clouds.azure_arm.server import (
    administration,
    azure,
    listener,
)
from airflow_multicloud.testing.local_clouds.azure_arm.state import State
from airflow_multicloud.testing.local_clouds.azure_arm.tokens import Tokens

_SERVICES = (cost, advisor, retail_prices)


def main() -> None:
    """Both listeners; the plain one comes last, so that who sees it ready finds the other."""
    parser = argparse.ArgumentParser(prog="azure_arm", description="Azure on loopback")
    parser.add_argument("--port", type=int, required=True, help="TLS: Azure")
    parser.add_argument("--admin-port", type=int, required=True, help="plain: seeding and faults")
    parser.add_argument("--directory", type=Path, required=True, help="for ca.pem and the rest")
    given = parser.parse_args()
    state, tokens = State(), Tokens()
    routes = [*tokens.routes(), *(route for s in _SERVICES for route in s.routes(state))]
    secured = listener(given.port, azure(routes, tokens, state), issue(given.directory))
    threading.Thread(target=secured.serve_forever, daemon=True).start()
    listener(given.admin_port, administration(state)).serve_forever()


if __name__ == "__main__":
    main()
