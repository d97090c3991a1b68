"""Where a cost store keeps its files: a local directory, or a bucket with a local cache.

Names are relative, with ``/``; a file is written once under its name and never again. The
only thing that ever changes is the pointer, which is swapped by compare-and-swap.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from airflow_multicloud.core.cost.disk import disk_errors
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.errors import CloudError, CostAnalysisError, ErrorKind
from airflow_multicloud.ports.object_store import (
    ConditionalWrites,
    IfAbsent,
    IfUnchanged,
    WriteCondition,
    WriteOptions,
)

POINTER = "CURRENT"
WORK = ".work"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Pointer:
    """The name of the current snapshot, and what tells it from any other pointer."""

    snapshot: str
    token: IfUnchanged | None = None


class Files(Protocol):
    """What a store needs of a place."""

    @property
    def directory(self) -> Path:
        """Where it writes on local disk."""
        ...

    def pointer(self) -> Pointer | None:
        """The current snapshot; ``None`` in a new store."""
        ...

    def swap(self, old: Pointer | None, snapshot: str) -> bool:
        """Point to another snapshot if the pointer is still ``old``."""
        ...

    def publish(self, file: Path, name: str) -> None:
        """Keep a local file under a new name; it may be moved away. Durable on return."""
        ...

    def local(self, names: Iterable[str]) -> list[Path]:
        """The files on local disk, brought there if need be."""
        ...

    def names(self) -> Iterator[str]:
        """Every file's name but the pointer's."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file that nothing refers to; one that is gone is no error."""
        ...

    def workspace(self) -> tempfile.TemporaryDirectory[str]:
        """An empty directory, on the file system that :meth:`publish` moves to."""
        ...

    def sweep(self, before: datetime) -> None:
        """Delete the workspaces of killed runs that nothing was added to since ``before``."""
        ...


