"""A ledger that is made to fill the memory costs its own replica, and some megabytes."""

from __future__ import annotations

import gzip
import tracemalloc
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.core.ledger import commits
from airflow_multicloud.core.ledger.refs import SegmentRef
from airflow_multicloud.core.ledger.names import commit_key, segment_key
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.ledgers import proven, write
from tests.unit.failover.stores import CONTENT, Body, files_below, named, put, replicas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectRef

MB = 1 << 20


class Endless(object_store.Hook):
    """Answers these keys with far more than anybody asked for; counts what is taken."""

    keys: frozenset[str] = frozenset()
    taken = 0

    def get_object(self, ref: ObjectRef, **limits: Any) -> ObjectBody:
        body = super().get_object(ref, **limits)
        if ref.key not in self.keys:
            return body

        def chunks() -> Iterator[bytes]:
            while self.taken < 1000:
                self.taken += 1
                yield bytes(MB)

        return Body(body.meta, chunks())


@pytest.fixture
def hostile() -> Endpoint:
    return named("hostile", Endless)


def endless(end: Endpoint, *keys: str) -> None:
    assert isinstance(end.store, Endless)
    end.store.keys = frozenset(keys)


def segment(end: Endpoint, body: bytes, **claims: Any) -> None:
    """A commit with one segment, of which everything but these claims is true."""
    end.store.put_object(end.ref(segment_key(sha256_of(body))), body)
    key = end.key_of("a")
    facts = {"sha256": sha256_of(body), "size": len(body), "count": 1, "first": key, "last": key}
    write(end, segments=((SegmentRef(**(facts | claims)),),))


@cache
def packed(lines: bytes) -> bytes:
    return gzip.compress(lines, compresslevel=1)


def without_end(end: Endpoint) -> None:
    write(end)
    endless(end, commit_key(1))


def many(end: Endpoint, field: str, one: object) -> None:
    """A commit that has as many of something as fit."""
    commit = msgspec.to_builtins(write(end).commit)
    number = commits.LARGEST_COMMIT // (len(msgspec.json.encode(one)) + 1) - 100
    line = msgspec.json.encode(commit | {field: [one] * number})
    put_stream(end, commit_key(1), [line, b"\n"], part_size=MB)


def segment_without_end(end: Endpoint) -> None:
    segment(end, b"x")
    endless(end, segment_key(sha256_of(b"x")))


ATTACKS = {
    "a commit without end": without_end,
    "many looks": lambda end: many(end, "looks", {}),
    "many siblings": lambda end: many(end, "siblings", {}),
    "a segment without end": segment_without_end,
    "a segment of claimed size": lambda end: segment(end, b"x", size=1 << 40),
    "a segment that says it has many": lambda end: segment(end, packed(b"\n"), count=1 << 40),
    "a bomb": lambda end: segment(end, packed(bytes(120 * MB))),
    "a bomb of lines": lambda end: segment(end, packed(b"\n" * (120 * MB)), count=5000),
    "a bomb of entries": lambda end: segment(end, packed(b'{"key":"a"}\n' * (10 * MB)), count=5000),
}


@contextmanager
def bounded(most: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("whole", [True, False], ids=["prefix", "object"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_it_is_refused_and_the_next_candidate_serves(
    hostile: Endpoint, tmp_path: Path, attack: str, *, whole: bool
) -> None:
    good = named("good")
    write(good, proven(good, "a", "mem://source/data/a"))
    put(hostile, "a", b"evil")
    ATTACKS[attack](hostile)
    with bounded(100 * MB):
        if whole:
            served: Any = fetch_tree(replicas(hostile, good), FileTarget(tmp_path))
        else:
            ends = hostile.below("a"), good.below("a")
            served = fetch(replicas(*ends), FileTarget(tmp_path / "a"))
    assert files_below(tmp_path) == {"a": CONTENT}
    refused = [one for one in served.attempts if one.uri.startswith(str(hostile.location))]
    assert {one.kind for one in refused} == {ErrorKind.INTEGRITY}
    assert isinstance(hostile.store, Endless)
    # It is read for itself, and as a witness of the other one.
    assert hostile.store.taken <= 2 * (commits.LARGEST_COMMIT // MB + 1)
