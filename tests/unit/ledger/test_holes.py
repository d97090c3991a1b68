"""How much a ledger may lose, and which keys that are; also where somebody has made it up."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.core.ledger import commits, mending, reading, segments
from airflow_multicloud.core.ledger.base import base_of
from airflow_multicloud.core.ledger.commits import Step
from airflow_multicloud.core.ledger.mending import Holes
from airflow_multicloud.core.ledger.names import commit_key, segment_key
from airflow_multicloud.core.ledger.refs import SegmentRef
from airflow_multicloud.core.ledger.segments import Keys
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.ports.object_store import WriteOptions
from tests.unit.replication.memory import endpoint

from .made import commit, draft, entry, look

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint


def ref(first: str, last: str, number: int = 0) -> SegmentRef:
    return SegmentRef(f"{number:064x}", 100, 1, first, last)


def test_which_keys_are_lost() -> None:
    """The ranges may meet, and lie within each other."""
    chosen = random.Random(5)
    for _ in range(300):
        refs = [
            ref(f"{first:02}", f"{first + chosen.randrange(9):02}")
            for first in chosen.choices(range(30), k=chosen.randrange(8))
        ]
        half = len(refs) // 2
        holes = Holes().with_more(refs[:half]).with_more(refs[half:])
        assert holes.count == len(refs)
        lost = {f"{n:02}" for one in refs for n in range(int(one.first), int(one.last) + 1)}
        for n in range(30):
            key = f"{n:02}"
            assert holes.has(key, key) is (key in lost)
            for more in (0, 1, 5):
                last = f"{n + more:02}"
                asked = {f"{n + m:02}" for m in range(more + 1)}
                assert holes.meet(ref(key, last)) is bool(asked & lost)
                assert asked <= lost or not holes.has(key, last)
        for prefix in ("", "0", "1", "2", "07", "11", "3"):
            there = any(Keys(prefix).may_have(one) for one in refs)
            assert holes.may_be_below(prefix) is there


@pytest.mark.parametrize("most", [2, 3])
def test_with_too_many_lost_segments_the_ledger_is_started_over(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "MOST_RECENT", 1)
    monkeypatch.setattr(segments, "ENTRIES", 2)
    monkeypatch.setattr(mending, "MOST", most)
    end = endpoint("")
    base = commit(end, [entry(f"{place}/{n}") for place in "abcd" for n in range(2)])
    assert base.head is not None
    for one in base.head.commit.segments[0][:3]:
        end.store.delete_object(end.ref(segment_key(one.sha256)))
    base = base_of(end).without_unreadable("", "why")
    assert (base.damaged is not None) is (most == 2)
    made = commit(end, [], base)
    assert [one.key for one in made.entries("")] == ([] if most == 2 else ["d/0", "d/1"])


def across(runs: int, count: int) -> tuple[tuple[SegmentRef, ...], ...]:
    """Each segment of a run meets two of the one before it."""
    return tuple(
        tuple(
            ref(f"d/{2 * n + run % 2:06}", f"d/{2 * n + run % 2 + 1:06}", run * count + n)
            for n in range(count)
        )
        for run in range(runs)
    )


def forge(runs: int) -> Endpoint:
    """A ledger that names sixteen thousand segments which are not there, and thousands of looks."""
    end = endpoint("")
    base = commit(end, [], this=draft(step=Step.END, prefix="d/", found=look("d/")))
    head = base.head
    assert head is not None
    (found,) = head.commit.looks
    forged = changed(
        head.commit,
        number=2,
        previous=head.mark,
        looks=tuple(changed(found, prefix=f"e/{n}/") for n in range(5000)),
        segments=across(runs, 16_000 // runs),
    )
    line = commits.write(forged) + b"\n"
    put_stream(end, commit_key(2), [line], WriteOptions(), part_size=segments.largest_put(end))
    return end


@pytest.mark.parametrize("prefix", ["d/", "d/000100"])
@pytest.mark.parametrize("runs", [1, 2, 64])
def test_a_forged_list_of_missing_segments_takes_no_time(runs: int, prefix: str) -> None:
    end = forge(runs)
    started = time.monotonic()
    commit(end, [entry("d/a")], base_of(end).without_unreadable(prefix, "why"))
    assert time.monotonic() - started < 5
    newest = reading.newest(end)
    assert newest is not None
    few = prefix != "d/"
    assert len(newest.commit.looks) == (5000 if few else 0)
    assert (newest.commit.restarted is None) is few


def test_nor_does_one_in_which_what_is_lost_grows() -> None:
    end = forge(16)
    base = base_of(end)
    assert base.head is not None
    few = base.head.commit.segments[-1][::10]
    assert len(few) == 100
    started = time.monotonic()
    assert base.without(few[:10], "why").partly == "why"
    assert base.without(few, "why").damaged == "why"
    assert time.monotonic() - started < 5
