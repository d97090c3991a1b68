"""Small objects that need nothing special: what the short way leaves out, and what finds it out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.endpoints import RESERVED_PREFIX
from airflow_multicloud.core.replication import plain
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    PlainAsked,
    PlainRead,
    PlainWrite,
    PlainWritten,
)
from airflow_multicloud.testing.memory_cloud import object_store
from airflow_multicloud.testing.memory_cloud.object_store.plain import MemoryPlainBucket

from .memory import SMALL, World, conn_of, ledger, tree_of, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, ObjectRef

NAMES = [f"k{number:03}" for number in range(100)]
TREE = {name: f"content of {name}".encode() for name in NAMES}
ONE_THREAD = replace(SMALL, concurrency=1, min_success_ratio=0)


class Store(object_store.Hook):
    """Lists an MD5 alone, as services do; what it is asked for is counted.

    :ivar lists: makes what a listing shows.
    :ivar reads: what the short way gets, by key; ``None``: it is declined.
    :ivar writes: what the short way writes, likewise.
    :ivar told: what its answer to that tells.
    """

    def __init__(self, conn_id: str) -> None:
        super().__init__(conn_id)
        self.lists: Callable[[ObjectMeta], ObjectMeta] = _md5
        self.reads: Callable[[str, bytes], bytes | None] = lambda _key, body: body
        self.writes: Callable[[str, bytes], bytes | None] = lambda _key, body: body
        self.told: Callable[[Digests], Digests] = lambda _: Digests()
        self.ordinary: list[str] = []

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        return map(self.lists, super().list_objects(bucket, prefix))

    def get_object(self, ref: ObjectRef, **limits) -> ObjectBody:  # type: ignore[no-untyped-def]
        self.note(ref.key)
        return super().get_object(ref, **limits)

    def put_object(self, ref: ObjectRef, *given, **named):  # type: ignore[no-untyped-def]
        self.note(ref.key)
        return super().put_object(ref, *given, **named)

    def note(self, key: str) -> None:
        if not key.startswith(RESERVED_PREFIX):
            self.ordinary.append(key)

    def plain_bucket(self, bucket: str) -> MemoryPlainBucket:
        return _Bucket(self, bucket)


class _Bucket(MemoryPlainBucket):
    def __init__(self, store: Store, bucket: str) -> None:
        super().__init__(object_store.Hook(store.memory_conn_id), bucket)
        self._by = store

    def read(self, asked: PlainAsked) -> PlainRead | None:
        found = super().read(asked)
        body = None if found is None else self._by.reads(asked.key, bytes(found.body))
        return None if found is None or body is None else found._replace(body=body)

    def write(self, write: PlainWrite) -> PlainWritten | None:
        sent = self._by.writes(write.key, bytes(write.body))
        written = None if sent is None else super().write(write._replace(body=sent))
        return None if written is None else written._replace(digests=self._by.told(written.digests))


def _md5(meta: ObjectMeta) -> ObjectMeta:
    if meta.key.startswith(RESERVED_PREFIX):
        return meta
    return replace(meta, digests=Digests(md5=meta.digests.md5))


def _opaque(meta: ObjectMeta) -> ObjectMeta:
    """As S3 lists an object that is encrypted with KMS."""
    return _md5(replace(meta, digests=Digests(md5="0bad" * 8)))


def lab(*, destinations: int = 1) -> tuple[World, Store, Store]:
    made = world(TREE, destinations=destinations)
    source, first = Store(conn_of(made.source)), Store(conn_of(made.destinations[0]))
    source.ordinary.clear()
    return made.with_source(source).with_destination(first), source, first


def outcomes(report: ReplicationReport, index: int = 0) -> dict[Outcome, int]:
    return dict(report.destinations[index].outcomes)


def flipped(body: bytes) -> bytes:
    return bytes([body[0] ^ 1]) + body[1:]


def once(change: Callable[[bytes], bytes], key: str) -> Callable[[str, bytes], bytes]:
    """Changed the first time that the key is asked for."""
    left = {key}

    def changed(key: str, body: bytes) -> bytes:
        if key in left:
            left.discard(key)
            return change(body)
        return body

    return changed


def test_all_go_the_short_way_and_are_proven_by_the_listing() -> None:
    made, source, first = lab()
    report = replicate(made.replication())
    assert outcomes(report) == {Outcome.COPIED: len(NAMES)}
    assert tree_of(made.destinations[0]) == TREE
    assert (source.ordinary, first.ordinary) == ([], [])
    for entry in ledger(made.destinations[0]).entries():
        assert entry.proof is not None
        assert entry.proof.confirmed == "md5"
        assert None not in (entry.proof.digests.sha256, entry.proof.digests.md5)
    assert outcomes(replicate(made.replication())) == {Outcome.UNCHANGED: len(NAMES)}


def test_one_of_each_few_is_hashed_by_md5(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[bytes] = []

    def none(body: bytes) -> str:
        hashed.append(bytes(body))
        return "none"

    monkeypatch.setattr(plain, "md5_of", none)
    made, _, _ = lab()
    replicate(made.replication(ONE_THREAD))
    assert len(hashed) == 1  # It differs, which ends the short way.


def test_a_source_whose_listing_shows_what_is_no_md5() -> None:
    made, source, _ = lab()
    source.lists = _opaque
    source.stat_object = lambda ref: replace(  # type: ignore[method-assign]
        object_store.Hook.stat_object(source, ref), digests=Digests()
    )
    report = replicate(made.replication(ONE_THREAD))
    assert outcomes(report) == {Outcome.COPIED: len(NAMES)}
    assert tree_of(made.destinations[0]) == TREE
    assert len(source.ordinary) == len(NAMES)


@pytest.mark.parametrize("which", [NAMES[3], NAMES[50], NAMES[-1]])
def test_a_byte_that_changes_on_the_way_here_is_found(which: str) -> None:
    """By what the destination's service computed, compared with what the source's did."""
    made, source, _ = lab()
    source.reads = once(flipped, f"data/{which}")
    report = replicate(made.replication(ONE_THREAD))
    assert outcomes(report) == {Outcome.COPIED: len(NAMES)}
    assert tree_of(made.destinations[0]) == TREE
    assert source.ordinary == [f"data/{which}"]


@pytest.mark.parametrize("tells", [False, True])
def test_a_byte_that_changes_on_the_way_there_is_found(*, tells: bool) -> None:
    """In the listing, or at once by the answer to the write: then it ends the short way too."""
    made, source, first = lab()
    first.writes = once(flipped, "copy/k020")
    first.told = lambda told: Digests(md5=told.md5) if tells else Digests()
    report = replicate(made.replication(ONE_THREAD))
    assert outcomes(report) == {Outcome.COPIED: len(NAMES)}
    assert tree_of(made.destinations[0]) == TREE
    assert (source.ordinary == ["data/k020"]) is not tells
    assert "data/k020" in source.ordinary


def test_what_is_altered_each_time_is_a_failure() -> None:
    made, _, first = lab()
    first.lists = lambda meta: _opaque(meta) if meta.key.endswith("k020") else _md5(meta)
    stat = object_store.Hook.stat_object
    first.stat_object = lambda ref: first.lists(stat(first, ref))  # type: ignore[method-assign]
    first.put_object = lambda ref, *given, **named: replace(  # type: ignore[method-assign]
        object_store.Hook.put_object(first, ref, *given, **named), digests=Digests()
    )
    report = replicate(made.replication(ONE_THREAD))
    assert outcomes(report) == {Outcome.COPIED: len(NAMES) - 1, Outcome.FAILED: 1}
    (failed,) = report.failures
    assert (failed.name, failed.kind) == ("k020", ErrorKind.INTEGRITY)


def test_an_answer_that_tells_another_crc32c_is_a_failure() -> None:
    made, _, first = lab()
    first.told = lambda _: Digests(crc32c="0badcafe")
    report = replicate(made.replication(ONE_THREAD))
    assert outcomes(report) == {Outcome.FAILED: len(NAMES)}


def test_a_destination_that_lists_no_md5_proves_nothing_of_the_way_here() -> None:
    """Its CRC32C is that of what was sent; so the object is copied with all digests computed."""
    made, source, first = lab()
    first.lists = lambda meta: replace(meta, digests=Digests(crc32c=meta.digests.crc32c))
    source.reads = once(flipped, "data/k020")
    report = replicate(made.replication(ONE_THREAD))
    assert outcomes(report) == {Outcome.COPIED: len(NAMES)}
    assert tree_of(made.destinations[0]) == TREE


def test_what_is_declined_is_done_in_the_other_way() -> None:
    made, source, first = lab()
    source.reads = lambda key, body: None if key.endswith("7") else body
    first.writes = lambda key, body: None if key.endswith("3") else body
    report = replicate(made.replication())
    assert outcomes(report) == {Outcome.COPIED: len(NAMES)}
    assert tree_of(made.destinations[0]) == TREE
    assert {key[-1] for key in source.ordinary} == {"7", "3"}


def test_what_is_declined_after_it_was_written_is_found_there() -> None:
    made, _, first = lab()

    def lost(key: str, body: bytes) -> bytes | None:
        if key.endswith("k020"):
            object_store.Hook(first.memory_conn_id).put_object(made.destinations[0].ref(key), body)
            return None
        return body

    first.writes = lost
    report = replicate(made.replication())
    assert outcomes(report) == {Outcome.COPIED: len(NAMES) - 1, Outcome.VERIFIED: 1}


def test_a_store_that_declines_most_is_asked_no_more() -> None:
    made, _, first = lab()
    asked: list[str] = []
    first.writes = lambda key, _: asked.append(key)
    report = replicate(made.replication(ONE_THREAD))
    assert outcomes(report) == {Outcome.COPIED: len(NAMES)}
    assert len(asked) == 32


def test_two_destinations_of_which_one_declines() -> None:
    made, source, first = lab(destinations=2)
    first.writes = lambda key, body: None if key.endswith("3") else body
    report = replicate(made.replication())
    for index, end in enumerate(made.destinations):
        assert outcomes(report, index) == {Outcome.COPIED: len(NAMES)}
        assert tree_of(end) == TREE
    assert {key[-1] for key in source.ordinary} == {"3"}
    assert {key[-1] for key in first.ordinary} == {"3"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_what_is_no_failure_of_an_object_ends_the_run(error: type[BaseException]) -> None:
    made, source, _ = lab()

    def interrupted(key: str, body: bytes) -> bytes:
        if key.endswith("k020"):
            raise error
        return body

    source.reads = interrupted
    with pytest.raises(error):
        replicate(made.replication(ONE_THREAD))


def test_with_a_limit_of_the_bandwidth_or_tags_none_goes_the_short_way() -> None:
    for options in (
        replace(SMALL, bandwidth_limit=1 << 30),
        replace(SMALL, preserve_tags=True),
    ):
        made, source, _ = lab()
        assert outcomes(replicate(made.replication(options))) == {Outcome.COPIED: len(NAMES)}
        assert len(source.ordinary) == len(NAMES)


def test_a_store_that_cant_be_opened_for_it_is_used_in_the_ordinary_way() -> None:
    class Refusing(Store):
        def plain_bucket(self, bucket: str) -> MemoryPlainBucket:
            raise StorageError("no such region", kind=ErrorKind.UNAVAILABLE)

    made, source, _ = lab()
    made = made.with_destination(Refusing(conn_of(made.destinations[0])))
    assert outcomes(replicate(made.replication())) == {Outcome.COPIED: len(NAMES)}
    assert len(source.ordinary) == len(NAMES)


@pytest.mark.parametrize("denied", [False, True])
def test_wrong_bytes_are_not_left_there(*, denied: bool) -> None:
    """The source gives others than it lists, each time; not all of them were hashed."""
    made, source, first = lab()
    get = object_store.Hook.get_object
    source.reads = lambda key, body: flipped(body) if key.endswith("k020") else body

    def gives(ref: ObjectRef, **limits):  # type: ignore[no-untyped-def]
        body = get(source, ref, **limits)
        return _Flipped(body) if ref.key.endswith("k020") else body

    def refuses(*_: object, **__: object) -> None:
        raise StorageError("no", kind=ErrorKind.PERMISSION_DENIED)

    source.get_object = gives  # type: ignore[method-assign]
    if denied:
        first.delete_object = refuses  # type: ignore[method-assign]
    report = replicate(made.replication(ONE_THREAD))
    assert outcomes(report) == {Outcome.COPIED: len(NAMES) - 1, Outcome.FAILED: 1}
    (failed,) = report.failures
    assert (failed.name, failed.kind) == ("k020", ErrorKind.INTEGRITY)
    assert ("deleting what was written of it before failed" in (failed.reason or "")) is denied
    assert ("k020" in tree_of(made.destinations[0])) is denied


class _Flipped:
    def __init__(self, body: ObjectBody) -> None:
        self.meta = body.meta
        self._body = body

    def read(self) -> bytes:
        return flipped(bytes(self._body.read()))


def test_an_answer_that_nobody_foresaw_ends_the_short_way_only() -> None:
    made, source, _ = lab()

    def odd(key: str, body: bytes) -> bytes:
        if key.endswith("k020"):
            raise LookupError("a header that nobody foresaw")
        return body

    source.reads = odd
    assert outcomes(replicate(made.replication(ONE_THREAD))) == {Outcome.COPIED: len(NAMES)}
    assert tree_of(made.destinations[0]) == TREE
    assert "data/k020" in source.ordinary
