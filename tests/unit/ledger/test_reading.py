"""A ledger that is not as it was written is kind ``integrity``, and nothing else happens."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core.ledger import commits, reading, segments
from airflow_multicloud.core.ledger.base import base_of
from airflow_multicloud.core.ledger.commits import Mark
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.names import SEGMENTS, commit_key, segment_of
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.replication.memory import conn_of, endpoint

from .made import commit, entry

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectRef


@pytest.fixture
def end() -> Endpoint:
    """A ledger of two commits: entries in a segment, and one in the commit itself."""
    made = endpoint("")
    commit(made, [entry(f"{n:03}") for n in range(300)])
    commit(made, [entry("zzz")])
    return made


def newest(end: Endpoint) -> Head:
    head = reading.newest(end)
    assert head is not None
    return head


def body(end: Endpoint, key: str) -> bytes:
    return bytes(end.store.get_object(end.ref(key)).read())


def change(end: Endpoint, which: int, /, **fields: Any) -> None:
    """Write a commit over, with other fields; ``None`` takes one out."""
    line = json.loads(body(end, commit_key(which)))
    line = {k: v for k, v in (line | fields).items() if v is not None}
    end.store.put_object(end.ref(commit_key(which)), json.dumps(line).encode() + b"\n")


GARBAGE = [
    b"",
    b"\n",
    b"{",
    b"{}\n",
    b"[]\n",
    b"5\n",
    b"\xff\xfe\n",
    b"null\n\n\n",
    b'{"format":"airflow-multicloud ledger"}\n',
    b'{"format":"airflow-multicloud ledger","version":1}\n',
    b'{"format":"other","version":1}\n',
    b'{"version":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    b'{"format":"airflow-multicloud ledger","version":1,"number":' + b"9" * 5000 + b"}\n",
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_a_commit_that_is_none(end: Endpoint, garbage: bytes) -> None:
    end.store.put_object(end.ref(commit_key(2)), garbage)
    with pytest.raises(StorageError, match=r"it is damaged .*delete it") as raised:
        reading.newest(end)
    assert raised.value.kind is ErrorKind.INTEGRITY
    assert commit_key(2) in str(raised.value)


LOOK = {
    "prefix": "",
    "source": "s",
    "selection": {},
    "as_of": "2026-01-01T00:00:00Z",
    "run_id": "r",
    "started": "2026-01-01T00:00:00Z",
    "finished": "2026-01-01T00:00:00Z",
    "objects": 1,
    "proven": 1,
}
ENTRY = {"key": "a", "gone": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    "fields",
    [
        {"number": 3},
        {"number": 0},
        {"number": 10**40},
        {"number": 2.5},
        {"place": "mem://other/"},
        {"made_at": "2026-01-01T00:00:00"},
        {"made_at": "0001-01-01T00:00:00+23:59"},
        {"step": "jump"},
        {"previous": {"number": 2, "root": "0" * 64}},
        {"previous": {"number": 1, "root": "x"}},
        {"previous": None, "identity": None},
        {"looks": [LOOK | {"as_of": "0001-01-01T00:00:00+23:59"}]},
        {"looks": [LOOK | {"objects": -1}]},
        {"siblings": [{"place": "p", "number": 1, "root": "0" * 63, "seen": LOOK["as_of"]}]},
        {"losses": [{"prefix": "", "source": None, "number": 3}]},
        {"looks": [LOOK | {"displaced": -1}]},
        {"recent": [ENTRY, ENTRY]},
        {"recent": [ENTRY | {"key": "b"}, ENTRY]},
        {"recent": [ENTRY | {"gone": "0001-01-01T00:00:00+23:59"}]},
        {"recent": [{"key": "k" * 9000}]},
        {"recent": [ENTRY | {"removed": True}]},
        {"segments": [[{"sha256": "../x", "size": 1, "count": 1, "first": "a", "last": "b"}]]},
        {"segments": [[{"sha256": "0" * 64, "size": 1, "count": 1, "first": "b", "last": "a"}]]},
    ],
)
def test_a_commit_with_one_wrong_field(end: Endpoint, fields: dict[str, Any]) -> None:
    change(end, 2, **fields)
    with pytest.raises(StorageError) as raised:
        reading.newest(end)
    assert raised.value.kind is ErrorKind.INTEGRITY


def test_another_release_is_said(end: Endpoint) -> None:
    change(end, 2, version=2, recent=7, later={})
    with pytest.raises(
        StorageError, match=r"version 2.* knows version 1 only; use the release"
    ) as e:
        reading.newest(end)
    assert e.value.kind is ErrorKind.UNSUPPORTED
    # No reason to start over: it is not damaged.
    with pytest.raises(StorageError):
        base_of(end)


def test_a_commit_is_not_read_without_end(end: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "LARGEST_COMMIT", 1000)
    end.store.put_object(end.ref(commit_key(2)), b"x" * 1001)
    with pytest.raises(StorageError, match="larger than 1000 bytes") as raised:
        reading.newest(end)
    assert raised.value.kind is ErrorKind.INTEGRITY


def test_the_chain_notices_what_was_changed_before(end: Endpoint) -> None:
    head = newest(end)
    first = reading.at(end, 1)
    assert reading.has(head, first.mark)
    assert not reading.has(head, Mark(1, "0" * 64))
    assert not reading.has(head, Mark(2, first.root))
    assert not reading.has(head, Mark(9, head.root))
    change(end, 1, why="another")
    with pytest.raises(
        StorageError, match=r"it follows on commit 1 of root .*its root is"
    ) as raised:
        reading.has(head, first.mark)
    assert raised.value.kind is ErrorKind.INTEGRITY
    end.store.delete_object(end.ref(commit_key(1)))
    with pytest.raises(StorageError, match="it is not there"):
        reading.has(head, first.mark)


def test_every_bit_of_a_commit_is_in_its_root(end: Endpoint) -> None:
    root = newest(end).root
    change(end, 2, why="x")
    assert newest(end).root != root


def segment(end: Endpoint) -> str:
    (meta,) = end.store.list_objects(end.bucket, SEGMENTS)
    return meta.key


def repack(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    def packed(before: bytes) -> bytes:
        lines = gzip.decompress(before).splitlines(keepends=True)
        return gzip.compress(b"".join(change(lines)), mtime=0)

    return packed


FORGED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "one bit": lambda b: b[:-9] + bytes([b[-9] ^ 1]) + b[-8:],
    "cut off": lambda b: b[:-1],
    "longer": lambda b: b + b"x",
    "a line less": repack(lambda lines: lines[1:]),
    "another digest": repack(lambda lines: [lines[0].replace(b'"sha256":"', b'"sha256":"0')]),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_segment_that_is_not_the_one_that_was_written(end: Endpoint, how: str) -> None:
    key = segment(end)
    end.store.put_object(end.ref(key), FORGED[how](body(end, key)))
    head = newest(end)
    for read in (lambda: [*head.entries()], lambda: head.entry("005")):
        with pytest.raises(StorageError, match="it is damaged") as raised:
            read()
        assert raised.value.kind is ErrorKind.INTEGRITY
        assert key in str(raised.value)
    assert head.entry("zzz") == entry("zzz")  # It needs no segment.


def test_a_segment_that_is_gone(end: Endpoint) -> None:
    end.store.delete_object(end.ref(segment(end)))
    with pytest.raises(StorageError, match="it is not there, and a commit names it") as raised:
        [*newest(end).entries()]
    assert raised.value.kind is ErrorKind.INTEGRITY


WRONG: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "order": lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    "twice": lambda lines: [lines[0], lines[0], *lines[2:]],
    "no entry": lambda lines: [lines[0], b"{}\n", *lines[2:]],
    "nested": lambda lines: [lines[0], b"[" * 200_000 + b"\n", *lines[2:]],
    "no text": lambda lines: [lines[0], b"\xff\n", *lines[2:]],
    "fewer": lambda lines: lines[:-1],
    "more": lambda lines: [*lines[:-1], lines[-1].replace(b'"299"', b'"2985"'), lines[-1]],
    "last": lambda lines: [*lines[:-1], lines[-1].replace(b'"299"', b'"2995"')],
}


@pytest.mark.parametrize("how", WRONG)
def test_a_forged_segment_with_a_forged_commit(end: Endpoint, how: str) -> None:
    """Its name is its hash, so a forger writes the commit as well; what it says must still fit."""
    forged = repack(WRONG[how])(body(end, segment(end)))
    sha256 = sha256_of(forged)
    end.store.put_object(end.ref(f"{SEGMENTS}{sha256}.jsonl.gz"), forged)
    (run,) = json.loads(body(end, commit_key(2)))["segments"]
    change(end, 2, segments=[[run[0] | {"sha256": sha256, "size": len(forged)}]])
    with pytest.raises(StorageError) as raised:
        [*newest(end).entries()]
    assert raised.value.kind is ErrorKind.INTEGRITY


def test_a_segment_that_unpacks_to_no_end(end: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "_LARGEST_UNPACKED", 100)
    with pytest.raises(StorageError, match="too large") as raised:
        [*newest(end).entries()]
    assert raised.value.kind is ErrorKind.INTEGRITY


def test_a_damaged_ledger_is_started_over_and_says_so(end: Endpoint) -> None:
    end.store.put_object(end.ref(commit_key(2)), b"{")
    base = base_of(end)
    assert base.head is None
    assert (base.number, base.entry("005"), [*base.entries("")]) == (2, None, [])
    made = commit(end, [entry("a")], base)
    assert made.head is not None
    assert made.head.commit.number == 3
    assert "it is damaged" in (made.head.commit.restarted or "")
    assert [one.key for one in newest(end).entries()] == ["a"]
    # And goes on from there.
    assert commit(end, [entry("b")]).number == 4
    assert newest(end).commit.restarted is None
    assert [one.key for one in newest(end).entries()] == ["a", "b"]


def test_so_is_one_whose_segment_is_damaged(end: Endpoint) -> None:
    base = base_of(end).without_state("its segment is damaged")
    made = commit(end, [entry("a")], base)
    assert made.head is not None
    assert made.head.commit.restarted == "its segment is damaged"
    assert made.head.commit.previous == reading.at(end, 2).mark
    assert [one.key for one in newest(end).entries()] == ["a"]


def test_a_segment_is_named_by_its_hash(end: Endpoint) -> None:
    assert segment_of(segment(end)) == sha256_of(body(end, segment(end)))


class Refusing(object_store.Hook):
    """Some objects can't be read, and reads are counted."""

    refused = ""
    reads = 0

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        self.reads += 1
        if ref.key == self.refused:
            raise StorageError("not for you", kind=ErrorKind.PERMISSION_DENIED)
        return super().get_object(ref, start=start, end=end, if_etag=if_etag)


