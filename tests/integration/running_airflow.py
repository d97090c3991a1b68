"""A whole Airflow: its API server, scheduler, DAG processor and triggerer, as on a machine."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import requests

from airflow_multicloud.testing.local_clouds.kit.process import tethered
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_CHECKOUT = Path(__file__).parents[2]
#: A busy machine takes its time to start four processes of Airflow.
_PATIENCE = 240.0
_COMPONENTS = {name: (name,) for name in ("api-server", "scheduler", "dag-processor", "triggerer")}


@dataclass
class Airflow:
    """What runs, and how a user reaches it."""

    home: Path
    url: str
    environment: Mapping[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    session: requests.Session = field(default_factory=requests.Session)

    def start(
        self, component: str, *command: str, changed: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Start a component by a command of Airflow.

        :param command: the component's own name, if there is no other.
        :param changed: of the environment.
        """
        words = [sys.executable, "-m", "airflow", *(command or (component,))]
        with (self.home / f"{component}.log").open("ab") as log:
            self.running[component] = subprocess.Popen(
                tethered(words),
                env={**self.environment, **changed},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, component: str, by: signal.Signals) -> None:
        """End it, and what it has started."""
        process = self.running.pop(component)
        process.send_signal(by)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def log(self, component: str) -> str:
        return (self.home / f"{component}.log").read_text(errors="replace")

    def until(self, what: str, holds: Callable[[], object]) -> None:
        end = time.monotonic() + _PATIENCE
        while not holds():
            dead = [name for name, process in self.running.items() if process.poll() is not None]
            assert not dead, "\n".join(self.log(name)[-5000:] for name in dead)
            assert time.monotonic() < end, f"not within {_PATIENCE} s: {what}\n" + "\n".join(
                self.log(name)[-3000:] for name in self.running
            )
            time.sleep(0.3)

    def ask(self, method: str, path: str, **body: Any) -> Any:
        answer = self.session.request(method, f"{self.url}/api/v2/{path}", json=body or None)
        assert answer.ok, answer.text
        return answer.json()

    def is_up(self) -> bool:
        try:
            answer = self.session.get(f"{self.url}/api/v2/monitor/health", timeout=5)
        except requests.RequestException:
            return False
        return answer.ok

    def knows(self, dag_id: str) -> bool:
        return self.session.get(f"{self.url}/api/v2/dags/{dag_id}").ok


@dataclass(frozen=True)
class TaskRun:
    """One task of one run of a DAG."""

    airflow: Airflow
    dag_id: str
    run_id: str
    task_id: str

    @property
    def path(self) -> str:
        return f"dags/{self.dag_id}/dagRuns/{self.run_id}/taskInstances/{self.task_id}"

    def seen(self) -> dict[str, Any]:
        found: dict[str, Any] = self.airflow.ask("GET", self.path)
        return found

    def until(self, state: str) -> dict[str, Any]:
        self.airflow.until(f"{self.path}: {state}", lambda: self.seen()["state"] == state)
        return self.seen()

    def deferred_times(self, times: int) -> None:
        """Wait until the scheduler knows that it has deferred so often.

        It may take a task that goes on before that for one that was killed, and try it again
        (https://github.com/apache/airflow/issues/71580).
        """
        of_this = f"dag_id='{self.dag_id}', task_id='{self.task_id}', run_id='{self.run_id}'"

        def heard() -> bool:
            lines = self.airflow.log("scheduler").splitlines()
            told = [line for line in lines if "Received executor event" in line and of_this in line]
            return sum("state success" in line for line in told) >= times

        self.airflow.until(f"{self.path}: deferred {times} times", heard)
        self.until("deferred")

    def xcom(self, key: str = "return_value") -> Any:
        return self.airflow.ask("GET", f"{self.path}/xcomEntries/{key}?deserialize=true")["value"]


def begin_run(airflow: Airflow, dag_id: str, task_id: str, **conf: Any) -> TaskRun:
    path = f"dags/{dag_id}/dagRuns"
    run = airflow.ask("POST", path, logical_date=None, conf=conf)
    return TaskRun(airflow, dag_id, run["dag_run_id"], task_id)


@contextmanager
def running_airflow(
    home: Path,
    dags: Path,
    more: Mapping[str, object | None] = MappingProxyType({}),
    *,
    components: Mapping[str, Sequence[str]] = _COMPONENTS,
    prepare: Callable[[Mapping[str, str]], object] = dict,
) -> Iterator[Airflow]:
    """Airflow, with a home, a database and ports of its own; all of it is ready for runs.

    :param more: variables of the environment; ``None`` for those that it must not have.
    :param components: what is started of it, by name: commands of Airflow.
    :param prepare: called with the environment before that, when there is a database.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        "AIRFLOW_HOME": home,
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(),
        "AIRFLOW__API__WORKERS": 1,
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "AIRFLOW__CORE__DAGS_FOLDER": dags,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__PARALLELISM": 2,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": True,
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": None,  # That of dag.test().
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": free_port(),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": free_port(),
        "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": 1,
        "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": 5,
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": 1,
        "PYTHONPATH": os.pathsep.join([str(_CHECKOUT), os.environ.get("PYTHONPATH", "")]),
        "PYTHONWARNINGS": "ignore",
        **more,
    }
    told = {name: str(value) for name, value in settings.items() if value is not None}
    kept = {name: value for name, value in os.environ.items() if name not in settings}
    environment = kept | told
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=_PATIENCE)
    airflow = Airflow(home, url, environment)
    prepare(environment)
    try:
        for component, command in components.items():
            airflow.start(component, *command)
        airflow.until("the API server", airflow.is_up)
        if settings["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"]:
            token = airflow.session.get(f"{url}/auth/token").json()["access_token"]
            airflow.session.headers["Authorization"] = f"Bearer {token}"
        yield airflow
    finally:
        for component in [*airflow.running]:
            airflow.stop(component, signal.SIGTERM)
