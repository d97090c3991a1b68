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
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from airflow_multicloud import registry
from airflow_multicloud.ports.secrets import SecretsService
from airflow_multicloud.testing.local_clouds.azure.arm import azure_connection
from airflow_multicloud.testing.local_clouds.gcp.service_account import account_connection
from airflow_multicloud.testing.local_clouds.kit.certificates import issue

from .running_airflow import TaskRun, running_airflow

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

with DAG("looks_up", schedule=None) as dag:

    @task
    def look_up():
        connection = BaseHook.get_connection("warehouse")
        assert connection.password == "{canary}", "another password"
        found = [connection.host, Variable.get("region")]
        print("FOUND", json.dumps(found))
        return found

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


def _vault_at(url: str, home: Path) -> dict[str, object]:
    """An Azure connection whose vault and whose tokens are there."""
    port = urlsplit(url).port or 0
    connection = azure_connection(port, port, issue(home / "azure").authority)
    extra = connection["extra"]
    assert isinstance(extra, dict)
    return {**connection, "extra": {**extra, "key_vault_url": f"https://127.0.0.1:{port}"}}


@contextmanager
def two_of_three_hang(
    prefix: str, home: Path, hedge_after: float = HEDGE
) -> Iterator[dict[str, str]]:
    """The environment of an Airflow whose stores are two black holes, and one that answers.

    Azure is its home, Google Cloud the second store; AWS is what is left.

    :param hedge_after: long enough that the others have been reached when the last one answers.
    """
    with black_hole() as (first, at_first), black_hole() as (second, at_second):
        google = account_connection(second, **{"secretmanager.endpoint": second})
        stores = {
            "stores": ["cloud_home", "cloud_second", "aws_secrets_local"],
            "connections_prefix": f"{prefix}/connections",
            "variables_prefix": f"{prefix}/variables",
            "config_prefix": f"{prefix}/config",
            "hedge_after": hedge_after,
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
            "AIRFLOW_CONN_CLOUD_HOME": json.dumps(_vault_at(first, home)),
            "AIRFLOW_CONN_CLOUD_SECOND": json.dumps(google),
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
        environment.pop("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST")
        ran = _run(environment, str(file))
    shown = ran.stdout + ran.stderr
    assert "STATE success" in ran.stdout, shown
    assert 'FOUND ["warehouse.example", "eu-central-1"]' in shown
    assert CANARY not in shown


def test_airflow_finds_its_database_while_it_is_imported(answering: str, tmp_path: Path) -> None:
    _write(f"{answering}/config/database", f"sqlite:///{tmp_path}/{CANARY}.db")
    # Whose clients are imported only then, by a process that ends with the answer.
    with two_of_three_hang(answering, tmp_path, hedge_after=6.0) as environment:
        del environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
        environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_SECRET"] = "database"
        environment["AIRFLOW_HOME"] = str(tmp_path)
        ran = _run(environment, "-c", CONFIG)
    assert f"FOUND sqlite:///{tmp_path}/{CANARY}.db" in ran.stdout, ran.stdout + ran.stderr


def test_a_whole_airflow_starts_and_runs_a_dag(answering: str, tmp_path: Path) -> None:
    """API server, scheduler, DAG processor and triggerer, which find their database there, too."""
    home, dags = tmp_path / "home", tmp_path / "dags"
    home.mkdir()
    dags.mkdir()
    (dags / "looks_up.py").write_text(DAG_FILE.format(canary=CANARY))
    _write(f"{answering}/config/database", f"sqlite:///{home}/found-in-a-store.db")
    _write(f"{answering}/connections/warehouse", f"postgres://me:{CANARY}@warehouse.example/db")
    _write(f"{answering}/variables/region", "eu-central-1")
    with two_of_three_hang(answering, tmp_path) as environment:
        own: dict[str, str | None] = {
            name: value for name, value in environment.items() if os.environ.get(name) != value
        }
        del own["AIRFLOW__CORE__DAGS_FOLDER"]
        own["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = None
        own["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_SECRET"] = "database"
        with running_airflow(home, dags, own) as airflow:
            airflow.until("the DAG", lambda: airflow.knows("looks_up"))
            triggering = _run(
                dict(airflow.environment),
                *("-m", "airflow", "dags", "trigger", "looks_up", "--run-id", "by_hand"),
            )
            assert triggering.returncode == 0, triggering.stdout + triggering.stderr
            task = TaskRun(airflow, "looks_up", "by_hand", "look_up")
            assert task.until("success")["try_number"] == 1
            assert task.xcom() == ["warehouse.example", "eu-central-1"]
            shown = str(airflow.ask("GET", f"{task.path}/logs/1"))
            logs = [airflow.log(component) for component in airflow.running]
    assert (home / "found-in-a-store.db").exists()
    assert not (home / "airflow.db").exists()
    for text in (shown, triggering.stdout, triggering.stderr, *logs):
        assert CANARY not in text


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
