"""What both services stand on: the connection's directory, and errors of the disk."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from airflow.sdk import BaseHook

from airflow_multicloud.errors import CredentialsError, ErrorKind, StorageError
from localdisk_multicloud import CONN_TYPES, NAME, URI_SCHEMES

# What is not listed is no known condition of a disk, and passes through untouched.
_KINDS = {
    errno.ENOENT: ErrorKind.NOT_FOUND,
    errno.EACCES: ErrorKind.PERMISSION_DENIED,
    errno.EPERM: ErrorKind.PERMISSION_DENIED,
    errno.EROFS: ErrorKind.PERMISSION_DENIED,
    errno.ENOSPC: ErrorKind.QUOTA,
    errno.EDQUOT: ErrorKind.QUOTA,
    errno.EIO: ErrorKind.UNAVAILABLE,
    errno.ESTALE: ErrorKind.UNAVAILABLE,
}


class LocalDiskHook(BaseHook):
    """A connection of type ``local_disk``; its extra's ``root`` names an existing directory."""

    conn_name_attr = "local_disk_conn_id"
    default_conn_name = URI_SCHEMES["disk"]
    conn_type = CONN_TYPES[0]
    hook_name = "Local disk"

    def __init__(self, local_disk_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.local_disk_conn_id = local_disk_conn_id

    @cached_property
    def root(self) -> Path:
        """The directory; the connection is read once, on the first call.

        :raises CredentialsError: when the connection names no directory.
        """
        given = self.get_connection(self.local_disk_conn_id).extra_dejson.get("root")
        if not given or not Path(given).is_dir():
            raise CredentialsError(
                f"connection {self.local_disk_conn_id!r}: root is {given!r}, expected the path "
                'of a directory, as in {"root": "/srv/objects"}',
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        return Path(given)


def failure(message: str, kind: ErrorKind, code: str | None = None) -> StorageError:
    """An error of this cloud."""
    return StorageError(message, kind=kind, cloud=NAME, code=code)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn the disk's errors into this package's."""
    try:
        yield
    except OSError as err:
        kind = _KINDS.get(err.errno or 0)
        if kind is None:
            raise
        code = errno.errorcode[err.errno or 0]
        raise failure(f"{doing}: {err.strerror}", kind, code) from err
