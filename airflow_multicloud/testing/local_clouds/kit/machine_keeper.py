"""Keeps one machine of a local cloud: runs its startup script, and ends all that it started.

Used as a script by :mod:`.machines`: ``python machine_keeper.py FOLDER DELAY DIES_AFTER``, in the
machine's scratch directory and with its environment; standard output is the console. The machine
is up from the moment the file ``up`` is in the folder until this process ends, which it does

- when its standard input ends: its owner closed it, or is gone, however it went;
- after ``DIES_AFTER`` seconds (``inf`` for never).

A service that leaves its parent (double fork, ``setsid``) is still found: the kernel gives
orphans to the nearest ancestor that asked for them (Linux, ``prctl(2)``:
``PR_SET_CHILD_SUBREAPER``), which is this process.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_OWNER = 0
_GRACE_S = 1.0
_POLL_S = 0.02
#: What Python ignores and a program that it starts should not.
_DEFAULT_SIGNALS = [signal.SIGPIPE, signal.SIGXFSZ]


def main() -> None:
    """Be the machine."""
    folder, delay, dies_after = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")
    keeper = _Keeper()
    if keeper.is_told_within(delay):
        return
    keeper.run(folder / "script")
    (folder / "up").touch()
    keeper.end(_GRACE_S if keeper.is_told_within(dies_after) else 0.0)


class _Keeper:
    def __init__(self) -> None:
        self._script: int | None = None
        self._woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)

    def run(self, script: Path) -> None:
        """Run the script, if there is one, in a session and process group of its own.

        As on a real machine it must say by what: one without ``#!`` is not run.
        """
        text = script.read_bytes() if script.exists() else b""
        if not text:
            return
        # A copy that no other thread of the owner can hold open for writing (ETXTBSY).
        program = script.with_name("program")
        program.unlink(missing_ok=True)
        program.write_bytes(text)
        program.chmod(0o700)
        if not text.startswith(b"#!"):
            _say("not run: it does not begin with '#!'")
            return
        try:
            self._script = os.posix_spawn(
                program,
                [str(program)],
                os.environ,
                file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
                setsid=True,
                setsigdef=_DEFAULT_SIGNALS,
            )
        except OSError as err:
            _say(f"not run: {err}")

    def is_told_within(self, seconds: float) -> bool:
        """Wait so long; whether this process is told to end before."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._has_children()
            ready, _, _ = select.select(
                [_OWNER, self._woken], [], [], None if math.isinf(left) else left
            )
            if _OWNER in ready:
                return True
            if self._woken in ready and set(os.read(self._woken, 4096)) - {signal.SIGCHLD}:
                return True
        return False

    def end(self, grace: float) -> None:
        """End everything that was started here: SIGTERM, and SIGKILL after the grace."""
        deadline = time.monotonic() + grace
        self._script = None
        if grace:
            _signal_all(signal.SIGTERM)
        while self._has_children():
            if time.monotonic() >= deadline:
                _signal_all(signal.SIGKILL)
            time.sleep(_POLL_S)

    def _has_children(self) -> bool:
        """Whether any are left, after those that have ended are cleared away."""
        while True:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if child == 0:
                return True
            if child == self._script:
                _say(f"exit status {os.waitstatus_to_exitcode(status)}")


def _signal_all(number: signal.Signals) -> None:
    for process in _descendants():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)


def _descendants() -> set[int]:
    parents = dict(_parents())
    found: set[int] = set()
    while more := {p for p, parent in parents.items() if parent in found | {os.getpid()}} - found:
        found |= more
    return found


def _parents() -> Iterator[tuple[int, int]]:
    """Process id → its parent's, by ``proc(5)``."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                after_name = (entry / "stat").read_text(errors="replace").rpartition(")")[2]
                yield int(entry.name), int(after_name.split()[1])


def _say(what: str) -> None:
    os.write(1, f"startup script: {what}\n".encode())


if __name__ == "__main__":
    main()
