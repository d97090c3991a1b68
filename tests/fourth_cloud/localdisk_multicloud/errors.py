"""Errors of the disk, as kinds."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from airflow_multicloud.errors import ErrorKind, StorageError, kind_of_os_error
from localdisk_multicloud import NAME


def failure(message: str, kind: ErrorKind, code: str | None = None) -> StorageError:
    """An error of this cloud."""
    return StorageError(message, kind=kind, cloud=NAME, code=code)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn the disk's errors into this package's.

    :param doing: the operation and what it is about, for the message.
    :raises StorageError: the disk failed.
    """
    try:
        yield
    except FileNotFoundError as err:
        raise failure(f"{doing}: {err.strerror}", ErrorKind.NOT_FOUND, "ENOENT") from err
    except OSError as err:
        code = errno.errorcode.get(err.errno or 0)
        raise failure(f"{doing}: {err.strerror}", kind_of_os_error(err), code) from err
