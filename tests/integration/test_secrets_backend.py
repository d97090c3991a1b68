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
#: Two stores that hang, each of which the next waits a second for; the rest is Airflow's.
HEDGE, MOST_SECONDS = 1.0, 12.0

DAG_FILE = """
import time

from airflow.sdk import DAG, Variable, BaseHook, task

with DAG("looks_up") as dag:

    @task
    def look_up():
        began = time.monotonic()
        connection = BaseHook.get_connection("warehouse")
        assert connection.password == "{canary}", "another password"
        region = Variable.get("region")
        lacking = Variable.get("lacking", default="a default")
        return {{
            "host": connection.host,
            "region": region,
            "lacking": lacking,
            "seconds": time.monotonic() - began,
        }}

    look_up()

if __name__ == "__main__":
    run = dag.test()
    (ti,) = run.get_task_instances()
    print("STATE", ti.state)
    print("FOUND", __import__("json").dumps(ti.xcom_pull(task_ids="look_up")))
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


def test_airflow_runs_although_two_of_three_stores_answer_nothing(
    answering: str, tmp_path: Path
) -> None:
    from airflow.sdk import BaseHook

    database = f"sqlite:///{tmp_path}/airflow.db"
    _write(f"{answering}/connections/warehouse", f"postgres://me:{CANARY}@warehouse.example/db")
    _write(f"{answering}/variables/region", "eu-central-1")
    _write(f"{answering}/config/database", database)
    dags = tmp_path / "dags"
    dags.mkdir()
    file = dags / "looks_up.py"
    file.write_text(DAG_FILE.format(canary=CANARY))
    conn = BaseHook.get_connection("aws_secrets_local")
    with black_hole() as (home, at_home), black_hole() as (second, at_second):
        environment = {name: v for name, v in os.environ.items() if "SQL_ALCHEMY" not in name} | {
            "AIRFLOW_HOME": str(tmp_path),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_SECRET": "database",
            "AIRFLOW__SECRETS__BACKEND": (
                "airflow_multicloud.secrets_backend.MultiCloudSecretsBackend"
            ),
            "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(
                {
                    "stores": ["cloud_home", "cloud_second", "aws_secrets_local"],
                    "connections_prefix": f"{answering}/connections",
                    "variables_prefix": f"{answering}/variables",
                    "config_prefix": f"{answering}/config",
                    "hedge_after": HEDGE,
                    "timeout": 20.0,
                }
            ),
            "AIRFLOW_CONN_CLOUD_HOME": _hanging(conn, home),
            "AIRFLOW_CONN_CLOUD_SECOND": _hanging(conn, second),
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONWARNINGS": "ignore",
        }
        migrated = _run(environment, "-m", "airflow", "db", "migrate")
        assert migrated.returncode == 0, migrated.stdout + migrated.stderr
        assert (tmp_path / "airflow.db").exists()
        ran = _run(environment, str(file))
    shown = migrated.stdout + migrated.stderr + ran.stdout + ran.stderr
    assert "STATE success" in ran.stdout, shown
    found = json.loads(ran.stdout.partition("FOUND ")[2].splitlines()[0])
    assert found["host"] == "warehouse.example"
    assert found["region"] == "eu-central-1"
    assert found["lacking"] == "a default"
    assert found["seconds"] < MOST_SECONDS + 20.0
    assert at_home
    assert at_second
    assert CANARY not in shown


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
