"""A cost store in a local directory.

A file is written once under its name (:mod:`~airflow_multicloud.core.cost.store.names`), which
carries its SHA-256, and never again. The only thing that ever changes is the pointer, which is
swapped under a lock.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from airflow_multicloud.core.cost.store.files import Pointer
from airflow_multicloud.core.cost.store.names import POINTER, is_name, path_of
from airflow_multicloud.core.cost.store.places import (
    SNAPSHOT_LIMIT,
    Verified,
    bounded,
    chunks_of,
    damaged,
    flush,
    local_errors,
    open_own,
    partial_file,
    pointed,
    sweep,
    workspace,
)
from airflow_multicloud.errors import CostAnalysisError


class LocalFiles:
    """A directory of one machine, or of a file system that several share and that locks."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._verified = Verified()

    @property
    def directory(self) -> Path:
        """The store itself."""
        return self._root

    def place(self, name: str) -> str:
        """The file's path."""
        return str(self._root / name)

    def pointer(self) -> Pointer | None:
        """The current snapshot; ``None`` in a new store."""
        path = self._root / POINTER
        try:
            with local_errors(path), os.fdopen(open_own(path, os.O_RDONLY), "rb") as stream:
                return Pointer(pointed(stream, str(path)))
        except CostAnalysisError as err:
            if isinstance(err.__cause__, FileNotFoundError):
                return None
            raise

    def swap(self, old: Pointer | None, snapshot: str) -> bool:
        """Point to another snapshot if the pointer is still ``old``."""
        with self._locked():
            if self.pointer() != old:
                return False
            self._write(self._root / POINTER, snapshot.encode())
            return True

    def publish(self, file: Path, name: str) -> None:
        """Keep a local file under a new name."""
        target = path_of(self._root, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        flush(file)
        try:
            file.replace(target)
        except OSError:  # from another file system
            with partial_file(target, self._root) as partial:
                shutil.copyfile(file, partial)
        flush(target.parent)

    def local(self, names: Iterable[str]) -> list[Path]:
        """The files themselves."""
        found = []
        for name in names:
            path = path_of(self._root, name)
            with local_errors(path):
                if not self._verified.holds(path, name):
                    raise damaged(f"cost store: {path}")
            found.append(path)
        return found

    def read(self, name: str) -> bytes:
        """A small file's content."""
        path = path_of(self._root, name)
        with local_errors(path):
            return bounded(chunks_of(path), SNAPSHOT_LIMIT, str(path))

    def names(self) -> Iterator[str]:
        """Every file's name but the pointer's; files that are none of the store's are not named."""
        for path in self._root.rglob("*"):
            name = path.relative_to(self._root).as_posix()
            if is_name(name) and path.is_file():
                yield name

    def remove(self, name: str) -> None:
        """Delete a file, and its directory if it was the last."""
        path = path_of(self._root, name)
        path.unlink(missing_ok=True)
        for parent in path.relative_to(self._root).parents:
            try:
                (self._root / parent).rmdir()
            except OSError:
                return  # not empty, or the root

    def workspace(self) -> tempfile.TemporaryDirectory[str]:
        """A directory below the root."""
        return workspace(self._root)

    def sweep(self, before: datetime) -> None:
        """Delete the workspaces of killed runs that nothing was added to since ``before``."""
        sweep(self._root, before)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._root.mkdir(parents=True, exist_ok=True)
        path = self._root / ".lock"
        with local_errors(path):
            lock = open_own(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed, also by a kill
            yield
        finally:
            os.close(lock)

    def _write(self, path: Path, body: bytes) -> None:
        with partial_file(path, self._root) as partial:
            partial.write_bytes(body)
        flush(path.parent)
