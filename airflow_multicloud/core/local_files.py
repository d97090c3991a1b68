"""A local file that is to be sent: what it holds, and that it stays so meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from airflow_multicloud.adapters.digests import StreamDigest
from airflow_multicloud.core import cancellation
from airflow_multicloud.errors import ErrorKind, StorageError, kind_of_os_error
from airflow_multicloud.ports.object_store import Digests

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds."""

    size: int
    digests: Digests

    @property
    def sha256(self) -> str:
        """The SHA-256, which is always known."""
        return self.digests.sha256 or ""


def check_no_file(file: Path) -> None:
    """Refuse what is no file that can be read.

    :raises StorageError: kind ``not_found``, or why it can't be looked at.
    """
    try:
        is_file = file.is_file()
    except OSError as err:
        raise _unreadable(file, err) from err
    if not is_file:
        raise StorageError(f"file: {file} is not a file", kind=ErrorKind.NOT_FOUND)


def content_of(file: Path) -> Content:
    """Read a file once, for its size and digests."""
    digest = StreamDigest(md5=True)
    for chunk in _read(file):
        digest.update(chunk)
    return Content(digest.size, digest.digests())


def chunks_of(file: Path, content: Content) -> Iterator[bytes]:
    """The file's bytes; raises after the last one when they are no longer those digested."""
    digest, seen = hashlib.sha256(), 0
    for chunk in _read(file):
        digest.update(chunk)
        seen += len(chunk)
        yield chunk
    if (seen, digest.hexdigest()) != (content.size, content.sha256):
        raise StorageError(
            f"file: {file} was changed while it was being uploaded; nothing was written",
            kind=ErrorKind.SOURCE_CHANGED,
        )


def _read(file: Path) -> Iterator[bytes]:
    """A file's bytes.

    :raises StorageError: when it can't be read, saying why.
    """
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                cancellation.check()
                yield chunk
    except OSError as err:
        raise _unreadable(file, err) from err


def _unreadable(file: Path, err: OSError) -> StorageError:
    missing = isinstance(err, FileNotFoundError)
    return StorageError(
        f"file: {file} can't be read: {err.strerror or err}",
        kind=ErrorKind.NOT_FOUND if missing else kind_of_os_error(err),
    )
