"""What a killed holder of databases leaves behind, and how the next one clears it away."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

_PREFIX = "multicloud-pg-"
_LOCK = "held"
#: Linux: files in memory, for everybody, as POSIX shared memory needs it (shm_overview(7)).
_MEMORY = Path("/dev/shm")  # noqa: S108  # a directory with an unforeseeable name is made in it
_ROOMY = 4 << 30
_IPC_RMID = 0  # linux/ipc.h
#: Lines of ``postmaster.pid``, from 0: src/include/utils/pidfile.h
_SHARED_MEMORY_LINE = 6


def new_home() -> tuple[Path, IO[bytes]]:
    """A directory that everybody may enter and only this process's user may change.

    In memory where 4 GiB or more of that are free for files and ``TMPDIR`` is not set: databases
    are a thousand files each, and on a busy disk those take seconds. Those directories that nobody
    holds any more are removed.

    :returns: it, and what holds it for as long as it is open.
    """
    place = _place()
    for old in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            _clear_away(old)
    made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
    hold = (made / "new").open("wb")
    fcntl.flock(hold, fcntl.LOCK_EX)
    # Only now: another process that finds it may take it for left behind.
    (made / "new").rename(made / _LOCK)
    made.chmod(0o711)
    return made, hold


def forget_shared_memory(data: Path) -> None:
    """Remove the few bytes of System V shared memory that a killed server leaves.

    PostgreSQL tells by them whether another server uses the data directory, and removes them when
    it is next started there.

    :param data: the data directory of a server that does not run.
    """
    with suppress(OSError, IndexError, ValueError):
        lines = (data / "postmaster.pid").read_text().splitlines()
        key, number = map(int, lines[_SHARED_MEMORY_LINE].split())
        # By proc(5): key, id, permissions, size, creator, last user, processes attached.
        for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]:
            columns = line.split()
            if (int(columns[0]), int(columns[1]), int(columns[6])) == (key, number, 0):
                ctypes.CDLL(None).shmctl(number, _IPC_RMID, None)


def _place() -> Path:
    if "TMPDIR" not in os.environ:
        with suppress(OSError):
            memory = os.statvfs(_MEMORY)
            roomy = memory.f_bavail * memory.f_frsize >= _ROOMY
            # PostgreSQL's programs may have to be copied there.
            if roomy and not memory.f_flag & os.ST_NOEXEC and os.access(_MEMORY, os.W_OK):
                return _MEMORY
    return Path(tempfile.gettempdir())


def _clear_away(home: Path) -> None:
    """Remove a directory of :func:`new_home` unless it is held or somebody else's."""
    if home.is_symlink() or home.stat().st_uid != os.geteuid():
        return
    # Without the file it is being made this very moment, or removed.
    with (home / _LOCK).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for data in home.glob("*/data"):
            forget_shared_memory(data)
        shutil.rmtree(home)
