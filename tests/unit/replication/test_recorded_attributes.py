"""A record says of a replica's attributes and tags only what is known to be there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.adapters.digests import SHA256_METADATA
from airflow_multicloud.core.attributes import fingerprint, keep_tags
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import CompareAttributes
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectAttributes,
    ObjectRef,
    WriteOptions,
)
from airflow_multicloud.testing.memory_cloud import object_store

from . import memory
from .test_attributes import HTML, SIZES, TEXT, Patched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_multicloud.core.replication.report import DestinationReport
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta

NEVER = {"compare_attributes": CompareAttributes.NEVER}
ALWAYS = {"compare_attributes": CompareAttributes.ALWAYS}
NOT_CHANGED = {"changed attributes (immutable)": 1}


class NewEtags(Patched):
    """A store where other attributes are another ETag, as at Azure.

    :param digests: whether it tells digests of its objects.
    """

    def __init__(self, conn_id: str, *, tells: bool, digests: bool) -> None:
        super().__init__(conn_id, tells=tells)
        self._digests = digests

    def _as_told(self, meta: ObjectMeta) -> ObjectMeta:
        etag = f"{meta.etag}-{fingerprint(self.attributes)}"
        return replace(meta, etag=etag, digests=meta.digests if self._digests else Digests())

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        return (self._as_told(meta) for meta in super().list_objects(bucket, prefix))

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        return self._as_told(super().stat_object(ref))

    def get_object(self, ref: ObjectRef, *, if_etag: str | None = None, **limits):  # type: ignore[no-untyped-def]
        body: ObjectBody = super().get_object(ref, **limits)
        body._meta = self._as_told(body.meta)
        assert if_etag in (None, body.meta.etag)
        return body


def _world(
    content: bytes, *, tells: bool = True, digests: bool = True
) -> tuple[memory.World, NewEtags]:
    world = memory.world({"a": content})
    source = NewEtags(memory.conn_of(world.source), tells=tells, digests=digests)
    return world.with_source(source), source


def _run(world: memory.World, **options: object) -> DestinationReport:
    return replicate(world.replication(replace(memory.SMALL, **options))).destinations[0]


def _only(report: DestinationReport) -> Outcome:
    (outcome,) = report.outcomes
    return outcome


def _type(world: memory.World) -> str | None:
    end = world.destinations[0]
    found = end.store.stat_object(end.ref("copy/a")).attributes
    return found and found.content_type


@SIZES
@pytest.mark.parametrize("tells", [True, False], ids=["listing_tells", "time_tells"])
@pytest.mark.parametrize("digests", [True, False], ids=["digests", "none"])
@pytest.mark.parametrize("immutable", [True, False], ids=["immutable", "never"])
def test_a_change_that_was_passed_over_is_made_later(
    content: bytes, tells: bool, digests: bool, immutable: bool
) -> None:
    if not digests and len(content) > memory.SMALL.parts_above:
        pytest.skip("without a digest at the source a large object is copied again")
    world, source = _world(content, tells=tells, digests=digests)
    assert _only(_run(world)) is Outcome.COPIED
    source.attributes = HTML
    source.modified += timedelta(days=1)
    for _ in range(2):
        report = _run(world, immutable=True) if immutable else _run(world, **NEVER)
        assert report.not_kept == (NOT_CHANGED if immutable else {})
        assert _only(report).proven
        assert _type(world) == TEXT.content_type
    report = _run(world)
    assert (_only(report), report.not_kept) == (Outcome.REPLACED, {})
    assert _type(world) == HTML.content_type
    assert _only(_run(world)) is Outcome.UNCHANGED


@SIZES
def test_an_adopted_object_of_which_nothing_was_compared(content: bytes) -> None:
    world, _ = _world(content)
    end = world.destinations[0]
    end.store.put_object(end.ref("copy/a"), content)
    assert _only(_run(world, **NEVER)) is Outcome.VERIFIED
    assert _only(_run(world)) is Outcome.REPLACED
    assert _type(world) == TEXT.content_type


def test_the_change_may_be_taken_back() -> None:
    world, source = _world(b"content")
    _run(world)
    source.attributes = HTML
    assert _run(world, immutable=True).not_kept == NOT_CHANGED
    source.attributes = TEXT
    for _ in range(2):
        assert _run(world, immutable=True).not_kept == {}


class Anticipated(object_store.Hook):
    """A store where another writer is faster, with the same bytes and no attributes."""

    def put_object(self, ref: ObjectRef, body, options=None, **more):  # type: ignore[no-untyped-def]
        if ref.key == "copy/a":
            super().put_object(ref, bytes(body))
            raise StorageError("it is there", kind=ErrorKind.ALREADY_EXISTS)
        return super().put_object(ref, body, options or WriteOptions(), **more)


def test_another_writers_object_is_not_taken_for_ours() -> None:
    world, _ = _world(b"content")
    there = Anticipated(memory.conn_of(world.destinations[0]))
    assert _only(_run(world.with_destination(there))) is Outcome.VERIFIED
    assert _only(_run(world)) is Outcome.REPLACED
    assert _type(world) == TEXT.content_type


class KeepsTags(object_store.Hook):
    """A store that keeps tags through an overwrite, and may refuse to be told any.

    :param refuses: the tags can be read only.
    """

    def __init__(self, conn_id: str, *, refuses: bool = False) -> None:
        super().__init__(conn_id)
        self.refuses = refuses
        self.tagged = 0

    def set_tags(self, ref: ObjectRef, tags: Mapping[str, str]) -> None:
        if self.refuses:
            raise StorageError("not allowed", kind=ErrorKind.PERMISSION_DENIED)
        self.tagged += 1
        super().set_tags(ref, tags)

    def put_object(self, ref: ObjectRef, body, options=WriteOptions(), **more):  # type: ignore[no-untyped-def]
        try:
            tags = super().get_tags(ref)
        except StorageError:
            tags = {}
        written = super().put_object(ref, body, options, **more)
        super().set_tags(ref, tags)
        return written


def _tagged(tags: Mapping[str, str]) -> tuple[memory.World, object_store.Hook, KeepsTags]:
    world = memory.world({"a": b"content"})
    source = object_store.Hook(memory.conn_of(world.source))
    source.set_tags(ObjectRef(memory.BUCKET, "data/a"), tags)
    there = KeepsTags(memory.conn_of(world.destinations[0]))
    return world.with_destination(there), source, there


def _tags(there: KeepsTags) -> dict[str, str]:
    return dict(there.get_tags(ObjectRef(memory.BUCKET, "copy/a")))


@pytest.mark.parametrize("tags", [{"t": "2"}, {"u": "1"}, {}], ids=["value", "name", "none"])
def test_the_tags_of_the_source_win(tags: dict[str, str]) -> None:
    world, source, there = _tagged({"t": "1"})
    _run(world, preserve_tags=True)
    source.set_tags(ObjectRef(memory.BUCKET, "data/a"), tags)
    assert _only(_run(world, preserve_tags=True, **ALWAYS)) is Outcome.REPLACED
    assert _tags(there) == tags
    assert _only(_run(world, preserve_tags=True, **ALWAYS)) is Outcome.UNCHANGED


def test_tags_are_left_alone_unless_they_are_preserved() -> None:
    world, _, there = _tagged({"t": "1"})
    there.put_object(ObjectRef(memory.BUCKET, "copy/a"), b"other")
    there.set_tags(ObjectRef(memory.BUCKET, "copy/a"), {"mine": "1"})
    assert _only(_run(world)) is Outcome.REPLACED
    assert _tags(there) == {"mine": "1"}


@pytest.mark.parametrize("known", [False, True], ids=["adopted", "recorded"])
@pytest.mark.parametrize("compare", [CompareAttributes.AUTO, CompareAttributes.ALWAYS])
def test_objects_that_are_there_get_their_tags(known: bool, compare: CompareAttributes) -> None:
    world, _, there = _tagged({"t": "1"})
    there.put_object(ObjectRef(memory.BUCKET, "copy/a"), b"content")
    there.set_tags(ObjectRef(memory.BUCKET, "copy/a"), {"mine": "1", "t": "0"})
    if known:
        assert _only(_run(world)) is Outcome.VERIFIED
    chosen = {"preserve_tags": True, "compare_attributes": compare}
    report = _run(world, immutable=True, **chosen)
    assert report.not_kept == NOT_CHANGED
    assert _tags(there) == {"mine": "1", "t": "0"}
    there.refuses = True
    assert _run(world, **chosen).not_kept == {"tags (permission_denied)": 1}
    there.refuses = False
    report = _run(world, **chosen)
    assert (_only(report), report.not_kept) == (Outcome.UNCHANGED, {})
    assert _tags(there) == {"mine": "1", "t": "1"}
    tagged = there.tagged
    assert _only(_run(world, **chosen)) is Outcome.UNCHANGED
    assert there.tagged == tagged


def test_objects_compared_by_reading_get_their_tags() -> None:
    """The source has no digest, so that the object is compared once it was read."""
    world, _, there = _tagged({"t": "1"})
    there.put_object(ObjectRef(memory.BUCKET, "copy/a"), b"content")
    silent = NewEtags(memory.conn_of(world.source), tells=False, digests=False)
    silent.attributes = ObjectAttributes()
    report = _run(world.with_source(silent), preserve_tags=True)
    assert (_only(report), _tags(there)) == (Outcome.VERIFIED, {"t": "1"})


def test_only_our_own_tag_stays_after_a_write() -> None:
    end = memory.endpoint()
    present = {SHA256_METADATA: "ab", "old": "1", "t": "1"}
    kept, lost = keep_tags(end, {"t": "2", SHA256_METADATA: "cd"}, present)
    assert (kept, lost) == ({SHA256_METADATA: "ab", "t": "2"}, ())
    kept, lost = keep_tags(end, {"t": "2"}, present, others=True)
    assert (kept, lost) == ({SHA256_METADATA: "ab", "old": "1", "t": "2"}, ())
