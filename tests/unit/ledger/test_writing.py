"""Commits, one after the other, whoever makes them."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as replaced

from airflow_multicloud.core.ledger import commits, reading, segments, writing
from airflow_multicloud.core.ledger.base import Base, base_of
from airflow_multicloud.core.ledger.commits import OpenRun, Step
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.names import COMMITS, commit_key, number_of
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ConditionKind, Digests, WriteOptions
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.replication.memory import conn_of, endpoint

from .made import commit, draft, entry, look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.state import Draft
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef


def known(end: Endpoint, prefix: str = "") -> dict[str, Entry]:
    head = reading.newest(end)
    assert head is not None
    return {one.key: one for one in head.entries(prefix)}


def test_a_bucket_without_a_ledger_has_none() -> None:
    assert reading.newest(endpoint()) is None
    assert base_of(endpoint()) == Base()


def test_each_commit_follows_on_the_one_before() -> None:
    end = endpoint()
    first = commit(end, [entry("a")]).head
    second = commit(end, [entry("b")]).head
    assert first is not None
    assert second is not None
    assert (first.commit.number, second.commit.number) == (1, 2)
    assert first.commit.previous is None
    assert second.commit.previous == first.mark
    assert reading.newest(end) == second
    assert [one.mark for one in reading.back_to(second, 1)] == [first.mark]
    assert reading.has(second, first.mark)
    assert known(end) == {"a": entry("a"), "b": entry("b")}


def test_an_unchanged_run_costs_one_small_object() -> None:
    end = endpoint()
    base = commit(end, [entry(f"{n:05}") for n in range(6000)])
    before = {meta.key for meta in end.store.list_objects(end.bucket)}
    commit(end, [], base, this=draft(step=Step.END, found=look()))
    (new,) = [m for m in end.store.list_objects(end.bucket) if m.key not in before]
    assert number_of(new.key) == 2
    assert new.size < 3000


def test_one_changed_object_costs_one_small_object() -> None:
    end = endpoint()
    base = commit(end, [entry(f"{n:05}") for n in range(6000)])
    before = {meta.key for meta in end.store.list_objects(end.bucket)}
    commit(end, [entry("00007", b"new", etag="f")], base)
    (new,) = [m for m in end.store.list_objects(end.bucket) if m.key not in before]
    assert new.size < 4000
    assert known(end)["00007"] == entry("00007", b"new", etag="f")
    assert len(known(end)) == 6000


_KEYS = st.sampled_from([f"{a}/{b:02}" for a in "xyz" for b in range(12)])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.dictionaries(_KEYS, st.booleans(), max_size=30)), max_size=8))
def test_the_state_is_what_was_committed_last(steps: list[tuple[dict[str, bool]]]) -> None:
    """Whatever was put into segments, and however often they were merged."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commits, "MOST_RECENT", 3)
        patch.setattr(segments, "ENTRIES", 4)
        end, model = endpoint(), dict[str, Entry]()
        for number, (step,) in enumerate(steps):
            changes = [
                entry(key, etag=f"{number}") if there else Entry(key, removed=True)
                for key, there in sorted(step.items())
            ]
            commit(end, changes)
            model.update((one.key, one) for one in changes)
            model = {key: one for key, one in model.items() if not one.removed}
            assert known(end) == model
            head = reading.newest(end)
            assert head is not None
            for prefix in ("", "x/", "y/0", "z/11"):
                wanted = [one for key, one in sorted(model.items()) if key.startswith(prefix)]
                assert [*head.entries(prefix)] == wanted
            assert [*head.entries(least="x/05", most="y/03")] == [
                one for key, one in sorted(model.items()) if "x/05" <= key <= "y/03"
            ]
            for key in ("x/00", "y/05", "z/11", "nowhere"):
                assert head.entry(key) == model.get(key)


def test_runs_of_segments_shrink_by_more_than_four() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commits, "MOST_RECENT", 3)
        patch.setattr(segments, "ENTRIES", 4)
        end = endpoint()
        for number in range(40):
            commit(end, [entry(f"{number * 7 % 40:02}-{n}") for n in range(5)])
            head = reading.newest(end)
            assert head is not None
            sizes = [sum(ref.count for ref in run) for run in head.commit.segments]
            assert all(a > 4 * b for a, b in pairwise(sizes))
        assert len(known(end)) == 200


def test_many_writers_at_once_lose_nothing() -> None:
    end = endpoint()
    base = base_of(end)
    errors: list[Exception] = []

    def write(number: int) -> None:
        try:
            mine = base
            for step in range(5):
                this = draft(f"t{number}", prefix=f"{number}/")
                mine = commit(end, [entry(f"{number}/{step}")], mine, this=this)
        except Exception as err:  # noqa: BLE001 - shown below, on the main thread
            errors.append(err)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(known(end)) == [f"{n}/{step}" for n in range(6) for step in range(5)]
    head = reading.newest(end)
    assert head is not None
    assert head.commit.number == 30
    assert len([*reading.back_to(head, 0)]) == 29


class _LosesAnswers(object_store.Hook):
    """Writes, and answers as an SDK does that repeats its request and meets its own object."""

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = WriteOptions(),
        *,
        digests: Digests = Digests(),
    ) -> ObjectMeta:
        super().put_object(ref, body, options, digests=digests)
        return super().put_object(ref, body, options, digests=digests)


def test_a_write_that_meets_itself_is_one_commit() -> None:
    end = endpoint(hook=_LosesAnswers)
    commit(end, [entry("a")])
    commit(end, [entry("b")])
    assert sorted(known(end)) == ["a", "b"]
    assert len([*end.store.list_objects(end.bucket, COMMITS)]) == 2


