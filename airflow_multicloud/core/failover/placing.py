"""Put files and directories in place, and nothing in the place of another."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from pathlib import Path

#: Errors of one path; others of its file system can't be expected to go better.
OF_THE_PATH = frozenset(
    {
        errno.EEXIST,
        errno.EILSEQ,
        errno.EINVAL,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOTDIR,
    }
)

_one_at_a_time = threading.Lock()


def make_directory(path: Path) -> None:
    """Make a directory and those above it.

    One after the other: ``mkdir(parents=True)`` calls itself, and a key may have 1000 slashes.

    :raises OSError: also when something else is there.
    """
    missing: list[Path] = []
    while True:
        try:
            path.mkdir(exist_ok=True)
        except FileNotFoundError:
            missing.append(path)
            path = path.parent
        else:
            break
    for below in reversed(missing):
        below.mkdir(exist_ok=True)


def put_in_place(temporary: Path, path: Path) -> None:
    """Rename a file of the same directory to its name (atomic on POSIX, ``rename(2)``).

    :raises OSError: also when that would replace the file of another name, as it does where names
        that differ only in capitals are one file's.
    """
    folds = folds_case(temporary)
    with _one_at_a_time if folds else contextlib.nullcontext():
        if folds and os.path.lexists(path) and path.name not in _names_in(path.parent):
            raise FileExistsError(
                errno.EEXIST, "a file is there whose name differs only in capitals"
            )
        temporary.replace(path)


def _names_in(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def folds_case(file: Path) -> bool:
    """Whether a file that is there has its name in capitals, too."""
    return os.path.lexists(file.with_name(file.name.swapcase()))
