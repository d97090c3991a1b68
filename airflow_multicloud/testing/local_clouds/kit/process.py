"""One server process on loopback: started, waited for over HTTP, stopped or killed."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.errors import ErrorKind, ProviderNotAvailableError
from airflow_multicloud.testing.local_clouds.kit import environment
from airflow_multicloud.testing.local_clouds.kit.sockets import (
    LOOPBACK,
    Listener,
    listeners,
    url_at,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TETHER = Path(__file__).with_name("tether.py")
_POLL_S = 0.05
_STOP_S = 5.0
_TAIL_LINES = 20


@dataclass(frozen=True, slots=True)
class Account:
    """A user and a group of this machine, by number."""

    user: int
    group: int


def tethered(command: Sequence[str], *, account: Account | None = None) -> list[str]:
    """The command, to be spawned by this process, so that it can't outlive this process.

    The kernel ties it to the *thread* that spawns it: that thread must last as long.

    :param account: who runs it, where it is not the user of this process; only root can say so.
    """
    who = "-" if account is None else f"{account.user}:{account.group}"
    return [sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), who, *command]


def spawn_tethered(
    command: Sequence[str],
    *,
    log_path: Path,
    env: Mapping[str, str],
    cwd: Path | None = None,
    account: Account | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command from a thread that lasts as long (see :func:`tethered`).

    :param log_path: its output goes here, appended.
    """
    started: list[subprocess.Popen[bytes] | OSError] = []
    spawned = threading.Event()

    def run() -> None:
        try:
            with log_path.open("ab") as log:
                process = subprocess.Popen(  # noqa: S603  # our own command, no shell
                    tethered(command, account=account),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=env,
                    cwd=cwd,
                    # Ctrl-C in a terminal is this process's to handle, not the server's.
                    start_new_session=True,
                )
        except OSError as err:
            started.append(err)
        else:
            started.append(process)
        spawned.set()
        if isinstance(started[0], subprocess.Popen):
            started[0].wait()

    log_path.parent.mkdir(parents=True, exist_ok=True)
    threading.Thread(target=run, name=f"tether-{log_path.stem}", daemon=True).start()
    spawned.wait()
    if isinstance(started[0], OSError):
        raise started[0]
    return started[0]


def end_of(log_path: Path) -> str:
    """The last lines of a log, as one line."""
    text = ""
    with suppress(FileNotFoundError):
        text = log_path.read_text(errors="replace")
    return " | ".join(text.splitlines()[-_TAIL_LINES:]) or "(empty)"


def python_command(module: str, *arguments: str) -> tuple[str, ...]:
    """How a module is run by this interpreter, without the working directory on its path."""
    return (sys.executable, "-P", "-m", module, *arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSpec:
    """How one server is run.

    :param name: for messages and the log file's name.
    :param port: on 127.0.0.1.
    :param command: the program (never a wrapper script: its process id is the server's).
    :param environment: added to what servers get (:func:`.environment.of_servers`).
    :param ready_path: answers with a status below 500 once the server serves.
    :param connections: Airflow connection id → connection, as in ``AIRFLOW_CONN_…`` JSON.
    """

    name: str
    port: int
    command: tuple[str, ...]
    ready_path: str
    environment: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


class LocalServer:
    """A server of this machine that stands in for a cloud. May be started again once stopped.

    :param log_path: its output goes here, appended.
    """

    def __init__(self, spec: ServerSpec, *, log_path: Path) -> None:
        self.spec = spec
        self.log_path = log_path
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The base URL, without a trailing slash."""
        return url_at(self.spec.port)

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The server's process id.

        :raises ProviderNotAvailableError: when it does not run.
        """
        if self._process is None or not self.running:
            raise self._error("is not running")
        return self._process.pid

    def start(self, timeout: timedelta = timedelta(seconds=60)) -> None:
        """Start the server and return when it answers; nothing to do when it runs already.

        :raises ProviderNotAvailableError: when it ends, listens on more than loopback, or
            does not answer in time; the message has the end of its log.
        """
        if self.running:
            return
        self._process = spawn_tethered(
            self.spec.command,
            log_path=self.log_path,
            env={**environment.of_servers(), **self.spec.environment},
        )
        try:
            self._await_ready(self._process, timeout)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End the server: SIGTERM, and SIGKILL after 5 s. Nothing to do when it has ended."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server at once (SIGKILL), as a crash would. Nothing to do when it has ended."""
        self._end(signal.SIGKILL)

    def _await_ready(self, process: subprocess.Popen[bytes], timeout: timedelta) -> None:
        deadline = time.monotonic() + timeout.total_seconds()
        while not self._ready(process.pid):
            if process.poll() is not None:
                raise self._error(f"ended with status {process.returncode}")
            if time.monotonic() > deadline:
                raise self._error(f"did not answer within {timeout.total_seconds():g} s")
            time.sleep(_POLL_S)

    def _ready(self, pid: int) -> bool:
        """Whether this very process listens on its port, on loopback only, and answers."""
        bound = listeners(pid)
        if public := [f"{b.host}:{b.port}" for b in bound if not b.loopback]:
            raise self._error(f"listens on {', '.join(public)}, not only on loopback")
        return Listener(LOOPBACK, self.spec.port) in bound and self._answers()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.spec.port, timeout=2)
        try:
            connection.request("GET", self.spec.ready_path)
            return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _error(self, what: str) -> ProviderNotAvailableError:
        return ProviderNotAvailableError(
            f"local server {self.spec.name} (port {self.spec.port}) {what}; "
            f"end of its log, {self.log_path}: {end_of(self.log_path)}",
            kind=ErrorKind.UNAVAILABLE,
        )
