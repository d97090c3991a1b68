"""Sorted files of entries: how they are written, read and merged."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core.ledger import segments
from airflow_multicloud.core.ledger.entries import Entry, write_line
from airflow_multicloud.core.ledger.names import SEGMENTS, segment_key
from airflow_multicloud.core.ledger.refs import SegmentRef
from airflow_multicloud.core.ledger.segments import Keys, compacted, merged, read, write
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import PartLimits, WriteOptions
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.replication.memory import Bare, conn_of, endpoint

from .made import entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.segments import Run
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, ObjectRef


def some(keys: Sequence[object], content: bytes = b"1") -> list[Entry]:
    return [entry(f"{key}", content) for key in keys]


def removed(*keys: str) -> list[Entry]:
    return [Entry(key, removed=True) for key in keys]


def of(end: Endpoint, run: Run) -> list[Entry]:
    return [one for ref in run for one in read(end, ref)]


class Counting(object_store.Hook):
    """Counts the segments that are read."""

    reads = 0

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        self.reads += ref.key.startswith(SEGMENTS)
        return super().get_object(ref, start=start, end=end, if_etag=if_etag)


class TestWriting:
    def test_a_segment_has_5000_entries_at_most(self) -> None:
        end = endpoint()
        found = some([f"{number:05}" for number in range(5001)])
        run = write(end, found)
        assert [(ref.count, ref.first, ref.last) for ref in run] == [
            (5000, "00000", "04999"),
            (1, "05000", "05000"),
        ]
        assert of(end, run) == found
        assert run[0].size < sum(len(write_line(one)) for one in found) / 10

    def test_it_has_fewer_where_they_are_long(self) -> None:
        """Keys that JSON makes six times as long, say: a reader takes no more than 24 MiB."""
        end = endpoint()
        found = some([f"{number:04}" + "\1" * 1000 for number in range(2300)])
        size = sum(len(write_line(one)) + 1 for one in found)
        assert size > 24 << 20
        run = write(end, found)
        assert of(end, run) == found
        assert len(run) == 2
        # The first one has as many as go into 15 MiB.
        line = size // len(found)
        assert run[0].count * line <= 15 << 20 < (run[0].count + 1) * line

    def test_it_is_what_its_reference_says(self) -> None:
        end = endpoint()
        (ref,) = write(end, some("abc"))
        body = bytes(end.store.get_object(end.ref(segment_key(ref.sha256))).read())
        assert (ref.sha256, ref.size) == (sha256_of(body), len(body))
        assert gzip.decompress(body) == b"".join(write_line(one) + b"\n" for one in some("abc"))

    def test_of_nothing_there_is_none(self) -> None:
        end = endpoint()
        assert write(end, []) == ()
        assert list(end.objects(SEGMENTS)) == []

    @pytest.mark.parametrize(
        ("kind", "passes"),
        [
            (ErrorKind.ALREADY_EXISTS, True),
            (ErrorKind.PRECONDITION_FAILED, True),
            (ErrorKind.NOT_FOUND, False),
            (ErrorKind.PERMISSION_DENIED, False),
        ],
    )
    def test_a_repeated_request_may_have_met_its_own_object(
        self, kind: ErrorKind, passes: bool
    ) -> None:
        class Refusing(object_store.Hook):
            def put_object(  # type: ignore[no-untyped-def]
                self, ref, body, options=WriteOptions(), **more
            ) -> ObjectMeta:
                super().put_object(ref, body, options, **more)
                raise StorageError("no", kind=kind)

        end = endpoint(hook=Refusing)
        if passes:
            assert of(end, write(end, some("ab"))) == some("ab")
            return
        with pytest.raises(StorageError) as caught:
            write(end, some("ab"))
        assert caught.value.kind is kind

    @pytest.mark.parametrize(
        ("limit", "most"), [(1 << 20, 1 << 20), (8 << 20, 8 << 20), (1 << 30, 8 << 20)]
    )
    def test_so_much_goes_in_one_request(self, limit: int, most: int) -> None:
        class Limited(object_store.Hook):
            @property
            def part_limits(self) -> PartLimits:
                return replace(super().part_limits, put_limit=limit)

        assert segments.largest_put(endpoint(hook=Limited)) == most
        end = endpoint()
        assert segments.largest_put(replace(end, store=Bare(conn_of(end)))) == 8 << 20


def forged(end: Endpoint, lines: bytes, **said: object) -> SegmentRef:
    """A segment with a name that fits it."""
    body = gzip.compress(lines, compresslevel=1)
    sha256 = sha256_of(body)
    end.store.put_object(end.ref(segment_key(sha256)), body)
    return changed(SegmentRef(sha256, len(body), 1, "a", "a"), **said)


class TestReading:
    @pytest.mark.parametrize(
        ("said", "why"),
        [
            ({"count": 5001}, "it is larger than a segment is"),
            ({"count": 5000}, "it has 1 lines instead of 5000"),
            ({"count": 2}, "it has 1 lines instead of 2"),
            ({"count": 0}, "it has 1 lines instead of 0"),
            ({"size": (16 << 20) + 1}, "it is larger than a segment is"),
            ({"first": "0"}, "its first or last key"),
            ({"last": "b"}, "its first or last key"),
            ({"size": 3}, "it is larger than 3 bytes"),
            ({"sha256": "0" * 64}, "it is not there, and a commit names it"),
        ],
    )
    def test_what_is_not_as_it_is_named_is_damaged(self, said: dict[str, object], why: str) -> None:
        end = endpoint()
        (good,) = some("a")
        line = write_line(good) + b"\n"
        assert [*read(end, forged(end, line))] == [good]
        assert [*read(end, forged(end, line, size=16 << 20))] == [good]
        with pytest.raises(StorageError, match=why) as caught:
            [*read(end, forged(end, line, **said))]
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_one_without_entries_is_damaged(self) -> None:
        end = endpoint()
        with pytest.raises(StorageError, match="it has 0 lines") as caught:
            [*read(end, forged(end, b"", count=0))]
        assert caught.value.kind is ErrorKind.INTEGRITY

    @pytest.mark.parametrize(
        ("size", "why"), [((24 << 20) - 1024, "it has 0 lines"), ((24 << 20) + 1024, "too large")]
    )
    def test_no_more_than_24_mib_are_unpacked(self, size: int, why: str) -> None:
        end = endpoint()
        with pytest.raises(StorageError, match=why):
            [*read(end, forged(end, b"x" * size))]

    def test_what_can_not_be_read_is_not_taken_for_damaged(self) -> None:
        class Refusing(object_store.Hook):
            def get_object(self, ref, **more) -> ObjectBody:  # type: ignore[no-untyped-def]
                raise StorageError("no", kind=ErrorKind.PERMISSION_DENIED)

        end = endpoint()
        ref = forged(end, write_line(*some("a")) + b"\n")
        with pytest.raises(StorageError) as caught:
            [*read(replace(end, store=Refusing(conn_of(end))), ref)]
        assert caught.value.kind is ErrorKind.PERMISSION_DENIED


class TestKeys:
    @pytest.mark.parametrize(
        ("keys", "inside"),
        [
            (Keys(), "a b/ b/1 b/2 b0 c"),
            (Keys("b/"), "b/ b/1 b/2"),
            (Keys("", "b/1"), "b/1 b/2 b0 c"),
            (Keys("", "", "b/1"), "a b/ b/1"),
            (Keys("b", "b/1", "b/2"), "b/1 b/2"),
            (Keys("b/", "b/1", ""), ""),
        ],
    )
    def test_which_are_among_them(self, keys: Keys, inside: str) -> None:
        every = ("a", "b/", "b/1", "b/2", "b0", "c")
        assert " ".join(key for key in every if keys.has(key)) == inside
        end = endpoint()
        run = write(end, some(every))
        assert [one.key for one in merged(end, [run], [], keys)] == inside.split()
        assert [one.key for one in merged(end, [], some(every), keys)] == inside.split()

    @pytest.mark.parametrize(
        ("keys", "first", "last", "may"),
        [
            (Keys("b/"), "a", "b/", True),
            (Keys("b/"), "a", "c", True),
            (Keys("b/"), "b/", "b/", True),
            (Keys("b/"), "b/1", "c", True),
            (Keys("b/"), "a", "b", False),
            (Keys("b/"), "b0", "c", False),
            (Keys("", "b"), "a", "b", True),
            (Keys("", "b"), "a", "a9", False),
            (Keys("b/", "b/5"), "b/1", "b/4", False),
            (Keys("b/", "b/5"), "b/1", "b/5", True),
            (Keys("b/", "a"), "a", "b", False),
            (Keys("", "", "b"), "b", "c", True),
            (Keys("", "", "b"), "b1", "c", False),
            (Keys("", "", "b"), "a", "a", True),
        ],
    )
    def test_which_segments_may_have_some(
        self, keys: Keys, first: str, last: str, may: bool
    ) -> None:
        assert keys.may_have(SegmentRef("0" * 64, 1, 1, first, last)) is may

    def test_only_segments_that_may_have_some_are_read(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(segments, "ENTRIES", 2)
        end = endpoint(hook=Counting)
        run = write(end, some(["a/1", "a/2", "b/1", "b/2", "b/3", "c/1"]))
        assert isinstance(end.store, Counting)
        for keys, reads in ((Keys("b/"), 2), (Keys("", "c"), 1), (Keys("", "", "a/1"), 1)):
            end.store.reads = 0
            assert [*merged(end, [run], [], keys)]
            assert end.store.reads == reads


_KEY = st.text("ab/", max_size=3)


@given(st.sets(_KEY, min_size=1), _KEY, _KEY, st.none() | _KEY)
def test_no_segment_is_passed_over_that_has_some(
    has: set[str], prefix: str, least: str, most: str | None
) -> None:
    keys, ref = Keys(prefix, least, most), SegmentRef("0" * 64, 1, 1, min(has), max(has))
    assert keys.may_have(ref) or not any(map(keys.has, has))


class TestMerged:
    def test_the_latest_entry_of_each_key_counts(self) -> None:
        end = endpoint()
        runs = [
            write(end, some("abcdz", b"first")),
            write(end, [*some("b", b"second"), *removed("c"), *some("e", b"second")]),
        ]
        recent = sorted([*removed("b"), *some("cf", b"third")], key=lambda one: one.key)
        assert [*merged(end, runs, recent)] == [
            *some("a", b"first"),
            *some("c", b"third"),
            *some("d", b"first"),
            *some("e", b"second"),
            *some("f", b"third"),
            *some("z", b"first"),
        ]

    def test_one_stream_passes_as_it_is(self) -> None:
        assert [*segments.newest([some("ab")])] == some("ab")
        assert [*segments.newest([])] == []
        assert [*segments.newest([some("ab"), some("b", b"2")])] == [*some("a"), *some("b", b"2")]


def sizes(runs: Sequence[Run]) -> list[int]:
    return [sum(ref.count for ref in run) for run in runs]


class TestCompacted:
    """Runs are merged until each is more than four times as large as the next."""

    @pytest.mark.parametrize(
        ("counts", "after"),
        [
            ([5, 1], [5, 1]),
            ([4, 1], [5]),
            ([20, 4, 1], [25]),
            ([26, 4, 1], [26, 5]),
            ([30, 6, 1], [30, 6, 1]),
            ([3], [3]),
            ([0, 3, 0], [3]),
            ([], []),
        ],
    )
    def test_by_their_sizes(self, counts: list[int], after: list[int]) -> None:
        end = endpoint()
        runs = [
            write(end, some([f"{key:03}-{number}" for key in range(count)]))
            for number, count in enumerate(counts)
        ]
        made = compacted(end, runs)
        assert sizes(made) == after
        assert [*merged(end, made, [])] == [*merged(end, runs, [])]

    @pytest.mark.parametrize(
        ("earlier", "later", "reads"), [("ab", "cd", 0), ("cd", "ab", 0), ("ab", "bc", 2)]
    )
    def test_runs_that_follow_each_other_are_not_written_again(
        self, monkeypatch: pytest.MonkeyPatch, earlier: str, later: str, reads: int
    ) -> None:
        monkeypatch.setattr(segments, "ENTRIES", 2)
        end = endpoint(hook=Counting)
        assert isinstance(end.store, Counting)
        runs = [write(end, some(earlier, b"1")), write(end, some(later, b"2"))]
        wanted = [*merged(end, runs, [])]
        end.store.reads = 0
        (made,) = compacted(end, runs)
        assert end.store.reads == reads
        assert of(end, made) == wanted

    def test_only_segments_that_overlap_are_written_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(segments, "ENTRIES", 2)
        end = endpoint(hook=Counting)
        assert isinstance(end.store, Counting)
        runs = [write(end, some("acegikmo", b"1")), write(end, some("ghpx", b"2"))]
        wanted = [*merged(end, runs, [])]
        end.store.reads = 0
        (made,) = compacted(end, runs)
        assert end.store.reads == 2  # eg and gh
        assert (made[0], *made[-3:]) == (runs[0][0], *runs[0][2:], runs[1][1])
        assert of(end, made) == wanted

    @pytest.mark.parametrize(("earlier", "later"), [("ab", "bc"), ("bc", "ab")])
    def test_of_a_key_that_both_have_the_later_counts(self, earlier: str, later: str) -> None:
        end = endpoint()
        (made,) = compacted(end, [write(end, some(earlier, b"1")), write(end, some(later, b"2"))])
        assert {one.key: one for one in of(end, made)}["b"] == entry("b", b"2")
        assert sizes([made]) == [3]

    def test_what_was_removed_is_forgotten_with_nothing_older_below(self) -> None:
        end = endpoint()
        runs = [write(end, some("abc")), write(end, removed("b", "d"))]
        (made,) = compacted(end, runs)
        assert of(end, made) == some("ac")
        assert compacted(end, [write(end, some("ab")), write(end, removed("a", "b"))]) == ()

    def test_and_kept_where_an_older_run_may_have_it(self) -> None:
        end = endpoint()
        old = write(end, some([f"{number:02}" for number in range(20)]))
        runs = [old, write(end, some(["01", "30"])), write(end, removed("02", "30"))]
        first, second = compacted(end, runs)
        assert first == old
        assert of(end, second) == [*some(["01"]), *removed("02", "30")]

    @pytest.mark.parametrize("which", [0, 1, 2])
    def test_a_damaged_run_stays_as_it_is(self, which: int) -> None:
        """Others' entries can still be committed; who reads this one will say so."""
        end = endpoint()
        runs = [
            write(end, some([f"{number:02}" for number in range(20)])),
            write(end, some(["01", "03"])),
            write(end, some(["02", "04"])),
        ]
        end.store.put_object(end.ref(segment_key(runs[which][0].sha256)), b"junk")
        made = compacted(end, runs)
        if which == 0:  # It was not to be merged.
            assert sizes(made) == [20, 4]
        else:
            assert made == tuple(runs)

    def test_a_store_that_refuses_is_no_damage(self) -> None:
        class Refusing(object_store.Hook):
            def get_object(self, ref, **more) -> ObjectBody:  # type: ignore[no-untyped-def]
                raise StorageError("no", kind=ErrorKind.PERMISSION_DENIED)

        end = endpoint()
        runs = [write(end, some("ac")), write(end, some("bd"))]
        with pytest.raises(StorageError) as caught:
            compacted(replace(end, store=Refusing(conn_of(end))), runs)
        assert caught.value.kind is ErrorKind.PERMISSION_DENIED
