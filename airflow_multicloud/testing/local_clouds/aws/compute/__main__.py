"""``python -m airflow_multicloud.testing.local_clouds.aws.compute``: serve until ended.

Only this process loads moto.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from airflow_multicloud.testing.local_clouds.aws.compute.account import Account
from airflow_multicloud.testing.local_clouds.aws.compute.boots import Boots
from airflow_multicloud.testing.local_clouds.aws.compute.server import Ec2Server, Ec2State
from airflow_multicloud.testing.local_clouds.kit.http import HttpServer
from airflow_multicloud.testing.local_clouds.kit.machines import Machines
from airflow_multicloud.testing.local_clouds.kit.state import administration


def main() -> None:
    """Both listeners; the plain one comes last, so that who sees it ready finds the other."""
    parser = argparse.ArgumentParser(prog="aws.compute", description="EC2 on loopback")
    parser.add_argument("--port", type=int, required=True, help="the APIs")
    parser.add_argument("--admin-port", type=int, required=True, help="seeding and faults")
    parser.add_argument("--directory", type=Path, required=True, help="for the machines")
    given = parser.parse_args()
    given.directory.mkdir(parents=True, exist_ok=True)
    state, account = Ec2State(), Account()
    boots = Boots(account, Machines(given.directory, port=given.port))
    with HttpServer(Ec2Server(account, boots, state), port=given.port):
        HttpServer(administration(state), port=given.admin_port).serve_forever()


if __name__ == "__main__":
    main()
