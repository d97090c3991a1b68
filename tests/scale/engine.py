"""Airflow with a CeleryExecutor, and its workers."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

import psutil

from airflow_multicloud.testing.local_clouds.kit.postgres.home import PostgresHome
from airflow_multicloud.testing.local_clouds.kit.postgres.instance import Login
from airflow_multicloud.testing.local_clouds.kit.sockets import free_port
from tests.integration.running_airflow import Airflow, running_airflow
from tests.scale.broker import Broker, broker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

#: What docs/how-to/scale-out.md advises, with times for a test.
SETTINGS: Mapping[str, object] = {
    "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
    "AIRFLOW__CORE__PARALLELISM": 16,
    # A lost worker's task is noticed by this, whatever becomes of its message.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 20,
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 2,
    # A lost message's task by this: a broker that keeps nothing forgets what waits in it.
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": 30,
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": 2,
    # So short a time passes on a busy machine before workers have started, too.
    "AIRFLOW__SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES": 20,
    # Longer than any task: until then the broker gives no task to a second worker.
    "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": 86400,
    "AIRFLOW__CELERY__TASK_ACKS_LATE": True,
    "AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER": 1,
    "AIRFLOW__CELERY__WORKER_CONCURRENCY": 1,
    # Few connections to the database, which takes twenty.
    "AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_SIZE": 2,
    "AIRFLOW__DATABASE__SQL_ALCHEMY_MAX_OVERFLOW": 2,
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": 1,
}


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs."""

    airflow: Airflow
    broker: Broker

    def start_worker(self, name: str, changed: Mapping[str, str]) -> None:
        """Start a worker with one slot.

        :param changed: of its environment.
        """
        self.airflow.start(name, *_worker(name), changed=changed)

    def runs(self, name: str, pid: int) -> bool:
        """Whether a process is a worker's, or of what it has started."""
        worker = self.airflow.running[name].pid
        with suppress(psutil.NoSuchProcess):
            return worker in [pid, *(parent.pid for parent in psutil.Process(pid).parents())]
        return False

    def lose_worker(self, name: str) -> None:
        """Kill a worker and all that it has started, as if its machine were lost."""
        process = self.airflow.running.pop(name)
        lost = psutil.Process(process.pid)
        for one in [lost, *lost.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The task instances of a run, the mapped ones each."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=1000"
        found: list[dict[str, Any]] = self.airflow.ask("GET", path)["task_instances"]
        return found


@contextmanager
def engine(
    home: Path, dags: Path, connections: Mapping[str, str], *, workers: Sequence[str]
) -> Iterator[Engine]:
    """All of it.

    :param connections: of Airflow, as variables of the environment.
    :param workers: names of those to begin with.
    """
    login = Login("airflow", token_urlsafe())
    with ExitStack() as stack:
        postgres = PostgresHome(port=free_port())
        stack.callback(postgres.close)
        place = postgres.create("airflow", login, ("airflow",)).endpoint
        queue = stack.enter_context(broker(home))
        database = f"://{login.user}:{login.password}@{place.host}:{place.port}/airflow"
        more = {
            **SETTINGS,
            **connections,
            "AIRFLOW__CELERY__BROKER_URL": queue.url,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg{database}",
        }
        components = {name: (name,) for name in ("api-server", "scheduler", "dag-processor")}
        components |= {name: _worker(name) for name in workers}
        with running_airflow(home, dags, more, components=components) as airflow:
            yield Engine(airflow, queue)


def _worker(name: str) -> tuple[str, ...]:
    return ("celery", "worker", "--celery-hostname", name, "--skip-serve-logs")
