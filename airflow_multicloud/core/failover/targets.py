"""Where fetched bytes go: a local file or an object, in place only when they are verified."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from airflow_multicloud.core import cancellation, part_files
from airflow_multicloud.core.attributes import keep
from airflow_multicloud.core.disk import free_space
from airflow_multicloud.core.endpoints import Endpoint, check_reserved, why_not_reserved_key
from airflow_multicloud.core.part_files import PartFile
from airflow_multicloud.core.streams import stage_stream
from airflow_multicloud.errors import ErrorKind, StorageError, kind_of_os_error
from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions

if TYPE_CHECKING:
    from typing_extensions import Buffer


class TargetError(StorageError):
    """The target failed, not the candidate: the next one would fail in the same way."""


class Staged(Protocol):
    """Bytes that have arrived and are not in place yet."""

    def commit(self) -> object:
        """Put them in place, atomically."""
        ...

    def discard(self) -> None:
        """Drop them without a trace."""
        ...


class Target(Protocol):
    """A place for one object."""

    def stage(self, chunks: Iterable[Buffer]) -> Staged:
        """Take the bytes; drops them again when ``chunks`` raises."""
        ...

    def below(self, name: str) -> Target:
        """The place of an object of this name below this one."""
        ...

    def leave_out(self, name: str) -> str | None:
        """Why an object of this name is not to be written below this place, if so."""
        ...

    def check(self, names: Collection[str]) -> None:
        """Refuse what can't be below this place, before any byte moves.

        :raises StorageError: naming the key.
        """
        ...


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A complete temporary file beside its final place."""

    part: PartFile
    path: Path
    over: Callable[[], None] = cancellation.nothing

    def commit(self) -> None:
        """Rename it into place (atomic on POSIX, ``rename(2)``).

        :raises StorageError: kind ``invalid_argument`` when a directory is in the way.
        """
        try:
            self.part.path.replace(self.path)
        except OSError as err:
            raise _local_error(self.path, err) from err
        self.part.file.close()
        self.over()

    def discard(self) -> None:
        """Remove it."""
        self.part.remove()
        self.over()


