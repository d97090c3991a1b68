"""Candidates to fetch from, and stores that say little, say something wrong, or are slow."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectAttributes, WriteOptions
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.replication.memory import endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import tzinfo
    from pathlib import Path
    from types import ModuleType

    import pytest

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, ObjectRef, Part

CONTENT = b"the content"


def put(place: Endpoint, name: str, content: bytes = CONTENT, **attributes: Any) -> None:
    options = WriteOptions(attributes=ObjectAttributes(**attributes))
    place.store.put_object(place.ref(place.key_of(name)), content, options)


def named(bucket: str, hook: type[object_store.Hook] = object_store.Hook) -> Endpoint:
    """A prefix in a bucket of this name, in an account of its own."""
    made = endpoint(hook=hook)
    made.store.ensure_bucket(bucket)  # type: ignore[attr-defined]
    return replace(made, location=replace(made.location, bucket=bucket))


def candidates(*ends: Endpoint) -> list[Candidate]:
    """The first of them is the primary."""
    return [Candidate(str(e.location), e, primary=n == 0) for n, e in enumerate(ends)]


def replicas(*ends: Endpoint) -> list[Candidate]:
    """Candidates beside a primary that is down."""
    return [DOWN, *(Candidate(str(end.location), end) for end in ends)]


def unopened(
    uri: str, why: str, kind: ErrorKind = ErrorKind.NOT_FOUND, *, primary: bool = False
) -> Candidate:
    """A candidate that could not even be opened."""
    return Candidate(uri, None, StorageError(why, kind=kind), primary=primary)


DOWN = unopened("down", "it is down", ErrorKind.UNAVAILABLE, primary=True)


def stop_the_clock(monkeypatch: pytest.MonkeyPatch, module: ModuleType, now: datetime) -> None:
    """For what one module asks it: to try a limit exactly."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return now.astimezone(tz)

    monkeypatch.setattr(module, "datetime", Stopped)


def files_below(directory: Path) -> dict[str, bytes]:
    """What a fetch has put there, by name."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


class Body:
    """What a store answers a read with."""

    def __init__(self, meta: ObjectMeta, chunks: Iterable[bytes]) -> None:
        self.meta = meta
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    def read(self) -> bytes:
        return b"".join(self._chunks)


class Changed(object_store.Hook):
    """Says of an object what :meth:`said` makes of it, wherever it is asked."""

    def said(self, meta: ObjectMeta) -> ObjectMeta:
        return meta

    def answered(self, content: bytes) -> bytes:
        return content

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        return map(self.said, super().list_objects(bucket, prefix))

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        return self.said(super().stat_object(ref))

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        body = super().get_object(ref, start=start, end=end, if_etag=if_etag)
        return Body(self.said(body.meta), [self.answered(bytes(body.read()))])


class Silent(Changed):
    """Reports no digest."""

    def said(self, meta: ObjectMeta) -> ObjectMeta:
        return replace(meta, digests=Digests())


class Crc32cOnly(Changed):
    """As services do of an object that came in parts."""

    def said(self, meta: ObjectMeta) -> ObjectMeta:
        return replace(meta, digests=Digests(crc32c=meta.digests.crc32c))

    def complete_upload(self, upload: Any, parts: Sequence[Part], *given: Any, **named: Any) -> Any:
        return self.said(super().complete_upload(upload, parts, *given, **named))


class Corrupt(Changed):
    """Answers as many bytes as it should, but others."""

    def answered(self, content: bytes) -> bytes:
        return bytes(len(content))


class Slow(Changed):
    """Is asked, and fails after a while."""

    kind = ErrorKind.UNAVAILABLE
    seconds = 0.05

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        time.sleep(self.seconds)
        raise StorageError("not today", kind=self.kind)

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        time.sleep(self.seconds)
        raise StorageError("not today", kind=self.kind)
