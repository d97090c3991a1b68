"""``make ui`` as somebody starts it, with a port and directories of its own, and its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from airflow_multicloud.testing.local_clouds.kit.sockets import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHECKOUT = Path(__file__).parents[2]
#: Until the three pipelines have run, on a machine that has more to do.
_PATIENCE = 900.0
_LOOK = 1.0
_TO_END = 60.0
#: What another Airflow, or the make that runs these tests, has left in the environment.
_FOREIGN = ("AIRFLOW_", "MAKE", "MFLAGS")


@dataclass(frozen=True)
class MadeUi:
    """The Airflow that it has started, and what its API says."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def token(self) -> str:
        """That of nobody in particular, who is an administrator here."""
        return str(self.session.headers["Authorization"]).removeprefix("Bearer ")

    def until(self, what: str, found: Callable[[], Any]) -> Any:
        """Ask again until something is found."""
        end = time.monotonic() + _PATIENCE
        while not (answer := found()):
            assert self.process.poll() is None, f"make ui ended:\n{self._end_of_log()}"
            assert time.monotonic() < end, f"not in time: {what}\n{self._end_of_log()}"
            time.sleep(_LOOK)
        return answer

    def sign_in(self) -> bool:
        """Whether there is an Airflow yet."""
        try:
            answer = self.session.get(f"{self.url}/auth/token", timeout=10)
        except requests.RequestException:
            return False
        if answer.ok:
            self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer.ok

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """An answer of Airflow's API; nothing where it has no content."""
        address = f"{self.url}/api/v2/{path}"
        answer = self.session.request(method, address, json=body or None, timeout=60)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def page(self, path: str) -> requests.Response:
        """A page of this package's."""
        return self.session.get(f"{self.url}/multicloud{path}", timeout=60)

    def ended_run(self, dag_id: str) -> dict[str, Any] | None:
        """The run that ``make ui`` has begun of a DAG, once it has ended."""
        answer = self.session.get(f"{self.url}/api/v2/dags/{dag_id}/dagRuns", timeout=60)
        runs = answer.json()["dag_runs"] if answer.ok else []
        return next((run for run in runs if run["state"] not in ("queued", "running")), None)

    def tasks(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        """The task instances of a run."""
        found: list[dict[str, Any]] = self.ask("GET", f"{_path(run)}/taskInstances?limit=100")[
            "task_instances"
        ]
        return found

    def told(self, run: dict[str, Any], task_id: str, key: str, map_index: int = -1) -> Any:
        """A report that a task has in XCom."""
        entry = f"{_path(run)}/taskInstances/{task_id}/xcomEntries/{key}"
        return self.ask("GET", f"{entry}?deserialize=true&map_index={map_index}")["value"]

    def run_again(self, run: dict[str, Any], task_id: str) -> None:
        """Clear a task, and wait until the run has ended again."""
        self.ask(
            "POST",
            f"dags/{run['dag_id']}/clearTaskInstances",
            dry_run=False,
            only_failed=False,
            dag_run_id=run["dag_run_id"],
            task_ids=[task_id],
        )
        self.until(f"{task_id} again", lambda: self.ended_run(run["dag_id"]))

    def delete(self, run: dict[str, Any]) -> None:
        """Delete a run."""
        self.ask("DELETE", _path(run))

    def _end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-5000:]


@contextmanager
def make_ui(directory: Path) -> Iterator[MadeUi]:
    """Start it, and end it with everything that it has started.

    :param directory: for what it keeps, and its log.
    """
    port, log = free_port(), directory / "make-ui.log"
    # The environment that runs this is its environment, whatever make would install.
    command = [
        *("make", "-o", f"{sys.prefix}/.ready", "ui", f"VENV={sys.prefix}"),
        *(f"DEMO={directory}/demo", f"PORT={port}"),
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    more = {
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "PYTHONPATH": str(_CHECKOUT),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=_CHECKOUT,
            env=kept | more,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield MadeUi(f"http://127.0.0.1:{port}", log, process)
    finally:
        process.send_signal(signal.SIGTERM)
        end = time.monotonic() + _TO_END
        while _left(directory) and time.monotonic() < end:
            process.poll()
            time.sleep(_LOOK)
        for pid in _left(directory):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(_TO_END)


def _left(directory: Path) -> list[int]:
    """The processes that have this directory in their environment or command."""
    mark = os.fsencode(f"{directory}/demo")
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        with suppress(OSError):
            said = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            if mark in said:
                found.append(int(process.name))
    return found


def _path(run: dict[str, Any]) -> str:
    return f"dags/{run['dag_id']}/dagRuns/{quote(run['dag_run_id'], safe='')}"