def test_what_can_not_be_read_is_not_damaged(end: Endpoint) -> None:
    store = Refusing(conn_of(end))
    head = newest(replace(end, store=store))
    for key, read in (
        (commit_key(2), lambda: reading.newest(head.end)),
        (commit_key(1), lambda: [*reading.back_to(head, 0)]),
        (segment(end), lambda: head.entry("005")),
    ):
        store.refused = key
        with pytest.raises(StorageError) as raised:
            read()
        assert raised.value.kind is ErrorKind.PERMISSION_DENIED


def test_a_commit_that_is_not_there_is_not_found(end: Endpoint) -> None:
    with pytest.raises(StorageError) as raised:
        reading.at(end, 3)
    assert raised.value.kind is ErrorKind.NOT_FOUND


def test_a_signature_is_the_second_line(end: Endpoint) -> None:
    key, line = commit_key(2), body(end, commit_key(2))
    assert newest(end).signature is None
    end.store.put_object(end.ref(key), line + b"signed\n")
    head = newest(end)
    assert head.signature == b"signed"
    assert head.root == sha256_of(line[:-1])
    assert "signed" not in repr(head)
    for more in (b"signed", b"signed\nagain\n", b"signed\n\n"):
        end.store.put_object(end.ref(key), line + more)
        with pytest.raises(StorageError, match="it is cut off, or something follows it"):
            newest(end)
    end.store.put_object(end.ref(key), line[:-1])
    with pytest.raises(StorageError, match="it is cut off, or something follows it"):
        newest(end)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"number": 3}, "it is commit 3 of mem://lab@"),
        ({"place": "mem://other/"}, "it is commit 2 of mem://other/"),
    ],
)
def test_a_commit_that_belongs_elsewhere(end: Endpoint, fields: dict[str, Any], said: str) -> None:
    change(end, 2, **fields)
    with pytest.raises(StorageError, match=said):
        newest(end)


