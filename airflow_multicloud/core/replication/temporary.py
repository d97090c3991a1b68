"""What goes wrong with the temporary file of a run, said so that it can be mended."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airflow_multicloud.core.disk import free_space
from airflow_multicloud.errors import ErrorKind, StorageError

#: For each side. Measured with keys of 60 bytes and every digest: listings, proofs, items.
BYTES_PER_OBJECT = 650

# https://www.sqlite.org/tempfiles.html, section 5: the first that exists and may be written to.
_VARIABLES = ("SQLITE_TMPDIR", "TMPDIR")
_PLACES = ("/var/tmp", "/usr/tmp", "/tmp", ".")  # noqa: S108 - looked at, not written to

# What full disks and quotas are to SQLite (https://www.sqlite.org/rescode.html).
_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC})


def directory() -> Path:
    """Where SQLite puts its temporary files."""
    given = (os.environ.get(name) for name in _VARIABLES)
    for place in (*given, *_PLACES):
        if place and Path(place).is_dir() and os.access(place, os.W_OK | os.X_OK):
            return Path(place)
    return Path()


@contextmanager
def temporary_errors() -> Iterator[None]:
    """Have SQLite's errors say where the file is, what it needs, and how to move it.

    :raises StorageError: kind ``quota`` when the disk is full; ``integrity`` for a value that no
        store can mean (a size beyond 64 bits); ``unavailable`` for other failures of the disk.
    """
    try:
        yield
    except OverflowError as err:
        raise StorageError(
            f"a listing or ledger has a number that is impossible: {err}",
            kind=ErrorKind.INTEGRITY,
        ) from err
    except sqlite3.ProgrammingError:
        raise  # a mistake in this package, as its name says
    except sqlite3.Error as err:
        place = directory()
        code = getattr(err, "sqlite_errorcode", None)
        raise StorageError(
            f"the run's temporary file in {place} can't be written or read: {err} "
            f"({free_space(place)} are free there); a run needs about {BYTES_PER_OBJECT} bytes for "
            "each object at the source and at each destination; to have the file elsewhere, set "
            "the worker's environment variable SQLITE_TMPDIR to a directory with more room",
            kind=ErrorKind.QUOTA if code in _FULL else ErrorKind.UNAVAILABLE,
        ) from err
