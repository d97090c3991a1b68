"""A full disk, said in one way.

Both Python and the query engine write to the same directory: one by :class:`OSError`, the other
by errors that have the system's words in their text.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airflow_multicloud.core.cost.engine_texts import full_disk_in
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

#: Full disk, full quota, and the limit on the size of a file.
_CODES = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def full_disk(err: BaseException) -> str | None:
    """In the system's words what is full, when an error of Python's or of the engine's says so."""
    if isinstance(err, OSError):
        return err.strerror if err.errno in _CODES else None
    return full_disk_in(err, _CODES)


def cache_home() -> Path:
    """Where this user's caches are, as the XDG Base Directory Specification has it."""
    said = os.environ.get("XDG_CACHE_HOME", "")
    return Path(said) if Path(said).is_absolute() else Path.home() / ".cache"


@contextmanager
def disk_errors(directory: Path, what: str, *, needed: int | None = None) -> Iterator[None]:
    """Have a full disk say what could not be done, in which directory, and how to move it.

    :param needed: about how many bytes it takes, where that is known.
    :raises CostAnalysisError: kind ``quota``.
    """
    try:
        yield
    except Exception as err:
        words = full_disk(err)
        if words is None:
            raise
        raise CostAnalysisError(
            f"{what}: {words} in {directory}{_room(directory, needed)}. Make room there, or "
            f"{_way_out(directory)}; the cost store is as it was",
            kind=ErrorKind.QUOTA,
        ) from err


def _room(directory: Path, needed: int | None) -> str:
    """How much there is, and how much it takes."""
    try:
        free = f", where {_size(shutil.disk_usage(directory).free)} are free"
    except OSError:
        free = ""
    return free + (f"; about {_size(needed)} are needed" if needed else "")


def _way_out(directory: Path) -> str:
    if directory.is_relative_to(cache_home()):
        return "set XDG_CACHE_HOME to a directory on a larger disk"
    return "move the directory to a larger disk and name it there as the store"


def _size(number: int) -> str:
    """Bytes for a reader, rounded up."""
    mib = 1 << 20
    if number < 10 * mib:
        return f"{-(-number // 1024):,} KiB"
    return f"{-(-number // mib):,} MiB"