class LocalFiles:
    """A directory of one machine, or of a file system that several share and that locks."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def directory(self) -> Path:
        """The store itself."""
        return self._root

    def pointer(self) -> Pointer | None:
        """The current snapshot; ``None`` in a new store."""
        try:
            return Pointer((self._root / POINTER).read_text(encoding="utf-8").strip())
        except FileNotFoundError:
            return None

    def swap(self, old: Pointer | None, snapshot: str) -> bool:
        """Point to another snapshot if the pointer is still ``old``."""
        with self._locked():
            if self.pointer() != old:
                return False
            self._write(self._root / POINTER, snapshot.encode())
            return True

    def publish(self, file: Path, name: str) -> None:
        """Keep a local file under a new name."""
        target = self._root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        _flush(file)
        try:
            file.replace(target)
        except OSError:  # from another file system
            with _partial(target) as partial:
                shutil.copyfile(file, partial)
        _flush(target.parent)

    def local(self, names: Iterable[str]) -> list[Path]:
        """The files themselves."""
        return [self._root / name for name in names]

    def names(self) -> Iterator[str]:
        """Every file's name but the pointer's."""
        for path in self._root.rglob("*"):
            name = path.relative_to(self._root)
            if path.is_file() and name.parts[0] not in {POINTER, ".lock", WORK}:
                yield name.as_posix()

    def remove(self, name: str) -> None:
        """Delete a file, and its directory if it was the last."""
        path = self._root / name
        path.unlink(missing_ok=True)
        for parent in path.relative_to(self._root).parents:
            try:
                (self._root / parent).rmdir()
            except OSError:
                return  # not empty, or the root

    def workspace(self) -> tempfile.TemporaryDirectory[str]:
        """A directory below the root."""
        return _workspace(self._root)

    def sweep(self, before: datetime) -> None:
        """Delete the workspaces of killed runs that nothing was added to since ``before``."""
        _sweep(self._root, before)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed, also by a kill
            yield

    def _write(self, path: Path, body: bytes) -> None:
        with _partial(path) as partial:
            partial.write_bytes(body)
        _flush(path.parent)


class BucketFiles:
    """A prefix of a bucket whose store writes conditionally, with a cache on local disk."""

    def __init__(self, endpoint: Endpoint, cache: Path) -> None:
        if not isinstance(endpoint.store, ConditionalWrites):
            raise CostAnalysisError(
                f"store: {endpoint.cloud} has no conditional writes, which a cost store in a "
                "bucket needs",
                kind=ErrorKind.UNSUPPORTED,
                cloud=endpoint.cloud,
            )
        self._endpoint = endpoint
        self._prefix = endpoint.location.key
        self._cache = cache

    @property
    def directory(self) -> Path:
        """The cache."""
        return self._cache

    def pointer(self) -> Pointer | None:
        """The current snapshot; ``None`` in a new store."""
        try:
            body = self._endpoint.store.get_object(self._endpoint.ref(self._key(POINTER)))
            text = bytes(body.read()).decode()
        except CloudError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                return None
            raise
        return Pointer(text.strip(), IfUnchanged(body.meta.etag, body.meta.version))

    def swap(self, old: Pointer | None, snapshot: str) -> bool:
        """Point to another snapshot if the pointer is still ``old``."""
        condition: WriteCondition = IfAbsent() if old is None or old.token is None else old.token
        options = WriteOptions(condition=condition)
        ref = self._endpoint.ref(self._key(POINTER))
        try:
            self._endpoint.store.put_object(ref, snapshot.encode(), options)
        except CloudError as err:
            if err.kind in {ErrorKind.PRECONDITION_FAILED, ErrorKind.ALREADY_EXISTS}:
                return False
            raise
        return True

    def publish(self, file: Path, name: str) -> None:
        """Upload a file and keep it in the cache."""
        put_stream(self._endpoint, self._key(name), _chunks(file))
        cached = self._cache / name
        cached.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(file, cached)

    def local(self, names: Iterable[str]) -> list[Path]:
        """The files in the cache, fetched if they are not there."""
        return [self._cached(name) for name in names]

    def names(self) -> Iterator[str]:
        """Every object's name but the pointer's."""
        for meta in self._endpoint.store.list_objects(self._endpoint.bucket, self._prefix):
            name = meta.key[len(self._prefix) :]
            if name != POINTER:
                yield name

    def remove(self, name: str) -> None:
        """Delete an object, here and there."""
        (self._cache / name).unlink(missing_ok=True)
        try:
            self._endpoint.store.delete_object(self._endpoint.ref(self._key(name)))
        except CloudError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise

    def workspace(self) -> tempfile.TemporaryDirectory[str]:
        """A directory of the cache."""
        return _workspace(self._cache)

    def sweep(self, before: datetime) -> None:
        """Delete the workspaces of killed runs of this machine."""
        _sweep(self._cache, before)

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}"

    def _cached(self, name: str) -> Path:
        path = self._cache / name
        if not path.exists():
            with disk_errors(self._cache, f"fetching {name} of the cost store"):
                self._fetch(name, path)
        return path

    def _fetch(self, name: str, path: Path) -> None:
        body = self._endpoint.store.get_object(self._endpoint.ref(self._key(name)))
        # Several tasks may fetch the same file at once, each to a name of its own.
        with _workspace(self._cache) as directory:
            fetched = Path(directory) / "fetched"
            with fetched.open("wb") as out:
                for chunk in body:
                    out.write(chunk)
            path.parent.mkdir(parents=True, exist_ok=True)
            fetched.replace(path)


def _workspace(parent: Path) -> tempfile.TemporaryDirectory[str]:
    work = parent / WORK
    work.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=work)


def _sweep(parent: Path, before: datetime) -> None:
    for path in (parent / WORK).glob("*"):
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if path.is_dir() and changed < before:
            shutil.rmtree(path, ignore_errors=True)  # its run may just be removing it itself


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """A name to write to; what was written then takes the path's place, on disk and complete."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        _flush(partial)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _flush(path: Path) -> None:
    """Have a file or a directory on disk before what refers to it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
