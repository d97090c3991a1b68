"""Airflow with its connections in clouds of which two of three answer nothing any more."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud import registry
from airflow_multicloud.ports.secrets import SecretsService

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.testing.local_clouds import LocalServer

CHECKOUT = Path(__file__).parents[2]
CANARY = "cAnArY-of-the-backend"
#: The next store is asked so many seconds after one that hangs.
HEDGE = 0.5

DAG_FILE = """
import json

from airflow.sdk import DAG, BaseHook, Variable, task

with DAG("looks_up") as dag:

    @task
    def look_up():
        connection = BaseHook.get_connection("warehouse")
        assert connection.password == "{canary}", "another password"
        print("FOUND", json.dumps([connection.host, Variable.get("region")]))

    look_up()

if __name__ == "__main__":
    print("STATE", dag.test().state)
"""

CONFIG = """
import airflow
from airflow.configuration import conf
print("FOUND", conf.get("database", "sql_alchemy_conn"))
"""


@contextmanager
def black_hole() -> Iterator[tuple[str, list[float]]]:
    """Takes connections and never says a word; its address, and when it was reached."""
    reached: list[float] = []
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return
                reached.append(time.monotonic())

        taking = threading.Thread(target=take)
        taking.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", reached
        finally:
            server.shutdown(socket.SHUT_RDWR)
            taking.join()
            for one in held:
                one.close()


@pytest.fixture
def answering(local_secrets_manager: LocalServer) -> Iterator[str]:
    """The only store that answers, with a connection, a variable and where the database is."""
    hook = registry.resolve(SecretsService, "aws_secrets_local")
    ids = f"of-{uuid.uuid4().hex[:8]}"
    yield ids
    for found in list(hook.find_secrets(ids)):
        if found.current is not None:
            hook.remove_secret(found.name, version=found.current.id)


def _write(name: str, value: str) -> None:
    hook = registry.resolve(SecretsService, "aws_secrets_local")
    hook.write_secret(name, value.encode(), token=str(uuid.uuid4()), replaces=None)


def _hanging(conn: Any, url: str) -> str:
    extra = json.loads(json.dumps(conn.extra_dejson))
    extra["endpoint_url"] = url
    for service in extra.get("service_config", {}).values():
        service["endpoint_url"] = url
    return json.dumps(
        {"conn_type": "aws", "login": conn.login, "password": conn.password, "extra": extra}
    )


@contextmanager
def two_of_three_hang(prefix: str, home: Path) -> Iterator[dict[str, str]]:
    """The environment of an Airflow whose stores are two black holes, and one that answers."""
    from airflow.sdk import BaseHook

    conn = BaseHook.get_connection("aws_secrets_local")
    with black_hole() as (first, at_first), black_hole() as (second, at_second):
        stores = {
            "stores": ["cloud_home", "cloud_second", "aws_secrets_local"],
            "connections_prefix": f"{prefix}/connections",
            "variables_prefix": f"{prefix}/variables",
            "config_prefix": f"{prefix}/config",
            "hedge_after": HEDGE,
            # Far longer than any test: who waits for a store that hangs fails.
            "timeout": 3600.0,
            "cache_seconds": 3600.0,
        }
        yield os.environ | {
            "AIRFLOW__CORE__DAGS_FOLDER": str(home),
            "AIRFLOW__SECRETS__BACKEND": (
                "airflow_multicloud.secrets_backend.MultiCloudSecretsBackend"
            ),
            "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(stores),
            "AIRFLOW_CONN_CLOUD_HOME": _hanging(conn, first),
            "AIRFLOW_CONN_CLOUD_SECOND": _hanging(conn, second),
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONWARNINGS": "ignore",
        }
        assert at_first
        assert at_second


@pytest.mark.usefixtures("airflow_db")
def test_a_task_runs_although_two_of_three_stores_answer_nothing(
    answering: str, tmp_path: Path
) -> None:
    _write(f"{answering}/connections/warehouse", f"postgres://me:{CANARY}@warehouse.example/db")
    _write(f"{answering}/variables/region", "eu-central-1")
    file = tmp_path / "looks_up.py"
    file.write_text(DAG_FILE.format(canary=CANARY))
    with two_of_three_hang(answering, tmp_path) as environment:
        ran = _run(environment, str(file))
    shown = ran.stdout + ran.stderr
    assert "STATE success" in ran.stdout, shown
    assert 'FOUND ["warehouse.example", "eu-central-1"]' in shown
    assert CANARY not in shown


def test_airflow_finds_its_database_while_it_is_imported(answering: str, tmp_path: Path) -> None:
    _write(f"{answering}/config/database", f"sqlite:///{tmp_path}/{CANARY}.db")
    with two_of_three_hang(answering, tmp_path) as environment:
        del environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
        environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_SECRET"] = "database"
        environment["AIRFLOW_HOME"] = str(tmp_path)
        ran = _run(environment, "-c", CONFIG)
    assert f"FOUND sqlite:///{tmp_path}/{CANARY}.db" in ran.stdout, ran.stdout + ran.stderr


def _run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        env=environment,
        cwd=CHECKOUT,
        check=False,
        capture_output=True,
        text=True,
        timeout=400,
    )
