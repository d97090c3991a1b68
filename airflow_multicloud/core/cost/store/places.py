"""What both kinds of places do on local disk: private directories, whole files, workspaces."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.disk import full_disk
from airflow_multicloud.core.cost.store.names import check_link, checked_name, digest_in, sha256_of
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

if TYPE_CHECKING:
    from typing_extensions import Buffer

WORK = ".work"

#: The longest pointer that is read, and the longest snapshot: some 100,000 charge days.
_POINTER_LIMIT = 4 << 10
SNAPSHOT_LIMIT = 256 << 20

_CHUNK = 1 << 20
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Verified:
    """Which local files are what their names say; each is read for it once, until it changes."""

    def __init__(self) -> None:
        self._seen: dict[Path, tuple[int, int, int]] = {}

    def holds(self, path: Path, name: str) -> bool:
        """Whether the file's SHA-256 is the one in its name.

        :raises FileNotFoundError: when there is no such file.
        """
        found = path.stat()
        mark = (found.st_ino, found.st_size, found.st_mtime_ns)
        if self._seen.get(path) != mark:
            digest = digest_in(name)
            if digest is not None and sha256_of(path) != digest:
                return False
            self._seen[path] = mark
        return True


def damaged(where: str) -> CostAnalysisError:
    """The error of a file whose content is not the one that its name vouches for."""
    return CostAnalysisError(
        f"{where} is not what was written: its SHA-256 is another than its name says. It was "
        "damaged or replaced; ingest its billing period into a new store, or bring the file back",
        kind=ErrorKind.INTEGRITY,
    )


@contextmanager
def local_errors(path: Path) -> Iterator[None]:
    """Have errors of the local disk say which file they are of; a full disk is told elsewhere."""
    try:
        yield
    except OSError as err:
        if full_disk(err) is not None:
            raise
        if err.errno == errno.ENOENT:
            said, kind = "is not there", ErrorKind.INTEGRITY
        elif err.errno in {errno.EACCES, errno.EPERM}:
            said, kind = "may not be read or written", ErrorKind.PERMISSION_DENIED
        else:
            said, kind = f"can't be used: {err.strerror or err}", ErrorKind.UNAVAILABLE
        raise CostAnalysisError(f"cost store: {path} {said}", kind=kind) from err


def private_directory(path: Path) -> None:
    """See to it that a directory is there, is ours, and that nobody else may use it.

    :raises CostAnalysisError: kind ``permission_denied`` when it is somebody else's, or a link.
    """
    with local_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        try:
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError as err:
            if err.errno not in {errno.ELOOP, errno.ENOTDIR}:
                raise
            raise _not_private(path, "is a link") from err
        try:
            found = os.fstat(handle)
            if found.st_uid != os.geteuid():
                raise _not_private(path, f"belongs to the user with id {found.st_uid}")
            if found.st_mode & _OTHERS:
                os.fchmod(handle, stat.S_IMODE(found.st_mode) & ~_OTHERS)
        finally:
            os.close(handle)


def _not_private(path: Path, why: str) -> CostAnalysisError:
    return CostAnalysisError(
        f"cost store: the cache {path} {why}; it must be a directory of the user that the task "
        "runs as. Remove it, or set XDG_CACHE_HOME to a directory of that user's",
        kind=ErrorKind.PERMISSION_DENIED,
    )


def workspace(parent: Path) -> tempfile.TemporaryDirectory[str]:
    """An empty directory below another.

    :raises CostAnalysisError: kind ``integrity`` when the way to it is a link.
    """
    work = parent / WORK
    check_link(work)
    work.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=work)


def sweep(parent: Path, before: datetime) -> None:
    """Delete workspaces that nothing was added to since a moment.

    :raises CostAnalysisError: kind ``integrity`` when the way to them is a link.
    """
    work = parent / WORK
    check_link(work)
    for path in work.glob("*"):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue  # its run just removed it
        changed = datetime.fromtimestamp(found.st_mtime, UTC)
        if stat.S_ISDIR(found.st_mode) and changed < before:
            shutil.rmtree(path, ignore_errors=True)  # its run may just be removing it itself


@contextmanager
def partial_file(path: Path, parent: Path) -> Iterator[Path]:
    """A name to write to; what was written then takes the path's place, on disk and complete.

    :param parent: has the workspace that the name is in: nobody else can guess it or use it.
    """
    with workspace(parent) as directory:
        partial = Path(directory) / "partial"
        yield partial
        flush(partial)
        partial.replace(path)


def open_own(path: Path, flags: int) -> int:
    """A file descriptor of a file of the store's own: neither a link nor a pipe, which may wait.

    :raises CostAnalysisError: kind ``integrity`` for what is none.
    """
    check_link(path)
    handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise CostAnalysisError(
            f"cost store: {path} is no file; remove it", kind=ErrorKind.INTEGRITY
        )
    return handle


def bounded(chunks: Iterable[Buffer], limit: int, where: str) -> bytes:
    """Everything that comes, which others wrote and may have no end.

    :raises CostAnalysisError: kind ``integrity`` when it is more than the limit.
    """
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) > limit:
            raise CostAnalysisError(
                f"{where} has more than {limit} bytes, which no such file has",
                kind=ErrorKind.INTEGRITY,
            )
    return bytes(held)


def chunks_of(file: Path) -> Iterator[bytes]:
    """A file's content, a piece at a time."""
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def flush(path: Path) -> None:
    """Have a file or a directory on disk before what refers to it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def pointed(chunks: Iterable[Buffer], where: str) -> str:
    """The name in a pointer."""
    text = bounded(chunks, _POINTER_LIMIT, where)
    name = text.decode("utf-8", errors="replace").strip()
    return checked_name(name, where, folder="snapshots/")