@dataclass(frozen=True, slots=True)
class StagedDirectory:
    """A directory that is to be made."""

    path: Path

    def commit(self) -> None:
        """Make it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise _local_error(self.path, err) from err

    def discard(self) -> None:
        """Nothing was made."""


@dataclass(frozen=True, slots=True)
class FileTarget:
    """A local file, or, for a directory marker (a key that ends with a slash), a directory.

    A symbolic link is followed, as ``cp`` does; an existing file keeps its permissions.
    """

    path: Path
    directory: bool = False

    def __str__(self) -> str:
        """The path."""
        return str(self.path)

    def stage(self, chunks: Iterable[Buffer]) -> StagedFile | StagedDirectory:
        """Write a temporary file in the same directory and flush it to disk.

        :raises StorageError: kind ``quota`` when the disk is full, ``permission_denied`` when
            the directory can't be written to, ``invalid_argument`` when there is something that
            is no file (a device would be replaced, too); the temporary file is removed.
        """
        if self.directory:
            return _stage_directory(self.path, chunks)
        part: PartFile | None = None
        over = cancellation.nothing
        try:
            path = Path(os.path.realpath(self.path))  # resolve() raises on a loop of links
            mode = _mode(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = part_files.create(path)
            discard = partial(part.path.unlink, missing_ok=True)
            over = cancellation.register(f"the file {part.path}", discard)
            if mode is not None:
                os.fchmod(part.file.fileno(), mode)
            for chunk in chunks:
                part.file.write(chunk)
            part.file.flush()
            os.fsync(part.file.fileno())
        except BaseException as err:
            if part is not None:
                part.remove()
            over()
            if isinstance(err, OSError):
                raise _local_error(self.path, err) from err
            raise
        return StagedFile(part, path, over)

    def below(self, name: str) -> FileTarget:
        """A file below this directory.

        :raises StorageError: kind ``invalid_argument`` when the name would lead outside of
            it, or can't be a file's name.
        """
        marker = name.endswith("/")
        parts = name.removesuffix("/").split("/")
        # A key's empty, "." and ".." segments mean nothing to a store and much to a file
        # system; a backslash or colon would on Windows.
        if any(part in ("", ".", "..") for part in parts) or "\x00" in name:
            raise StorageError(
                f"target: the key {name!r} can't be a file below {self.path}",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        path = self.path.joinpath(*parts)
        if not path.resolve().is_relative_to(self.path.resolve()):
            raise StorageError(
                f"target: {name!r} leads outside of {self.path} (through a symbolic link)",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        return FileTarget(path, directory=marker)

    def leave_out(self, name: str) -> str | None:  # noqa: ARG002 - a directory keeps no names
        """Nothing is left out."""
        return None

    def check(self, names: Collection[str]) -> None:
        """Refuse names that would leave the directory, or be both a file and a directory.

        :raises StorageError: kind ``invalid_argument``, naming the key.
        """
        for name in names:
            self.below(name)
            above = (name[:end] for end, char in enumerate(name) if char == "/")
            for file in above:
                if file in names:
                    raise StorageError(
                        f"target: the keys {file!r} and {name!r} can't both be below {self.path}: "
                        "a file and a directory of one name",
                        kind=ErrorKind.INVALID_ARGUMENT,
                    )


@dataclass(frozen=True, slots=True)
class ObjectTarget:
    """An object in a store, with these attributes.

    :raises StorageError: kind ``invalid_argument`` for a place of this package's own files.
    """

    endpoint: Endpoint
    attributes: ObjectAttributes = ObjectAttributes()

    def __post_init__(self) -> None:
        """Refuse what others must not write to."""
        check_reserved(self.endpoint, parameter="target")

    def __str__(self) -> str:
        """The URI."""
        return str(self.endpoint.location)

    def stage(self, chunks: Iterable[Buffer]) -> Staged:
        """Send the bytes as invisible parts, or hold a small object in memory."""
        options = WriteOptions(
            attributes=self.attributes,
            storage_class=self.endpoint.storage_class,
            encryption_key=self.endpoint.encryption_key,
        )
        return stage_stream(self.endpoint, self.endpoint.location.key, chunks, options)

    def like(self, attributes: ObjectAttributes) -> tuple[ObjectTarget, tuple[str, ...]]:
        """This place for a copy of an object with such attributes, and what it can't keep of them.

        The SHA-256 that a replica has among its metadata is left out: it is not known yet whether
        these are its bytes.
        """
        kept = keep(self.endpoint, attributes, sha256=None)
        return replace(self, attributes=kept.attributes), kept.not_kept

    def below(self, name: str) -> ObjectTarget:
        """An object below this prefix."""
        return ObjectTarget(self.endpoint.below(name))

    def leave_out(self, name: str) -> str | None:
        """Why this name is kept for this package's own files, if so."""
        return why_not_reserved_key(self.endpoint.key_of(name))

    def check(self, names: Collection[str]) -> None:
        """Refuse names that the store can't hold.

        :raises StorageError: kind ``unsupported``, naming the key.
        """
        end = self.endpoint
        for name in names:
            if why := end.why_not_key(end.key_of(name)):
                raise StorageError(
                    f"target: the key {name!r} can't be below {self}: {why}",
                    kind=ErrorKind.UNSUPPORTED,
                    cloud=end.cloud,
                )


def _mode(path: Path) -> int | None:
    """The permissions of the file that is to be replaced, if there is one."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        kinds = {stat.S_IFDIR: "a directory", stat.S_IFLNK: "a loop of symbolic links"}
        what = kinds.get(stat.S_IFMT(found.st_mode), "a device, pipe or socket")
        raise StorageError(
            f"target: {path} is {what}, expected a file or nothing there",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return stat.S_IMODE(found.st_mode)


def _stage_directory(path: Path, chunks: Iterable[Buffer]) -> StagedDirectory:
    if any(memoryview(chunk).nbytes for chunk in chunks):
        raise StorageError(
            f"target: the key of {path}/ ends with a slash, but the object has content, so it "
            "can't become a directory",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return StagedDirectory(path)


def _local_error(path: Path, err: OSError) -> StorageError:
    kind = kind_of_os_error(err)
    room = ""
    if kind is ErrorKind.QUOTA:
        room = (
            f" ({free_space(path.parent)} are free in {path.parent}; the file is written there "
            "whole before it takes its name: make room, or choose a target with more)"
        )
    return StorageError(
        f"target: writing {path} failed: {err.strerror}; nothing was left there{room}", kind=kind
    )
