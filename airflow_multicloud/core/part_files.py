"""Local files that are written whole before they take their name, and what killed runs leave.

Each lies beside the file that it will be, says in its name which run writes it, and is locked for
as long as that run has it open. The lock goes with the process, so it also tells of a process in
another container that shares the volume.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from airflow_multicloud.core import run_tokens
from airflow_multicloud.core.left_uploads import IDLE
from airflow_multicloud.core.run_tokens import RunState
from airflow_multicloud.ports.object_store import RUN_LENGTH

_NAME = re.compile(
    rf"\.(?P<name>.+?)(?:\.(?P<run>[\w-]{{{RUN_LENGTH}}}))?\.[0-9a-f]{{16}}\.part",
    re.DOTALL | re.ASCII,
)
#: Bytes of the name of the file that it will be: a file system takes 255 in all.
_READABLE = 100


@dataclass(frozen=True, slots=True)
class PartFile:
    """A file under way; closing it gives up the lock."""

    path: Path
    file: BinaryIO

    def remove(self) -> None:
        """Remove it, and close it."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
        self.file.close()


def create(final: Path) -> PartFile:
    """A new, locked file beside the one that it will be.

    :raises OSError: when the directory can't be written to.
    """
    while True:
        name = f".{_readable(final)}.{run_tokens.current()}.{secrets.token_hex(8)}.part"
        path = final.with_name(name)
        file = path.open("xb")
        if not _lock(file.fileno()) or os.fstat(file.fileno()).st_nlink:
            return PartFile(path, file)
        file.close()  # It was removed before it was locked: another container took it for left.


def left_for(final: Path) -> Iterator[Path]:
    """Temporary files of what will be this file, also those that are under way."""
    begins = f".{_readable(final)}."
    with contextlib.suppress(OSError), os.scandir(final.parent) as entries:
        for entry in entries:
            if entry.name.startswith(begins) and _is_part(Path(entry.path)):
                yield Path(entry.path)


def left_below(directory: Path) -> Iterator[Path]:
    """Temporary files below a directory, also those that are under way."""
    for above, _, names in os.walk(directory):
        for name in sorted(names):
            if name.endswith(".part") and _is_part(path := Path(above, name)):
                yield path


def clear(left: Iterator[Path], *, idle: timedelta = IDLE) -> int:
    """Remove those whose run is over; returns how many.

    :param idle: how long one was not written to whose run is on another machine.
    """
    gone = 0
    for path in left:
        with contextlib.suppress(OSError):
            if is_over(path, before=datetime.now(UTC) - idle):
                path.unlink()
                gone += 1
    return gone


def is_over(path: Path, *, before: datetime) -> bool:
    """Whether the run that writes a file is over.

    :param before: when one was last written to whose run is on another machine.
    :raises OSError: when it can't be looked at.
    """
    token = _run_of(path)
    state = run_tokens.state_of(token)
    locked = _is_locked(path)
    if state is RunState.UNDER_WAY or locked:
        return False
    if state is RunState.OVER or (locked is False and run_tokens.of_this_kernel(token)):
        return True
    return last_used(path) <= before


def is_under_way(path: Path) -> bool:
    """Whether the process that writes a file is known to live."""
    return run_tokens.state_of(_run_of(path)) is RunState.UNDER_WAY or bool(_is_locked(path))


def last_used(path: Path) -> datetime:
    """When it was last written to.

    :raises OSError: when it is gone.
    """
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _readable(final: Path) -> str:
    return os.fsencode(final.name)[:_READABLE].decode(errors="ignore")


def _run_of(path: Path) -> str | None:
    found = _NAME.fullmatch(path.name)
    return found and found["run"]


def _is_part(path: Path) -> bool:
    return bool(_NAME.fullmatch(path.name)) and not path.is_symlink() and path.is_file()


def _is_locked(path: Path) -> bool | None:
    """Whether a process has a lock on a file; ``None`` when the file system does not tell."""
    try:
        # To write, as NFS locks nothing else; and never through a link.
        number = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(number)
    return False


def _lock(number: int) -> bool:
    """Lock a file; whether the file system can."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
    except OSError:
        return False
    return True
