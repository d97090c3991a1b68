"""Large objects: what is read of the source, what is believed of it, and when it is not read on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.endpoints import RESERVED_PREFIX
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import SMALL, Unversioned, World, conn_of, ledger, tree_of, uploads, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, ObjectRef, Part

LARGE = bytes(range(100))  # seven parts
#: One thread, and memory for four parts.
NARROW = replace(SMALL, concurrency=1, memory_limit=64, min_success_ratio=0)


class Source(Unversioned):
    """Tells of its objects what ``tells`` makes of it, and gives what ``gives`` makes of a part."""

    def __init__(self, conn_id: str) -> None:
        super().__init__(conn_id)
        self.tells: Callable[[ObjectMeta], ObjectMeta] = lambda meta: meta
        self.gives: Callable[[int, bytes], bytes] = lambda start, part: part
        self.reads = 0

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        return map(self.tells, super().list_objects(bucket, prefix))

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        return self.tells(super().stat_object(ref))

    def get_object(self, ref: ObjectRef, *, start: int = 0, **more: Any) -> ObjectBody:
        if ref.key.startswith(RESERVED_PREFIX):
            return super().get_object(ref, start=start, **more)
        self.reads += 1
        body = super().get_object(ref, start=start, **more)
        return _Given(body.meta, [self.gives(start, bytes(body.read()))])


class _Given:
    def __init__(self, meta: ObjectMeta, chunks: list[bytes]) -> None:
        self.meta = meta
        self._chunks = chunks

    def read(self) -> bytes:
        return b"".join(self._chunks)

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            yield from (chunk[:5], chunk[5:])


def lab(content: bytes = LARGE, destinations: int = 1) -> tuple[World, Source]:
    made = world({"large": content}, destinations=destinations)
    source = Source(conn_of(made.source))
    return made.with_source(source), source


def run(made: World) -> tuple[ReplicationReport, Outcome]:
    report = replicate(made.replication(NARROW))
    (outcome,) = report.destinations[0].outcomes
    return report, outcome


def other(start: int, part: bytes) -> bytes:
    """One bit of the second part is flipped on the way."""
    return bytes([part[0] ^ 1]) + part[1:] if start == 16 else part


@pytest.mark.parametrize(
    ("gives", "came"),
    [
        (lambda start, part: part[:-1] if start == 16 else part, "15"),
        (lambda start, part: b"" if start == 16 else part, "0"),
        (lambda start, part: part + b"x" if start == 16 else part, "more"),
        (lambda start, part: part + b"x" if start == 96 else part, "more"),
    ],
)
def test_a_part_that_is_not_as_long_as_asked_for_is_never_written(
    gives: Callable[[int, bytes], bytes], came: str
) -> None:
    made, source = lab()
    source.gives = gives
    report, outcome = run(made)
    assert outcome is Outcome.FAILED
    assert report.failures[0].kind is ErrorKind.INTEGRITY
    assert f"were asked for, and {came} came" in str(report.failures[0])
    assert tree_of(made.destinations[0]) == {}
    source.gives = lambda start, part: part
    assert run(made)[1] is Outcome.COPIED
    assert tree_of(made.destinations[0]) == {"large": LARGE}


class TestDigests:
    """Which are computed of the object: an MD5 only where the source tells nothing better."""

    def recorded(self, tells: Callable[[ObjectMeta], ObjectMeta]) -> Digests:
        made, source = lab()
        source.tells = tells
        assert run(made)[1] is Outcome.COPIED
        (entry,) = ledger(made.destinations[0]).entries()
        assert entry.proof is not None
        return entry.proof.digests

    @pytest.mark.parametrize(
        ("names", "computed"),
        [
            (("sha256", "md5", "crc32c"), False),
            (("sha256", "md5"), False),
            (("crc32c", "md5"), False),
            (("crc32c",), False),
            ((), False),
            (("md5",), True),
        ],
    )
    def test_by_what_the_source_tells(self, names: tuple[str, ...], computed: bool) -> None:
        found = self.recorded(lambda meta: replace(meta, digests=only(meta.digests, *names)))
        assert found == replace(digests_of(LARGE), md5=found.md5)
        assert (found.md5 is not None) is computed

    @pytest.mark.parametrize(("names", "computed"), [((), True), (("crc32c",), False)])
    def test_by_what_somebody_declared(self, names: tuple[str, ...], computed: bool) -> None:
        found = self.recorded(
            lambda meta: replace(
                meta, digests=only(meta.digests, *names), declared=only(meta.digests, "md5")
            )
        )
        assert (found.md5 is not None) is computed


def only(digests: Digests, *names: str) -> Digests:
    return Digests(**{name: getattr(digests, name) for name in names})


class TestAltered:
    """The source tells an MD5 that whoever wrote the object has declared, and nothing else."""

    def test_what_is_altered_on_the_way_is_never_written(self) -> None:
        made, source = lab()
        source.tells = declared(LARGE)
        source.gives = lambda start, part: other(start, part) if source.reads <= 7 else part
        report, outcome = run(made)
        assert outcome is Outcome.FAILED
        assert report.failures[0].kind is ErrorKind.INTEGRITY
        assert "altered on the way" in str(report.failures[0])
        assert tree_of(made.destinations[0]) == {}

    def test_a_wrong_declaration_is_found_out_by_reading_once_more(self) -> None:
        made, source = lab()
        source.tells = declared(b"something else")
        assert run(made)[1] is Outcome.COPIED
        assert source.reads == 8

    def test_a_source_that_cant_be_read_once_more_is_not_believed(self) -> None:
        def gives(start: int, part: bytes) -> bytes:
            if source.reads > 7:
                raise StorageError("it is gone", kind=ErrorKind.NOT_FOUND)
            return part

        made, source = lab()
        source.tells, source.gives = declared(b"something else"), gives
        report, outcome = run(made)
        assert outcome is Outcome.SOURCE_CHANGED
        assert "it is gone" in str(report.failures[0])
        assert tree_of(made.destinations[0]) == {}


def declared(content: bytes) -> Callable[[ObjectMeta], ObjectMeta]:
    md5 = Digests(md5=digests_of(content).md5)
    return lambda meta: replace(meta, digests=Digests(), declared=md5)


class TestReadingOn:
    """A source is not read for nothing."""

    def test_it_ends_with_the_first_part_that_cant_be_read(self) -> None:
        def gives(start: int, part: bytes) -> bytes:
            if start == 32:
                raise StorageError("broken", kind=ErrorKind.UNAVAILABLE)
            return part

        made, source = lab(bytes(16 * 100), destinations=2)
        sent = [Counting(conn_of(end)) for end in made.destinations]
        for number, store in enumerate(sent):
            made = made.with_destination(store, number)
        source.gives = gives
        report, outcome = run(made)
        assert outcome is Outcome.FAILED
        assert {(one.kind, one.reason) for one in report.failures} == {
            (ErrorKind.UNAVAILABLE, "broken")
        }
        assert source.reads == 3
        assert max(store.parts for store in sent) <= 2
        assert tree_of(made.destinations[0]) == {}

    def test_it_ends_when_no_destination_takes_any_more(self) -> None:
        made, source = lab(bytes(16 * 100))
        made = made.with_destination(Full(conn_of(made.destinations[0])))
        report, outcome = run(made)
        assert outcome is Outcome.FAILED
        assert report.failures[0].kind is ErrorKind.QUOTA
        assert source.reads < 20
        assert report.bytes_read == 16 * source.reads

    def test_it_goes_on_for_the_other_destinations(self) -> None:
        made, source = lab(destinations=2)
        made = made.with_destination(Full(conn_of(made.destinations[0])))
        report, outcome = run(made)
        assert outcome is Outcome.FAILED
        assert report.destinations[1].outcomes == {Outcome.COPIED: 1}
        assert (source.reads, report.bytes_read) == (7, 100)


class Counting(object_store.Hook):
    parts = 0

    def put_part(self, *given: Any, **named: Any) -> Part:
        self.parts += 1
        return super().put_part(*given, **named)


class Full(object_store.Hook):
    def put_part(self, *given: Any, **named: Any) -> Part:
        raise StorageError("full", kind=ErrorKind.QUOTA)


class Limited(object_store.Hook):
    """States other limits of its parts than it has."""

    part_limits = object_store.Hook("limits").part_limits


class TestFitting:
    """A store must be able to take the object before a byte of it is read."""

    def limited(self, most: int) -> tuple[World, Source]:
        made, source = lab(destinations=2)
        store = Limited(conn_of(made.destinations[0]))
        store.part_limits = replace(store.part_limits, max_object=most)
        return made.with_destination(store), source

    def test_one_that_is_too_large_is_copied_to_the_others(self) -> None:
        made, _ = self.limited(99)
        report, outcome = run(made)
        assert outcome is Outcome.FAILED
        assert report.failures[0].kind is ErrorKind.UNSUPPORTED
        assert report.failures[0].reason == (
            "100 bytes are more than the store's limit of 99 per object"
        )
        assert report.destinations[1].outcomes == {Outcome.COPIED: 1}

    def test_one_of_exactly_the_most_is_taken(self) -> None:
        made, source = self.limited(100)
        assert run(made)[1] is Outcome.COPIED
        assert source.reads == 7  # Read once, for both.


@pytest.mark.parametrize("etags", [True, False])
def test_what_has_another_size_than_listed_is_not_copied(*, etags: bool) -> None:
    made, source = lab(bytes(16 * 100))
    asked = iter([0, 1])

    def tells(meta: ObjectMeta) -> ObjectMeta:
        return replace(meta, size=meta.size + next(asked), etag=meta.etag if etags else "")

    source.tells = tells
    report, outcome = run(made)
    assert outcome is Outcome.SOURCE_CHANGED
    assert report.failures[0].kind is ErrorKind.SOURCE_CHANGED
    # Pinned by its ETag, it was read while that was asked: as far as there is memory.
    assert source.reads <= (4 if etags else 0)
    assert (tree_of(made.destinations[0]), uploads(made.destinations[0])) == ({}, [])


def test_without_etags_it_is_copied_all_the_same() -> None:
    made, source = lab()
    source.tells = lambda meta: replace(meta, etag="")
    assert run(made)[1] is Outcome.COPIED
    assert tree_of(made.destinations[0]) == {"large": LARGE}