class _Unconditional(object_store.Hook):
    """A store that can't write on conditions."""

    @property
    def write_conditions(self) -> frozenset[ConditionKind]:
        return frozenset()


def test_a_store_without_conditions_has_a_ledger_too() -> None:
    end = endpoint(hook=_Unconditional)
    assert not writing.is_guarded(end)
    base = commit(end, [entry("a")])
    commit(end, [entry("b")])
    # Another was faster, and is not written over.
    commit(end, [entry("c")], base)
    assert sorted(known(end)) == ["a", "b", "c"]
    assert writing.is_guarded(endpoint())


def test_whoever_is_always_late_gives_up_as_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_TRIES", 3)
    monkeypatch.setattr(writing, "_LONGEST_WAIT", 0.0)

    class Faster(object_store.Hook):
        def put_object(  # type: ignore[no-untyped-def]
            self, ref, body, options=WriteOptions(), *, digests=Digests()
        ) -> ObjectMeta:
            if ref.key.startswith(COMMITS) and not self.busy:
                self.busy = True
                commit(replace(end, store=self), [entry("theirs")], this=draft("other"))
                self.busy = False
            return super().put_object(ref, body, options, digests=digests)

        busy = False

    end = endpoint(hook=Faster)
    with pytest.raises(StorageError, match="others were faster 3 times") as raised:
        commit(end, [entry("ours")])
    assert raised.value.kind is ErrorKind.BUSY


class TestOpenRuns:
    def open_runs(self, end: Endpoint) -> tuple[OpenRun, ...]:
        head = reading.newest(end)
        assert head is not None
        return head.commit.open_runs

    def test_a_run_is_under_way_from_its_begin_to_its_end(self) -> None:
        end = endpoint()
        commit(end, [], this=draft("one", Step.BEGIN, prefix="d/"))
        commit(end, [], this=draft("two", Step.BEGIN))
        commit(end, [entry("a")], this=draft("one", Step.PROGRESS, prefix="d/"))
        assert {run.identity.token for run in self.open_runs(end)} == {"one", "two"}
        commit(end, [], this=draft("one", Step.END, prefix="d/", found=look()))
        (left,) = self.open_runs(end)
        assert (left.identity.token, left.prefix) == ("two", "")

    def test_another_try_of_a_task_ends_the_one_before(self) -> None:
        end = endpoint()
        commit(end, [], this=draft("one", Step.BEGIN, task="copy"))
        commit(end, [], this=draft("other", Step.BEGIN, task="delete"))
        commit(end, [], this=draft("two", Step.BEGIN, task="copy", tried=2))
        assert [run.identity.token for run in self.open_runs(end)] == ["other", "two"]
        # The first try says something only now; it does not end the second one.
        commit(end, [], this=draft("one", Step.PROGRESS, task="copy"))
        assert [run.identity.token for run in self.open_runs(end)] == ["other", "two", "one"]

    @pytest.mark.parametrize(
        "other",
        [
            draft("two", Step.BEGIN, task="copy", map_index=1, tried=2),
            draft("two", Step.BEGIN, task="copy", map_index=None, tried=2),
            draft("two", Step.BEGIN, task="copy", tried=None),
            draft("two", Step.BEGIN, task="copy"),
            draft("two", Step.BEGIN, tried=2),
        ],
        ids=["mapped", "perhaps mapped", "unknown try", "same try", "no task"],
    )
    def test_what_may_go_on_beside_it_ends_nothing(self, other: Draft) -> None:
        end = endpoint()
        one = replace(other, identity=replaced(other.identity, token="one", try_number=1))
        if other.identity.map_index == 1:
            one = replace(one, identity=replaced(one.identity, map_index=0))
        if other.identity.try_number is None:
            one = replace(one, identity=replaced(one.identity, try_number=None))
        commit(end, [], this=one)
        commit(end, [], this=other)
        assert [run.identity.token for run in self.open_runs(end)] == ["one", "two"]

    def test_one_that_is_silent_for_long_is_not_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        end = endpoint()
        commit(end, [], this=draft("one", Step.BEGIN))
        monkeypatch.setattr(commits, "SILENT", type(commits.SILENT)(0))
        commit(end, [], this=draft("two", Step.BEGIN))
        assert [run.identity.token for run in self.open_runs(end)] == ["two"]


class _Unordered(object_store.Hook):
    """Lists in an order of its own, as S3's directory buckets do."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        return iter(sorted(super().list_objects(bucket, prefix), key=lambda m: hash(m.key)))


def test_the_newest_commit_is_found_in_any_order() -> None:
    end = endpoint(hook=_Unordered)
    for number in range(30):
        commit(end, [entry(f"{number}")])
    assert [*reading.numbers(end)] == [*range(30, 0, -1)]


def test_only_one_page_is_listed_where_the_newest_come_first() -> None:
    end = endpoint()
    for number in range(1, 1500):
        end.store.put_object(end.ref(commit_key(number)), b"")
    taken = 0

    class Counting(object_store.Hook):
        def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
            nonlocal taken
            for meta in super().list_objects(bucket, prefix):
                taken += 1
                yield meta

    counting = replace(end, store=Counting(conn_of(end)))
    assert next(reading.numbers(counting)) == 1499
    assert taken <= 1000


def test_what_is_no_commits_name_is_left_alone() -> None:
    end = endpoint()
    for key in (
        f"{COMMITS}x",
        f"{COMMITS}000000000001-000000000001.jsonl",
        f"{COMMITS}999999999999-000000000000.jsonl",
        f"{COMMITS}999999999998-000000000001.jsonl.tmp",
    ):
        end.store.put_object(end.ref(key), b"nothing")
    assert reading.newest(end) is None
    commit(end, [entry("a")])
    assert sorted(known(end)) == ["a"]
