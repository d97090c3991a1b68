"""What a manifest keeps, and that a damaged one is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as replace_struct

from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.replication import items, manifest
from airflow_multicloud.core.replication.freshness import freshness
from airflow_multicloud.core.replication.history import status
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.report import Tally
from airflow_multicloud.core.replication.verification import verify
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, IfUnchanged, ObjectBody, ObjectRef
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import conn_of, endpoint

NOW = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
SOURCE = "s3://aws_default@from/data/"

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_maybe = st.none() | _text
_replicas = st.builds(
    Replica,
    prior=st.none() | st.builds(IfUnchanged, _text, _maybe),
    outcome=st.none() | st.sampled_from(Outcome),
    etag=_maybe,
    version=_maybe,
    confirmed=_maybe,
    kind=st.none() | st.sampled_from(ErrorKind),
    reason=_maybe,
    not_kept=st.lists(_text, max_size=2).map(tuple),
    doubtful=st.booleans(),
)
_items = st.builds(
    Item,
    name=_text,
    size=st.integers(0, 1 << 50),
    etag=_text,
    version=_maybe,
    modified=st.just(NOW),
    replicas=st.lists(_replicas, min_size=1, max_size=2).map(tuple),
    digests=st.builds(Digests, crc32c=_maybe, md5=_maybe, sha256=_maybe),
    seconds=st.just(1.5),
)


@given(_items)
def test_an_item_survives_its_line(item: Item) -> None:
    line = items.dump(item)
    assert b"\n" not in line
    assert items.decoder.decode(line) == item


def _write(end: Endpoint, header: manifest.Header, objects: Sequence[Item]) -> manifest.Latest:
    tally = Tally(header.destinations)
    for item in objects:
        tally.add(item)
    return manifest.write(end, header, map(items.dump, objects), tally)


def _proven(name: str, etag: str = "r") -> Item:
    replica = Replica(outcome=Outcome.COPIED, etag=etag, confirmed="sha256")
    return Item(name, 3, "e", "v", NOW, (replica,), Digests(sha256="aa"))


def test_a_manifest_is_read_back_and_proves_what_was_proven() -> None:
    end = endpoint("copy/")
    header = manifest.Header("run-1", SOURCE, (str(end.location),), NOW)
    failed = Item("f", 1, "e", None, NOW, (Replica(outcome=Outcome.FAILED),))
    assert manifest.read_latest(end, SOURCE) is None

    written = _write(end, header, [_proven("a\n"), failed, _proven("😀")])

    assert manifest.read_latest(end, SOURCE) == written
    # Whoever reaches it: the same data under another connection id.
    assert manifest.read_latest(end, SOURCE.replace("aws_default", "other")) == written
    assert manifest.read_latest(end, SOURCE + "deeper/") is None
    assert (written.objects, written.newest_source) == (3, NOW)
    assert [name for name, _ in manifest.proofs(end, written.key)] == ["a\n", "😀"]
    of_run = manifest.at_run(end, written, "run-1")
    assert of_run is not None
    assert of_run.root == written.root
    assert [i.name for i, _ in manifest.objects_of(end, written.key)] == ["a\n", "f", "😀"]


class _Counting(object_store.Hook):
    """Counts the bytes that are asked for."""

    asked = 0

    def get_object(self, ref: ObjectRef, *, start=0, end=None, if_etag=None) -> ObjectBody:  # type: ignore[no-untyped-def]
        size = self.stat_object(ref).size
        self.asked += (size if end is None else min(end, size)) - start
        return super().get_object(ref, start=start, end=end, if_etag=if_etag)


def test_an_earlier_run_is_known_by_the_ends_of_its_manifest() -> None:
    end = endpoint("copy/")
    header = manifest.Header("run-1", SOURCE, (str(end.location),), NOW)
    written = _write(end, header, [_proven(f"{n:04}") for n in range(4000)])
    store = _Counting(conn_of(end))
    found = manifest.at_run(replace(end, store=store), written, "run-1")
    assert found is not None
    assert replace_struct(found, finished=written.finished) == written
    assert store.asked < end.store.stat_object(end.ref(written.key)).size / 5
    assert manifest.at_run(end, written, "run") is None


@pytest.mark.parametrize("cut", ["in the last line", "after an object", "in an object"])
def test_a_truncated_manifest_is_refused(cut: str) -> None:
    end = endpoint("copy/")
    header = manifest.Header("run-1", SOURCE, (str(end.location),), NOW)
    latest = _write(end, header, [_proven("a"), _proven("b")])
    whole = bytes(end.store.get_object(end.ref(latest.key)).read())
    lines = whole.splitlines(keepends=True)
    shorter = {
        "in the last line": whole[:-5],
        "after an object": b"".join(lines[:-1]),
        "in an object": b"".join(lines[:-1])[:-5],
    }[cut]
    end.store.put_object(end.ref(latest.key), shorter)

    with pytest.raises(StorageError, match=latest.key) as raised:
        list(manifest.objects_of(end, latest.key))

    assert raised.value.kind is ErrorKind.INTEGRITY


def test_a_manifest_about_another_place_is_refused() -> None:
    end = endpoint("copy/")
    header = manifest.Header("run-1", SOURCE, (str(end.location),), NOW)
    latest = _write(end, header, [_proven("a")])
    other = type(end)(end.cloud, end.store, end.location.with_key("elsewhere/"))

    with pytest.raises(StorageError, match="not about") as raised:
        list(manifest.proofs(other, latest.key))

    assert raised.value.kind is ErrorKind.INTEGRITY


def test_journals_come_oldest_first_and_go_when_told() -> None:
    end = endpoint("copy/")
    header = manifest.Header("run-1", SOURCE, (str(end.location),), NOW)
    for sequence in (1, 2):
        manifest.write_journal(end, header, sequence, [_proven("a", etag=str(sequence))])

    keys = manifest.journals(end, SOURCE)

    proofs = [proof for key in keys for proof in manifest.proofs(end, key)]
    assert [proof.replica_etag for _, proof in proofs] == ["1", "2"]
    manifest.delete_journals(end, [*keys, keys[0]])
    assert manifest.journals(end, SOURCE) == []


HEADER = manifest.Header(run_id="run", source=SOURCE, destinations=(), started=NOW)


def _replica() -> tuple[Endpoint, manifest.Latest]:
    there = endpoint()
    header = replace(HEADER, destinations=(str(there.location),))
    return there, _write(there, header, [_proven("a")])


def _pointer(there: Endpoint) -> ObjectRef:
    (meta,) = there.store.list_objects(there.bucket, f"{RESERVED_PREFIX}latest/")
    return there.ref(meta.key)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"5",
        b'{"key": 5, "run_id": "r", "source": "s", "replica": "x", "root": "x", "objects": 1, '
        b'"proven": 1, "started": "2026-01-01T00:00:00+00:00", '
        b'"finished": "2026-01-01T00:00:00+00:00", "newest_source": null}',
        b'{"key": "k", "run_id": "r", "source": "s", "replica": "x", "root": "x", "objects": 1, '
        b'"proven": 1, "started": "2026-01-01T00:00:00", '
        b'"finished": "2026-01-01T00:00:00", "newest_source": null}',
    ],
)
def test_a_damaged_pointer_says_so(garbage: bytes) -> None:
    there, _ = _replica()
    pointer = _pointer(there)
    there.store.put_object(pointer, garbage)
    for read in (
        lambda: manifest.read_latest(there, SOURCE),
        lambda: freshness(there),
        lambda: verify(there),
    ):
        with pytest.raises(
            StorageError, match=r"it is damaged .*delete it and replicate"
        ) as raised:
            read()
        assert raised.value.kind is ErrorKind.INTEGRITY
        assert pointer.key in str(raised.value)


def test_a_damaged_pointer_of_a_wider_replica_is_not_read() -> None:
    there, latest = _replica()
    own = _pointer(there)
    wider = replace(there, location=there.location.with_key(""))
    header = replace(HEADER, destinations=(str(wider.location),))
    _write(wider, header, [_proven("a")])
    listed = there.store.list_objects(there.bucket, f"{RESERVED_PREFIX}latest/")
    (outer,) = (meta.key for meta in listed if meta.key != own.key)
    there.store.put_object(there.ref(outer), b"{")
    assert freshness(there).as_of == latest.started
    assert status(there)[0].objects == latest.objects
    assert verify(there).objects == latest.objects
    with pytest.raises(StorageError, match="it is damaged"):
        freshness(wider)


@pytest.mark.parametrize(
    "garbage", [b"{\n", b"[]\n", b"5\n", b"\xff\n", b"\n", b"", b'{"manifest": 1}\n']
)
def test_a_damaged_manifest_says_so(garbage: bytes) -> None:
    there, latest = _replica()
    there.store.put_object(there.ref(latest.key), garbage)
    for read in (
        lambda: verify(there),
        lambda: verify(there, run_id="run"),
        lambda: list(manifest.objects_of(there, latest.key)),
    ):
        with pytest.raises(StorageError, match="manifest") as raised:
            read()
        assert raised.value.kind is ErrorKind.INTEGRITY
        assert latest.key in str(raised.value)


def test_a_garbled_line_is_damage() -> None:
    there, latest = _replica()
    ref = there.ref(latest.key)
    lines = bytes(there.store.get_object(ref).read()).split(b"\n")
    there.store.put_object(ref, b"\n".join([lines[0], b'{"name": "a"}', *lines[2:]]))
    for read in (
        lambda: list(manifest.objects_of(there, latest.key)),
        lambda: list(manifest.proofs(there, latest.key)),
    ):
        with pytest.raises(StorageError, match=r"it is damaged .*delete it") as raised:
            read()
        assert raised.value.kind is ErrorKind.INTEGRITY


def test_schemes_of_one_container_are_one_place() -> None:
    assert manifest.place("abfss://one@c/k") == manifest.place("abfs://two@c/k") == "abfs://c/k"
    assert manifest.place("nowhere://c/k") == "nowhere://c/k"


def test_a_replica_is_found_by_either_scheme() -> None:
    there = endpoint()
    secure, plain = (
        replace(there, location=replace(there.location, scheme=scheme))
        for scheme in ("abfss", "abfs")
    )
    header = replace(HEADER, source="abfss://c/data/", destinations=(str(secure.location),))
    _write(secure, header, [_proven("a")])
    assert manifest.read_latest(plain, "abfs://other@c/data/") is not None
    assert verify(plain).objects == 1
