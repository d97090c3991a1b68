"""Attributes of the source reach the replica: at first, when they change alone, and in part."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.adapters.digests import SHA256_METADATA
from airflow_multicloud.core.attributes import fingerprint, keep, keep_tags, lacks
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import CompareAttributes, ReplicationOptions
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import StorageError
from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions
from airflow_multicloud.testing.memory_cloud import object_store

from . import memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

pytestmark = pytest.mark.usefixtures("way")

TEXT = ObjectAttributes(content_type="text/plain", metadata={"owner": "me"})
HTML = replace(TEXT, content_type="text/html")
SIZES = pytest.mark.parametrize("content", [b"small", b"large" * 40], ids=["small", "large"])


class Patched(object_store.Hook):
    """A store whose objects can be given other attributes without being written.

    :param tells: whether its listings tell attributes.
    """

    def __init__(self, conn_id: str, *, tells: bool) -> None:
        super().__init__(conn_id)
        self.tells = tells
        self.attributes = TEXT
        self.modified = datetime(2026, 1, 1, tzinfo=UTC)
        self.stats = 0

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        told = self.attributes if self.tells else None
        for meta in super().list_objects(bucket, prefix):
            yield replace(meta, attributes=told, last_modified=self.modified)

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        self.stats += 1
        found = super().stat_object(ref)
        return replace(found, attributes=self.attributes, last_modified=self.modified)

    def get_object(self, ref: ObjectRef, **limits):  # type: ignore[no-untyped-def]
        body = super().get_object(ref, **limits)
        body._meta = replace(body.meta, attributes=self.attributes)
        return body


def _world(content: bytes, *, tells: bool) -> tuple[memory.World, Patched]:
    world = memory.world({"a": content})
    source = Patched(memory.conn_of(world.source), tells=tells)
    return world.with_source(source), source


def _run(world: memory.World, **options: object) -> Outcome:
    chosen = replace(memory.SMALL, **options)
    (only,) = replicate(world.replication(chosen)).destinations[0].outcomes
    return only


def _there(world: memory.World) -> ObjectAttributes:
    end = world.destinations[0]
    found = end.store.stat_object(end.ref(f"{end.location.key}a")).attributes
    assert found is not None
    metadata = {n: v for n, v in found.metadata.items() if n != SHA256_METADATA}
    return replace(found, metadata=metadata)


@SIZES
@pytest.mark.parametrize("tells", [True, False], ids=["listing_tells", "time_tells"])
def test_a_change_of_attributes_alone_is_copied(content: bytes, tells: bool) -> None:
    world, source = _world(content, tells=tells)
    assert _run(world) is Outcome.COPIED
    assert _there(world) == TEXT
    stats = source.stats
    assert _run(world) is Outcome.UNCHANGED
    assert source.stats == stats  # which costs no request
    source.attributes = HTML
    source.modified += timedelta(days=1)
    assert _run(world, compare_attributes=CompareAttributes.NEVER) is Outcome.UNCHANGED
    assert _run(world) is Outcome.REPLACED
    assert _there(world) == HTML
    assert _run(world) is Outcome.UNCHANGED


def test_a_new_time_alone_is_looked_at_once() -> None:
    world, source = _world(b"content", tells=False)
    _run(world)
    source.modified += timedelta(days=1)
    stats = source.stats
    assert _run(world) is Outcome.UNCHANGED
    assert source.stats == stats + 1
    assert _run(world) is Outcome.UNCHANGED
    assert source.stats == stats + 1


def test_a_change_within_the_second_is_not_missed() -> None:
    world, source = _world(b"content", tells=False)
    source.modified = datetime.now(UTC)
    _run(world)
    source.attributes = HTML
    assert _run(world) is Outcome.REPLACED


def test_tags_alone_are_seen_by_always() -> None:
    world = memory.world({"a": b"content"})
    source, there = world.source, world.destinations[0]
    store = object_store.Hook(memory.conn_of(source))
    store.set_tags(source.ref("data/a"), {"state": "draft"})
    always = {"preserve_tags": True, "compare_attributes": CompareAttributes.ALWAYS}
    assert _run(world, **always) is Outcome.COPIED
    assert _run(world, **always) is Outcome.UNCHANGED
    store.set_tags(source.ref("data/a"), {"state": "final"})
    assert _run(world, **always) is Outcome.REPLACED
    copy = object_store.Hook(memory.conn_of(there))
    assert dict(copy.get_tags(there.ref("copy/a"))) == {"state": "final"}
    assert _run(world, compare_attributes=CompareAttributes.ALWAYS) is Outcome.UNCHANGED


def test_immutable_says_what_it_did_not_change() -> None:
    world, source = _world(b"content", tells=True)
    _run(world)
    source.attributes = HTML
    report = replicate(world.replication(replace(memory.SMALL, immutable=True)))
    (destination,) = report.destinations
    assert dict(destination.outcomes) == {Outcome.UNCHANGED: 1}
    assert dict(destination.not_kept) == {"changed attributes (immutable)": 1}
    assert _there(world) == TEXT
    assert _run(world) is Outcome.REPLACED


def test_an_identical_object_without_the_attributes_is_replaced() -> None:
    """No manifest knows it: another tool's copy, or one of a run that was cut off."""
    world, _ = _world(b"content", tells=False)
    end = world.destinations[0]
    end.store.put_object(end.ref("copy/a"), b"content")
    assert _run(world) is Outcome.REPLACED
    assert _there(world) == TEXT
    more = replace(TEXT, metadata={"owner": "me", "mtime": "1"})
    other, _ = _world(b"content", tells=False)
    end = other.destinations[0]
    end.store.put_object(end.ref("copy/a"), b"content", WriteOptions(attributes=more))
    assert _run(other) is Outcome.VERIFIED


