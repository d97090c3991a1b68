"""Where fetched bytes go: a local file or an object, in place only when they are verified."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from airflow_multicloud.core import cancellation, part_files
from airflow_multicloud.core.attributes import keep
from airflow_multicloud.core.disk import free_space
from airflow_multicloud.core.endpoints import Endpoint, check_reserved, why_not_reserved_key
from airflow_multicloud.core.failover.local_names import (
    QUOTE,
    Among,
    parts_of,
    why_not_name,
)
from airflow_multicloud.core.failover.placing import OF_THE_PATH, make_directory, put_in_place
from airflow_multicloud.core.part_files import PartFile
from airflow_multicloud.core.streams import stage_stream
from airflow_multicloud.errors import ErrorKind, StorageError, kind_of_os_error
from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions

if TYPE_CHECKING:
    from typing_extensions import Buffer


class TargetError(StorageError):
    """The target failed, not the candidate: the next one would fail in the same way."""


class UnfitError(TargetError):
    """The target can't hold this object, for its name or for what is there; others it may hold."""


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

    def below(self, name: str, among: Among | None = None) -> Target:
        """The place of an object of this name below this one.

        :param among: the names of all objects that go there.
        :raises UnfitError: when there is none, naming the key.
        """
        ...

    def stands_at(self, size: int) -> str | None:
        """Where an object of this size is put, if that is not as it is named."""
        ...

    def leave_out(self, name: str) -> str | None:
        """Why an object of this name is not to be written below this place, if so."""
        ...


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A complete temporary file beside its final place."""

    part: PartFile
    path: Path
    over: Callable[[], None] = cancellation.nothing

    def commit(self) -> None:
        """Rename it into place (atomic on POSIX, ``rename(2)``).

        :raises UnfitError: when a directory is in the way, or a file whose name differs only in
            capitals, where the file system takes that for the same name.
        """
        try:
            put_in_place(self.part.path, self.path)
        except OSError as err:
            cancellation.check()  # Who stopped the work has discarded the file.
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
        """Make it.

        :raises UnfitError: when something else is in the way.
        """
        try:
            make_directory(self.path)
        except OSError as err:
            raise _local_error(self.path, err) from err

    def discard(self) -> None:
        """Nothing was made."""


@dataclass(frozen=True, slots=True)
class FileTarget:
    """A local file, or, for a directory marker (a key that ends with a slash), a directory.

    A symbolic link is followed, as ``cp`` does; an existing file keeps its permissions. If the
    object of a directory marker has content, that is a file in the directory.

    :param encoded: whether the path is not as the object is named.
    """

    path: Path
    directory: bool = False
    encoded: bool = False

    def __str__(self) -> str:
        """The path."""
        return str(self.path)

    def stage(self, chunks: Iterable[Buffer]) -> StagedFile | StagedDirectory:
        """Write a temporary file in the same directory and flush it to disk.

        :raises TargetError: kind ``quota`` when the disk is full, ``permission_denied`` when
            the directory can't be written to; the temporary file is removed.
        :raises UnfitError: when there is something that is no file (a device would be replaced,
            too).
        """
        if self.directory:
            arriving = iter(chunks)
            first = next((chunk for chunk in arriving if memoryview(chunk).nbytes), None)
            if first is None:
                return StagedDirectory(self.path)
            return FileTarget(self.path / QUOTE).stage(chain((first,), arriving))
        part: PartFile | None = None
        over = cancellation.nothing
        try:
            path = Path(os.path.realpath(self.path))  # resolve() raises on a loop of links
            mode = _mode(path)
            make_directory(path.parent)
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

    def below(self, name: str, among: Among | None = None) -> FileTarget:
        """A file below this directory, by the encoding of :mod:`.local_names`.

        :param among: the names of all objects that go there.
        :raises UnfitError: kind ``invalid_argument`` when a name is too long, has the path of
            another one's directory, or would lead outside (through a symbolic link).
        """
        if why := why_not_name(name, self.path, among):
            raise UnfitError(
                f"target: the key {name!r} can't be below {self.path}: {why}",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        segments = name.split("/")
        marker = segments[-1] == ""
        parts = parts_of(name)[: -1 if marker else None]
        encoded = parts != (*segments[: len(parts)],)
        return FileTarget(self.path.joinpath(*parts), marker, encoded)

    def stands_at(self, size: int) -> str | None:
        """The path, where it is not the name: an encoded one, or one in a directory marker's."""
        if self.directory and size:
            return str(self.path / QUOTE)
        return str(self.path) if self.encoded else None

    def leave_out(self, name: str) -> str | None:  # noqa: ARG002 - a directory keeps no names
        """Nothing is left out."""
        return None


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

    def below(self, name: str, among: Among | None = None) -> ObjectTarget:  # noqa: ARG002
        """An object below this prefix.

        :raises UnfitError: kind ``unsupported`` for a key that the store can't hold.
        """
        end = self.endpoint
        if why := end.why_not_key(end.key_of(name)):
            raise UnfitError(
                f"target: the key {name!r} can't be below {self}: {why}",
                kind=ErrorKind.UNSUPPORTED,
                cloud=end.cloud,
            )
        return ObjectTarget(end.below(name))

    def stands_at(self, size: int) -> str | None:  # noqa: ARG002 - a store keeps every name
        """Every object has the key that it is named by."""
        return None

    def leave_out(self, name: str) -> str | None:
        """Why this name is kept for this package's own files, if so."""
        return why_not_reserved_key(self.endpoint.key_of(name))


def _mode(path: Path) -> int | None:
    """The permissions of the file that is to be replaced, if there is one."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        kinds = {stat.S_IFDIR: "a directory", stat.S_IFLNK: "a loop of symbolic links"}
        what = kinds.get(stat.S_IFMT(found.st_mode), "a device, pipe or socket")
        raise UnfitError(
            f"target: {path} is {what}, expected a file or nothing there",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return stat.S_IMODE(found.st_mode)


def _local_error(path: Path, err: OSError) -> TargetError:
    kind = kind_of_os_error(err)
    room = ""
    if kind is ErrorKind.QUOTA:
        room = (
            f" ({free_space(path.parent)} are free in {path.parent}; the file is written there "
            "whole before it takes its name: make room, or choose a target with more)"
        )
    cls = UnfitError if err.errno in OF_THE_PATH else TargetError
    return cls(
        f"target: writing {path} failed: {err.strerror}; nothing was left there{room}", kind=kind
    )
