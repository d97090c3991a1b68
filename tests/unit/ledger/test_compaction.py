"""Runs of segments that are merged have the same entries as before, in few segments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_multicloud.core.ledger import commits, segments
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.names import segment_key
from airflow_multicloud.core.ledger.segments import Run, compacted, read, write
from airflow_multicloud.errors import ErrorKind, StorageError
from tests.unit.replication.memory import endpoint

from .made import commit, entry

#: Beside letters: where UTF-16 would sort otherwise than UTF-8, and a key that begins as another.
_KEYS = st.sampled_from(["a", "aa", "b", "c", "d", "e", "f", "é", "\uffee", "\U00010000", "😀"])
_RUNS = st.lists(
    st.tuples(st.dictionaries(_KEYS, st.booleans(), min_size=1), st.integers(1, 3)),
    min_size=1,
    max_size=5,
)


@contextmanager
def segments_of(most: int) -> Iterator[None]:
    """So many entries in one segment."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(segments, "ENTRIES", most)
        yield


def entries_in(made: list[tuple[dict[str, bool], int]]) -> list[tuple[list[Entry], int]]:
    """Of each run the entries by key, and how many go into a segment; ``False``: removed."""
    return [
        (
            [
                entry(key, f"{number}".encode()) if there else Entry(key, removed=True)
                for key, there in sorted(keys.items())
            ],
            most,
        )
        for number, (keys, most) in enumerate(made)
    ]


@settings(max_examples=50, deadline=None)
@given(_RUNS, st.integers(1, 4))
def test_nothing_is_lost_or_comes_back(made: list[tuple[dict[str, bool], int]], most: int) -> None:
    end, after, newest = endpoint(), tuple[Run, ...](), dict[str, Entry]()
    for found, per_segment in entries_in(made):
        with segments_of(per_segment):
            fresh = write(end, found)
        with segments_of(most):
            after = compacted(end, (*after, fresh))
            assert compacted(end, after) == after  # There is nothing left to do.
        newest.update({one.key: one for one in found})
        wanted = [one for _, one in sorted(newest.items()) if not one.removed]
        assert [*segments.merged(end, after, ())] == wanted
        sizes = [sum(ref.count for ref in run) for run in after]
        assert all(older > 4 * newer for older, newer in pairwise(sizes))
        for run in after:
            keys = [one.key for ref in run for one in read(end, ref)]
            assert keys == sorted(set(keys))


@settings(max_examples=50, deadline=None)
@given(_RUNS, st.data())
def test_a_damaged_segment_never_takes_others_with_it(
    made: list[tuple[dict[str, bool], int]], data: st.DataObject
) -> None:
    end, runs = endpoint(), list[Run]()
    for found, per_segment in entries_in(made):
        with segments_of(per_segment):
            runs.append(write(end, found))
    lost = data.draw(st.sampled_from([ref for run in runs for ref in run]))
    end.store.put_object(end.ref(segment_key(lost.sha256)), b"junk")
    with segments_of(2):
        after = compacted(end, runs)
    assert lost in [ref for run in after for ref in run]  # Who reads it will say so.
    for ref in (ref for run in after for ref in run if ref != lost):
        assert [*read(end, ref)]
    with pytest.raises(StorageError) as caught:
        [*segments.merged(end, after, ())]
    assert caught.value.kind is ErrorKind.INTEGRITY


@pytest.mark.parametrize("step", [1, -1, 37], ids=["ascending", "descending", "scattered"])
def test_many_small_commits_leave_few_segments(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Uploads one by one, say: every commit names all segments, and a look-up reads few."""
    monkeypatch.setattr(segments, "ENTRIES", 50)
    monkeypatch.setattr(commits, "MOST_RECENT", 1)
    end, base, most = endpoint(), None, 0
    keys = [f"{number * step % 500:03}" for number in range(500)]
    for key in keys:
        base = commit(end, [entry(key)], base)
        assert base.head is not None
        most = max(most, sum(map(len, base.head.commit.segments)))
    assert base is not None
    assert base.head is not None
    assert [one.key for one in base.head.entries()] == sorted(keys)
    assert len(base.head.commit.segments) <= 5
    assert most <= 3 * 500 // 50  # 250, were small ones never joined.
