"""Clouds in memory whose objects are made up when they are listed or read, so that millions fit."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.ledger import writing
from airflow_multicloud.core.ledger.base import Base
from airflow_multicloud.core.ledger.commits import Step
from airflow_multicloud.core.ledger.entries import Entry, Origin, Proof
from airflow_multicloud.core.ledger.state import Draft
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.run import new_identity
from airflow_multicloud.locations import Location
from airflow_multicloud.ports.object_store import Digests, ObjectMeta
from airflow_multicloud.testing.memory_cloud import NAME, object_store
from airflow_multicloud.testing.memory_cloud.object_store.bodies import MemoryBody
from airflow_multicloud.testing.memory_cloud.object_store.space import NO_DIGESTS, PLAIN, space

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

    from airflow_multicloud.ports.object_store import (
        ObjectBody,
        ObjectRef,
        WriteOptions,
    )

BUCKET, PREFIX = "lake", "sales/"
THEN = datetime(2026, 1, 1, tzinfo=UTC)
_START, _END = f"{PREFIX}year=2026/month=01/part-", ".snappy.parquet"


def key_of(number: int) -> str:
    """The key of an object; 53 characters."""
    return f"{_START}{number:08}{_END}"


def content_of(number: int) -> bytes:
    """Its bytes."""
    return b"%064d" % number


class MadeUp(object_store.Hook):
    """A store of so many objects that nobody has written; what is written is kept over them.

    :param keeps: whether what is written is kept; else it is forgotten at once.
    """

    def __init__(self, conn_id: str, objects: int, *, keeps: bool = True) -> None:
        super().__init__(conn_id)
        self.objects = objects
        self.keeps = keeps
        self.written: Counter[str] = Counter()
        self.written_bytes: Counter[str] = Counter()
        self.ensure_bucket(BUCKET)

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """What is made up, or was written instead; this package's own files as they are."""
        if prefix.startswith(RESERVED_PREFIX):
            yield from super().list_objects(bucket, prefix)
            return
        current = space(self.memory_conn_id).bucket(bucket).current
        for number in range(self.objects):
            written = current.get(key_of(number))
            yield written.meta if written else self.meta(number)

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        """One of them."""
        number = self._number(ref)
        return super().stat_object(ref) if number is None else self.meta(number)

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        """One of them."""
        number = self._number(ref)
        if number is None:
            return super().get_object(ref, start=start, end=end, if_etag=if_etag)
        return MemoryBody(self.meta(number), memoryview(content_of(number))[start:end])

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = PLAIN,
        *,
        digests: Digests = NO_DIGESTS,
    ) -> ObjectMeta:
        """Write one object, and count it: the ledger's by kind, all others as ``object``."""
        kind = ref.key.split("/")[2] if ref.key.startswith(RESERVED_PREFIX) else "object"
        self.written[kind] += 1
        self.written_bytes[kind] += len(memoryview(body))
        if self._number(ref) is not None:
            options = replace(options, condition=None)  # What it is to replace was never written.
        if self.keeps:
            return super().put_object(ref, body, options, digests=digests)
        return replace(self.meta(0), key=ref.key, digests=digests_of(bytes(body)))

    def meta(self, number: int) -> ObjectMeta:
        """How the store describes one."""
        md5 = hashlib.md5(content_of(number)).hexdigest()
        return ObjectMeta(
            bucket=BUCKET,
            key=key_of(number),
            size=64,
            etag=f"{self.memory_conn_id}-{md5}",
            last_modified=THEN,
            digests=Digests(md5=md5),
        )

    def _number(self, ref: ObjectRef) -> int | None:
        """Which one a key is of; ``None`` for what was written."""
        if not ref.key.startswith(_START):
            return None
        if ref.key in space(self.memory_conn_id).bucket(ref.bucket).current:
            return None
        return int(ref.key[len(_START) : -len(_END)])


def endpoint(conn_id: str, objects: int, *, keeps: bool = True) -> Endpoint:
    """A prefix with so many objects."""
    store = MadeUp(conn_id, objects, keeps=keeps)
    return Endpoint(NAME, store, Location("mem", conn_id, BUCKET, PREFIX))


def store_of(end: Endpoint) -> MadeUp:
    """The store of an endpoint that :func:`endpoint` made."""
    if not isinstance(end.store, MadeUp):
        raise TypeError(f"{end.location} is not made up")
    return end.store


def prove(source: Endpoint, replica: Endpoint) -> None:
    """Write the ledger of a replica, as a run would that had copied everything to it."""
    objects = store_of(replica).objects

    def entries() -> Iterator[Entry]:
        for number in range(objects):
            there, origin = store_of(replica).meta(number), store_of(source).meta(number)
            yield Entry(
                there.key,
                Proof(
                    size=there.size,
                    etag=there.etag,
                    digests=digests_of(content_of(number)),
                    origin=Origin(
                        source.place + origin.key[len(PREFIX) :], origin.etag, None, THEN
                    ),
                    outcome=Outcome.COPIED,
                    run_id="first",
                    at=THEN,
                    as_of=THEN,
                    confirmed="md5",
                    attributes="0b36b9e60a4fb485",
                    seen=THEN,
                ),
            )

    draft = Draft(
        identity=new_identity("first"),
        step=Step.END,
        prefix=PREFIX,
        source=source.place,
        started=THEN,
    )
    writing.commit(replica, draft, entries, base=Base(), known=lambda _: None)
    store_of(replica).written.clear()
    store_of(replica).written_bytes.clear()
