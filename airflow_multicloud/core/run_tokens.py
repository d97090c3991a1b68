"""Which run began something, and whether that run is over.

An upload or a temporary file carries a token of the run that began it. A token says which run it
is, and which process on which machine: of a process on this machine it can be known whether it
lives. A run on another machine is over when the same run is tried again; otherwise it may still be
under way.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import socket
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from airflow_multicloud.ports.object_store import RUN_LENGTH

_PROC = Path("/proc")
#: What lies in a bucket may be anybody's.
_FORM = re.compile(rf"[A-Za-z0-9_-]{{{RUN_LENGTH}}}")
_RUN, _BOOT, _SPACE, _PID, _START = 10, 4, 4, 4, 6
#: States of processes that were killed, and of which the parent has not heard yet.
_ENDED = frozenset({b"Z", b"X"})
#: What a process does outside of any run.
_NO_RUN = "no run"

_current: ContextVar[str | None] = ContextVar("multicloud_run", default=None)
_under_way: Counter[str] = Counter()


class RunState(StrEnum):
    """What is known of the run that began something."""

    UNDER_WAY = "under way"
    """Its process lives on this machine."""
    OVER = "over"
    """Its process on this machine is gone, or this is a later try of the same run."""
    UNKNOWN = "unknown"
    """It is of another machine, or no token tells."""


@dataclass(frozen=True, slots=True)
class _Token:
    """What a token says: five hashes and a process id.

    :param boot: of the kernel.
    :param space: of the host's name and of the namespaces in which process ids and times count.
    :param start: of when the process began: ids are used again.
    """

    run: str
    boot: str
    space: str
    pid: str
    start: str

    def __str__(self) -> str:
        return self.run + self.boot + self.space + self.pid + self.start

    @classmethod
    def parse(cls, text: str | None) -> _Token | None:
        if text is None or not _FORM.fullmatch(text):
            return None
        fields: list[str] = []
        for width in (_RUN, _BOOT, _SPACE, _PID, _START):
            fields.append(text[:width])
            text = text[width:]
        return cls(*fields)


@contextmanager
def under_way(run_id: str | None) -> Iterator[None]:
    """A run, of which all that is begun meanwhile is. A run within another is part of that one.

    :param run_id: the same for every try of a run; what has none can't be told from others later.
    """
    if _current.get() is not None:
        yield
        return
    run = _short(run_id or uuid.uuid4().hex, _RUN)
    _under_way[run] += 1
    token = _current.set(run)
    try:
        yield
    finally:
        _current.reset(token)
        _under_way[run] -= 1


def current() -> str:
    """The token of the run that this is part of."""
    pid = os.getpid()
    boot, space = _machine(pid)
    run = _current.get() or _short(_NO_RUN, _RUN)
    return str(_Token(run, boot, space, _number(pid), _start(pid) or "-" * _START))


def state_of(token: str | None) -> RunState:
    """What is known of the run that a token is of."""
    there, here = _Token.parse(token), _Token.parse(current())
    if there is None or here is None:
        return RunState.UNKNOWN
    if (there.boot, there.space) != (here.boot, here.space):
        return RunState.OVER if there.run == _current.get() else RunState.UNKNOWN
    if (there.pid, there.start) == (here.pid, here.start):
        lives = _under_way[there.run] > 0 or there.run == _short(_NO_RUN, _RUN)
    else:
        lives = _lives(there)
    return RunState.UNDER_WAY if lives else RunState.OVER


def of_this_kernel(token: str | None) -> bool:
    """Whether the process was of this machine, if perhaps of another of its containers."""
    there = _Token.parse(token)
    return there is not None and there.boot == _machine(os.getpid())[0]


def _lives(there: _Token) -> bool:
    pid = int.from_bytes(base64.urlsafe_b64decode(there.pid), "big")
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass  # Another user's: it is there.
    start = _start(pid)
    # When it can't be seen since when this process is there, it may be the one.
    return start is None or start == there.start


@cache
def _machine(pid: int) -> tuple[str, str]:
    """This kernel and the namespaces of this process, which a fork keeps.

    Where the system does not tell, no other process can be judged: each is its own machine then.
    """
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text()
        spaces = [str((_PROC / "self/ns" / name).readlink()) for name in ("pid", "time")]
        _ = (_PROC / "self/stat").read_bytes()
    except OSError:
        return _short(uuid.uuid4().hex, _BOOT), _short(f"{uuid.uuid4().hex}{pid}", _SPACE)
    return _short(boot, _BOOT), _short("\n".join([boot, socket.gethostname(), *spaces]), _SPACE)


def _start(pid: int) -> str | None:
    """When a process began, hashed; ``None`` when that can't be seen, empty when it has ended."""
    try:
        # proc_pid_stat(5): the name, the second field, is in parentheses and may have spaces.
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    state, start = fields[0], fields[19]
    return "" if state in _ENDED else _short(start.decode(), _START)


def _number(pid: int) -> str:
    return base64.urlsafe_b64encode(pid.to_bytes(3, "big")).decode()


def _short(text: str, length: int) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()[:length]