def test_the_commits_before_one_are_read_as_far_as_is_asked(end: Endpoint) -> None:
    commit(end, [entry("more")])
    store = Refusing(conn_of(end))
    head = newest(replace(end, store=store))
    for number, found in ((4, []), (3, []), (2, [2]), (1, [2, 1]), (0, [2, 1])):
        store.reads = 0
        assert [one.commit.number for one in reading.back_to(head, number)] == found
        assert store.reads == len(found)
    assert reading.has(head, head.mark)
    assert reading.has(head, reading.at(end, 1).mark)
    assert not reading.has(head, Mark(3, "0" * 64))


def test_where_a_commit_lies_is_said(end: Endpoint) -> None:
    head = newest(end)
    assert head.uri == f"mem://{conn_of(end)}@lab/{commit_key(2)}"
    assert head.mark == Mark(2, head.root)


class TestOneEntry:
    """At most one segment of each sorted run is read for it."""

    @pytest.fixture
    def head(self, monkeypatch: pytest.MonkeyPatch) -> Head:
        monkeypatch.setattr(commits, "MOST_RECENT", 2)
        monkeypatch.setattr(segments, "ENTRIES", 10)
        end = endpoint("", Refusing)
        commit(end, [entry(f"{n:03}", b"1") for n in range(0, 100, 2)])
        later = [entry("001", b"2"), entry("002", b"2"), Entry("004", removed=True)]
        commit(end, later)
        commit(end, [entry("006", b"3"), Entry("008", removed=True)])
        head = newest(end)
        assert [len(run) for run in head.commit.segments] == [5, 1]
        return head

    @pytest.mark.parametrize(
        ("key", "content", "reads"),
        [
            ("000", b"1", 1),
            ("001", b"2", 1),
            ("002", b"2", 1),
            ("003", None, 2),
            ("004", None, 1),
            ("006", b"3", 0),
            ("008", None, 0),
            ("018", b"1", 1),
            ("019", None, 0),
            ("020", b"1", 1),
            ("098", b"1", 1),
            ("099", None, 0),
            ("", None, 0),
        ],
    )
    def test_the_newest_counts(
        self, head: Head, key: str, content: bytes | None, reads: int
    ) -> None:
        store = head.end.store
        assert isinstance(store, Refusing)
        store.reads = 0
        assert head.entry(key) == (entry(key, content) if content else None)
        assert store.reads == reads

    def test_so_it_is_with_all(self, head: Head) -> None:
        found = {one.key: one for one in head.entries()}
        assert all(head.entry(f"{n:03}") == found.get(f"{n:03}") for n in range(100))
        assert [one.key for one in head.entries("00")] == ["000", "001", "002", "006"]
        assert [one.key for one in head.entries("", least="001", most="010")] == [
            "001",
            "002",
            "006",
            "010",
        ]
