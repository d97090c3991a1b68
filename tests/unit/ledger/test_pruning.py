"""Old commits go, and segments that nobody names; nothing that is needed does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.ledger import pruning, reading
from airflow_multicloud.core.ledger.base import base_of
from airflow_multicloud.core.ledger.commits import MOST_RECENT
from airflow_multicloud.core.ledger.names import COMMITS, SEGMENTS, commit_key, number_of
from airflow_multicloud.core.ledger.pruning import Retention
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import WriteOptions
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.replication.memory import endpoint

from .made import commit, entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta

DAY = timedelta(days=1)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
FEW = Retention(keep_commits=2, keep_days=30)


class Aged(object_store.Hook):
    """Commits and segments that were written so many days ago."""

    days: Mapping[str, float]

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        for meta in super().list_objects(bucket, prefix):
            age = self.days.get(meta.key)
            yield replace(meta, last_modified=NOW - age * DAY) if age is not None else meta


def aged(end: Endpoint, ages: Mapping[str, float]) -> Endpoint:
    assert isinstance(end.store, Aged)
    end.store.days = ages
    return end


def ledger(*days: float) -> Endpoint:
    """A ledger whose commits are so many days old, the first one first."""
    end = aged(endpoint("", Aged), {})
    for number in range(len(days)):
        commit(end, [entry(f"{number:03}")])
    return aged(end, {commit_key(number + 1): age for number, age in enumerate(days)})


def old(end: Endpoint, retention: Retention = FEW) -> list[int | None]:
    return [number_of(meta.key) for meta in pruning.old_commits(end, retention, NOW)]


def test_the_newest_are_kept_however_old_they_are() -> None:
    assert old(ledger(400, 300, 200, 100)) == [1, 2]
    assert old(ledger(400, 300)) == []
    assert old(endpoint("", Aged)) == []


def test_what_was_the_newest_lately_is_kept_however_many_there_are() -> None:
    # Commit 1 was the newest until 31 days ago, commit 2 until 29 days ago.
    assert old(ledger(90, 31, 29, 3, 2, 1)) == [1]
    assert old(ledger(90, 30, 29, 3, 2, 1)) == [1]
    assert old(ledger(90, 29, 28, 3, 2, 1)) == []


def test_the_newest_commit_always_stays() -> None:
    assert old(ledger(400, 300), Retention(keep_commits=1, keep_days=30)) == [1]
    assert old(ledger(400), Retention(keep_commits=1, keep_days=30)) == []


def test_as_many_are_kept_as_is_said() -> None:
    found = old(ledger(*range(500, 400, -1)), Retention(keep_commits=7, keep_days=30))
    assert found == [*range(1, 94)]
    # Of the number and the days, what keeps more counts.
    assert old(ledger(100, 80, 60, 40, 20), Retention(keep_commits=4, keep_days=70)) == [1]
    assert old(ledger(100, 80, 60, 40, 20), Retention(keep_commits=2, keep_days=70)) == [1]
    assert old(ledger(100, 80, 60, 40, 20), Retention(keep_commits=2, keep_days=50)) == [1, 2]


def test_a_hundred_commits_and_ninety_days_are_kept_unless_said_otherwise() -> None:
    assert Retention() == Retention(keep_commits=100, keep_days=90)
    assert Retention(keep_commits=1, keep_days=30).keep_days == 30


def test_what_is_no_commit_is_not_counted() -> None:
    end = ledger(400, 300, 200)
    for name in ("000000000000-x.jsonl", "999999999999-000000000000.jsonl"):
        end.store.put_object(end.ref(f"{COMMITS}{name}"), b"")
    assert old(end) == [1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"keep_commits": 0}, "keep_commits: 0 given, expected at least 1"),
        ({"keep_days": 29}, "keep_days: 29 given, expected at least 30"),
    ],
)
def test_too_little_is_refused(given: dict[str, int], message: str) -> None:
    with pytest.raises(StorageError, match=message) as caught:
        Retention(**given)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def with_segments() -> tuple[Endpoint, list[str]]:
    """A ledger of three commits, of which each names one segment of its own."""
    end = aged(endpoint("", Aged), {})
    for start in range(3):
        commit(end, [entry(f"{n:05}", b"%d" % start) for n in range(MOST_RECENT + 1)])
    named = [
        one.commit.segments[0][0].sha256
        for one in (reading.at(end, number) for number in (1, 2, 3))
    ]
    # Each commit names its own one only.
    assert len(set(named)) == 3
    return end, [f"{SEGMENTS}{sha256}.jsonl.gz" for sha256 in named]


def unnamed(end: Endpoint, *but: int, before: datetime = NOW) -> list[str]:
    keys = {commit_key(number) for number in but}
    found = pruning.unnamed_segments(end, but=keys, before=before, now=NOW)
    return sorted(meta.key for meta in found)


def test_segments_go_with_the_commits_that_named_them() -> None:
    end, (first, second, third) = with_segments()
    aged(end, dict.fromkeys([first, second, third], 10))
    assert unnamed(end) == []
    assert unnamed(end, 1) == [first]
    assert unnamed(end, 1, 2) == sorted([first, second])
    # Whichever do not count, all others are read.
    assert unnamed(end, 3) == [third]
    assert unnamed(end, 2, 3) == sorted([second, third])


def test_a_segment_that_a_run_may_be_about_to_name_stays() -> None:
    end, (first, second, third) = with_segments()
    aged(end, {first: 0.9, second: 1.1, third: 10})
    assert unnamed(end, 1, 2) == [second]
    assert unnamed(end, 1, 2, before=NOW - 2 * DAY) == []


def test_a_segment_stays_for_a_day() -> None:
    end, (first, second, third) = with_segments()
    aged(end, {first: 1, second: 1.01, third: 1.01})
    assert unnamed(end, 1, 2, 3) == sorted([second, third])
    # Of the day, and what the caller says, what is earlier counts.
    assert unnamed(end, 1, 2, 3, before=NOW - 1.01 * DAY) == []
    assert unnamed(end, 1, 2, 3, before=NOW + 5 * DAY) == sorted([second, third])


def test_what_is_no_segment_or_no_commit_is_left_alone() -> None:
    end, named = with_segments()
    for key in (f"{SEGMENTS}x.jsonl.gz", f"{COMMITS}0", f"{COMMITS}x"):
        end.store.put_object(end.ref(key), b"")
    aged(end, dict.fromkeys([*named, f"{SEGMENTS}x.jsonl.gz"], 10))
    assert unnamed(end) == []
    assert unnamed(end, 1) == [named[0]]


def test_commits_are_read_only_as_far_as_segments_are_looked_for() -> None:
    """With thousands of commits each is a request."""

    class Counting(Aged):
        reads = 0

        def get_object(self, ref, **more) -> ObjectBody:  # type: ignore[no-untyped-def]
            self.reads += 1
            return super().get_object(ref, **more)

    end, (first, second, third) = with_segments()
    end.store.__class__ = Counting
    assert isinstance(end.store, Counting)
    # The newest commit names it, and is the first in the listing.
    for key, reads in ((third, 1), (second, 2), (first, 3)):
        end.store.reads = 0
        aged(end, {third: 0.5, second: 0.5, first: 0.5} | {key: 10})
        assert unnamed(end) == []
        assert end.store.reads == reads
    end.store.reads = 0
    aged(end, dict.fromkeys([first, second, third], 0.5))
    assert unnamed(end) == []
    assert end.store.reads == 0


def test_what_a_killed_run_left_goes() -> None:
    end, named = with_segments()
    left = f"{SEGMENTS}{'a' * 64}.jsonl.gz"
    end.store.put_object(end.ref(left), b"", WriteOptions())
    aged(end, dict.fromkeys([*named, left], 10))
    assert unnamed(end) == [left]


def test_no_segment_goes_while_a_commit_can_not_be_read() -> None:
    end, named = with_segments()
    aged(end, dict.fromkeys(named, 10))
    end.store.put_object(end.ref(commit_key(2)), b"junk", WriteOptions())
    with pytest.raises(StorageError) as caught:
        unnamed(end, 1)
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_nor_while_the_store_refuses_to_tell() -> None:
    end, named = with_segments()
    aged(end, dict.fromkeys(named, 10))

    class Refusing(Aged):
        def get_object(self, ref, **more) -> ObjectBody:  # type: ignore[no-untyped-def]
            raise StorageError("no", kind=ErrorKind.PERMISSION_DENIED)

    end.store.__class__ = Refusing
    with pytest.raises(StorageError) as caught:
        unnamed(end)
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_commit_that_another_cleanup_has_just_deleted_names_nothing(number: int) -> None:
    end, named = with_segments()
    aged(end, dict.fromkeys(named, 10))
    listed = list(end.objects(COMMITS))
    end.store.delete_object(end.ref(commit_key(number)))

    class Late(Aged):
        def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
            return iter(listed) if prefix == COMMITS else super().list_objects(bucket, prefix)

    end.store.__class__ = Late
    assert unnamed(end) == [named[number - 1]]


def test_a_segment_is_never_written_twice() -> None:
    """Else one that is unnamed could be deleted while a run relies on its being there."""
    one, other = endpoint(""), endpoint("")
    entries = [entry(f"{n:05}") for n in range(MOST_RECENT + 1)]
    heads = [base_of(end) for end in (one, other) if commit(end, entries)]
    named = {ref.sha256 for base in heads if base.head for ref in base.head.commit.segments[0]}
    assert len(named) == 2
