"""A cost store in a prefix of a bucket, with a cache on local disk.

Files are written once, as in a local store; the pointer is swapped by a conditional write.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.disk import disk_errors
from airflow_multicloud.core.cost.store.files import Pointer
from airflow_multicloud.core.cost.store.names import POINTER, digest_in, is_name, path_of
from airflow_multicloud.core.cost.store.places import (
    SNAPSHOT_LIMIT,
    Verified,
    bounded,
    chunks_of,
    damaged,
    pointed,
    private_directory,
    sweep,
    workspace,
)
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.errors import CloudError, CostAnalysisError, ErrorKind
from airflow_multicloud.ports.object_store import (
    ConditionalWrites,
    IfAbsent,
    IfUnchanged,
    ObjectBody,
    WriteCondition,
    WriteOptions,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer


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
        self._verified = Verified()

    @property
    def directory(self) -> Path:
        """The cache."""
        return self._cache

    def place(self, name: str) -> str:
        """The object's URI."""
        return f"{self._endpoint.location}{name}"

    def pointer(self) -> Pointer | None:
        """The current snapshot; ``None`` in a new store."""
        try:
            body = self._endpoint.store.get_object(self._endpoint.ref(self._key(POINTER)))
            name = pointed(body, self.place(POINTER))
        except CloudError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                return None
            raise
        return Pointer(name, IfUnchanged(body.meta.etag, body.meta.version))

    def swap(self, old: Pointer | None, snapshot: str) -> bool:
        """Point to another snapshot if the pointer is still ``old``."""
        condition: WriteCondition = IfAbsent() if old is None or old.token is None else old.token
        options = WriteOptions(condition=condition)
        ref = self._endpoint.ref(self._key(POINTER))
        try:
            self._endpoint.store.put_object(ref, snapshot.encode(), options)
        except CloudError as err:
            if err.kind not in {ErrorKind.PRECONDITION_FAILED, ErrorKind.ALREADY_EXISTS}:
                raise
            # A conditional write whose answer was lost is refused when it is sent again.
            now = self.pointer()
            return now is not None and now.snapshot == snapshot
        return True

    def publish(self, file: Path, name: str) -> None:
        """Upload a file and keep it in the cache."""
        cached = self._cached(name)
        put_stream(self._endpoint, self._key(name), chunks_of(file))
        cached.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(file, cached)

    def local(self, names: Iterable[str]) -> list[Path]:
        """The files in the cache, fetched if they are not there."""
        return [self._held(name) for name in names]

    def read(self, name: str) -> bytes:
        """A small file's content."""
        path = self._cached(name)
        if path.exists() and self._verified.holds(path, name):
            return path.read_bytes()
        text = bounded(self._body(name), SNAPSHOT_LIMIT, self.place(name))
        if digest_in(name) in {None, hashlib.sha256(text).hexdigest()}:
            with disk_errors(self._cache, f"keeping {name} of the cost store"):
                self._keep([text], path)
        return text

    def names(self) -> Iterator[str]:
        """Every object's name but the pointer's; those that are none of its are left out."""
        for meta in self._endpoint.objects(self._prefix):
            name = meta.key[len(self._prefix) :]
            if is_name(name):
                yield name

    def remove(self, name: str) -> None:
        """Delete an object, here and there."""
        self._cached(name).unlink(missing_ok=True)
        try:
            self._endpoint.store.delete_object(self._endpoint.ref(self._key(name)))
        except CloudError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise

    def workspace(self) -> tempfile.TemporaryDirectory[str]:
        """A directory of the cache."""
        private_directory(self._cache)
        return workspace(self._cache)

    def sweep(self, before: datetime) -> None:
        """Delete the workspaces of killed runs of this machine."""
        sweep(self._cache, before)

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}"

    def _cached(self, name: str) -> Path:
        """Where a file is kept on local disk."""
        private_directory(self._cache)
        return path_of(self._cache, name)

    def _held(self, name: str) -> Path:
        path = self._cached(name)
        try:
            if self._verified.holds(path, name):
                return path
        except FileNotFoundError:
            pass
        # Not there, or damaged in the cache: the bucket has it.
        with disk_errors(self._cache, f"fetching {name} of the cost store"):
            self._keep(self._body(name), path)
        if not self._verified.holds(path, name):
            path.unlink()
            raise damaged(f"cost store: {self.place(name)}")
        return path

    def _body(self, name: str) -> ObjectBody:
        try:
            return self._endpoint.store.get_object(self._endpoint.ref(self._key(name)))
        except CloudError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            raise CostAnalysisError(
                f"cost store: {self.place(name)} is not there",
                kind=ErrorKind.INTEGRITY,
                cloud=err.cloud,
            ) from err

    def _keep(self, chunks: Iterable[Buffer], path: Path) -> None:
        # Several tasks may fetch the same file at once, each to a name of its own.
        with self.workspace() as directory:
            fetched = Path(directory) / "fetched"
            with fetched.open("wb") as out:
                for chunk in chunks:
                    out.write(chunk)
            path.parent.mkdir(parents=True, exist_ok=True)
            fetched.replace(path)