@SIZES
def test_what_can_not_be_held_is_said(content: bytes) -> None:
    world, source = _world(content, tells=False)
    source.attributes = replace(
        TEXT, content_language="Grüße", metadata={"owner": "me", "note": "Müller", "A": "x"}
    )
    report = replicate(world.replication())
    (destination,) = report.destinations
    assert dict(destination.outcomes) == {Outcome.COPIED: 1}
    assert set(destination.not_kept) == {"content_language", "metadata:note", "metadata:A"}
    assert _there(world) == TEXT
    assert _run(world) is Outcome.UNCHANGED


class _Small(object_store.Hook):
    def fit_attributes(self, attributes: ObjectAttributes):  # type: ignore[no-untyped-def]
        fitted = super().fit_attributes(attributes)
        names = list(fitted.attributes.metadata)
        kept = {n: fitted.attributes.metadata[n] for n in names[:1]}
        lost = tuple(f"metadata:{n}" for n in names[1:])
        return replace(fitted, attributes=replace(fitted.attributes, metadata=kept), not_kept=lost)


@pytest.mark.parametrize("sha256", ["ab", None])
def test_the_sources_metadata_goes_before_our_digest(sha256: str | None) -> None:
    end = memory.endpoint()
    small = replace(end, store=_Small(memory.conn_of(end)))
    kept = keep(small, TEXT, sha256=sha256)
    assert (kept.attributes, kept.not_kept, kept.keeps_digest) == (TEXT, (), False)
    kept = keep(small, replace(TEXT, metadata={"a": "1", "b": "2"}), sha256=sha256)
    assert kept.not_kept == ("metadata:b",)
    assert keep(end, TEXT, sha256=None) == keep(end, TEXT, sha256=None)
    assert keep(end, TEXT, sha256=None).keeps_digest


def test_tags_that_fit_are_kept() -> None:
    end: Endpoint = memory.endpoint()
    tags = {f"t{n:02}": "x" for n in range(10)} | {"é": "x"}
    kept, lost = keep_tags(end, tags, {SHA256_METADATA: "ab"})
    assert kept == {SHA256_METADATA: "ab", **{f"t{n:02}": "x" for n in range(9)}}
    assert lost == ("tag:t09", "tag:é")


def test_fingerprints() -> None:
    assert fingerprint(None) is None
    assert fingerprint(TEXT) != fingerprint(HTML)
    ours = replace(TEXT, metadata={**TEXT.metadata, SHA256_METADATA: "ab"})
    assert fingerprint(TEXT) == fingerprint(ours)
    assert not lacks(TEXT, None)
    assert lacks(HTML, TEXT)
    assert not lacks(ObjectAttributes(), TEXT)


def test_the_option_is_checked() -> None:
    with pytest.raises(StorageError, match="compare_attributes: 'yes' given"):
        ReplicationOptions(compare_attributes="yes")  # type: ignore[arg-type]
