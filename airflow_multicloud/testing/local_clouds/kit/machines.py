"""The machines of a local cloud: each a process group with an address of its own on loopback.

A machine really runs its startup script: **with the rights of the user who runs the server**, in a
scratch directory, and with a small environment; it is no sandbox, and only for local clouds.
:mod:`.machine_keeper` is the process that keeps each machine; it holds the end of a pipe from here,
so no machine outlives its server.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from airflow_multicloud.testing.local_clouds.kit import environment
from airflow_multicloud.testing.local_clouds.kit.addresses import Addresses
from airflow_multicloud.testing.local_clouds.kit.sockets import OFFLINE_ENV

_KEEPER = Path(__file__).with_name("machine_keeper.py")
_CONSOLE_BYTES = 64 << 10
_STOP_S = 30.0
#: What a machine sees of the server's own environment.
_PASSED_ON = frozenset(
    {"LANG", "LC_ALL", "LD_LIBRARY_PATH", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"}
)


@dataclass(slots=True)
class _Machine:
    """What there is of one; its lock is held while it changes."""

    folder: Path
    lock: threading.Lock = field(default_factory=threading.Lock)
    keeper: subprocess.Popen[bytes] | None = None

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    @property
    def console(self) -> Path:
        return self.folder / "console"

    @property
    def is_kept(self) -> bool:
        """Whether it is up, or will be after its delay."""
        return self.keeper is not None and self.keeper.poll() is None

    def end(self) -> None:
        """End it; it is down when this returns."""
        if self.keeper is not None and self.keeper.stdin is not None:
            self.keeper.stdin.close()
            self.keeper.wait(_STOP_S)


class Machines:
    """The machines of one local cloud; safe for many threads.

    :param directory: for the scratch directories and consoles; nobody else's.
    :param port: of the cloud's server; its machines' addresses are made of it
        (:class:`~.addresses.Addresses`).
    :raises ValueError: for a port that is none.
    """

    def __init__(self, directory: Path, *, port: int) -> None:
        self._addresses = Addresses(port)
        self._directory = directory
        self._lock = threading.Lock()
        self._machines: dict[str, _Machine] = {}
        self._closed = False

    def address(self, machine: str) -> str:
        """Its address, the same until it is removed.

        :raises RuntimeError: when all are taken.
        """
        return self._addresses.of(machine)

    def boot(
        self,
        machine: str,
        script: bytes,
        *,
        delay: float = 0.0,
        runs_script: bool = True,
        dies_after: float | None = None,
    ) -> None:
        """Turn a machine on; returns at once. Nothing to do for one that is on.

        :param script: run when it is up; what it leaves running belongs to the machine.
        :param delay: seconds until it is up.
        :param runs_script: ``False`` for a machine that comes up and runs nothing.
        :param dies_after: seconds after which it goes down by itself; ``None`` for never.
        :raises RuntimeError: after :meth:`close`.
        """
        found = self._machine(machine)
        with found.lock:
            if self._closed:
                raise RuntimeError(f"machine {machine!r}: can't boot, the local cloud has ended")
            if found.is_kept:
                return
            found.end()
            found.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
            (found.folder / "up").unlink(missing_ok=True)
            (found.folder / "script").write_bytes(script if runs_script else b"")
            # The script can hold a signed URL.
            found.folder.chmod(0o700)
            with found.console.open("ab") as console:
                found.keeper = subprocess.Popen(  # noqa: S603  # our own program, no shell
                    [
                        *(sys.executable, "-I", "-S", str(_KEEPER), str(found.folder)),
                        *(str(delay), str(math.inf if dies_after is None else dies_after)),
                    ],
                    cwd=found.scratch,
                    env=_environment(found.scratch, self.address(machine)),
                    stdin=subprocess.PIPE,
                    stdout=console,
                    stderr=console,
                    start_new_session=True,
                )

    def is_up(self, machine: str) -> bool:
        """Whether it is on and its delay is over; its script may still run or have ended."""
        found = self._machine(machine)
        return found.is_kept and (found.folder / "up").exists()

    def has_gone_down(self, machine: str) -> bool:
        """Whether it is off, and was up since it was turned on last."""
        found = self._machine(machine)
        # In this order: it may come up between the two looks.
        return (found.folder / "up").exists() and not found.is_kept

    def shut_down(self, machine: str) -> None:
        """Turn it off: end all its processes. Its scratch directory and console stay."""
        found = self._machine(machine)
        with found.lock:
            found.end()

    def remove(self, machine: str) -> None:
        """Turn it off and delete all there is of it; nothing to do for an unknown one."""
        found = self._machine(machine)
        with found.lock:
            found.end()
            found.keeper = None
            if found.folder.exists():
                shutil.rmtree(found.folder)
            self._addresses.give_back(machine)

    def console(self, machine: str) -> str:
        """The newest 64 KiB of what its scripts wrote, over all boots."""
        try:
            with self._machine(machine).console.open("rb") as console:
                size = console.seek(0, os.SEEK_END)
                console.seek(max(0, size - _CONSOLE_BYTES))
                return console.read(_CONSOLE_BYTES).decode(errors="replace")
        except FileNotFoundError:
            return ""

    def close(self) -> None:
        """Turn all off, for good."""
        self._closed = True
        with self._lock:
            machines = list(self._machines.values())
        threads = [threading.Thread(target=_shut_down, args=(machine,)) for machine in machines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _machine(self, machine: str) -> _Machine:
        with self._lock:
            if machine not in self._machines:
                self._machines[machine] = _Machine(self._directory / _folder_name(machine))
            return self._machines[machine]


def _shut_down(machine: _Machine) -> None:
    with machine.lock:
        machine.end()


def _folder_name(machine: str) -> str:
    """Readable, and its own for every name (Azure's are paths, and long)."""
    readable = re.sub(r"[^A-Za-z0-9-]", "_", machine)[-40:]
    return f"{readable}-{hashlib.sha256(machine.encode()).hexdigest()[:16]}"


def _environment(scratch: Path, address: str) -> dict[str, str]:
    servers = environment.of_servers()
    # This interpreter's directory comes first: it has a python3.
    path = [str(Path(sys.executable).parent), servers.get("PATH", os.defpath)]
    return {
        **{name: value for name, value in servers.items() if name in _PASSED_ON},
        **OFFLINE_ENV,
        "PATH": os.pathsep.join(path),
        "HOME": str(scratch),
        "MULTICLOUD_ROOT": str(scratch),
        "MULTICLOUD_ADDRESS": address,
    }
