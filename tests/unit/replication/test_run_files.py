"""The files of a run whose work is split into shards."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication import run_files
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.run_files import Plan
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import endpoint, own

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RUNS = ".airflow-multicloud/runs/"
PLAN = Plan(plan=1, started=NOON, shards=2, replica="copy/", token="0" * 32)
ITEMS = [Item(name, 1, "etag", None, NOON, (Replica(),)) for name in ("a", "b", "c")]


def content(home: Endpoint, name: str) -> bytes:
    return bytes(home.store.get_object(home.ref(f"{RUNS}r/{name}")).read())


def test_what_they_are_called() -> None:
    home = endpoint("copy/")
    assert run_files.shard(7) == "shard-00007.jsonl"
    assert run_files.done("shard-00007.jsonl") == "shard-00007.done.jsonl"
    assert run_files.directory("r") == f"{RUNS}r/"
    place = home.location.with_key(f"{RUNS}r/x")
    assert run_files.uri(home, "r", "x") == str(place)


class TestPlan:
    def test_it_is_read_as_it_was_written(self) -> None:
        home = endpoint("copy/")
        run_files.write_plan(home, "r", PLAN)
        assert run_files.read_plan(home, "r") == PLAN
        with pytest.raises(StorageError) as raised:
            run_files.read_plan(home, "other")
        assert raised.value.kind is ErrorKind.NOT_FOUND

    @pytest.mark.parametrize(
        ("changed", "kind"),
        [
            ({"plan": 2}, ErrorKind.UNSUPPORTED),
            ({"plan": 0}, ErrorKind.UNSUPPORTED),
            ({"shards": -1}, ErrorKind.INTEGRITY),
            ({"shards": 1025}, ErrorKind.INTEGRITY),
            ({"token": "0" * 31}, ErrorKind.INTEGRITY),
            ({"token": "G" * 32}, ErrorKind.INTEGRITY),
            ({"started": "2026-01-01T12:00:00"}, ErrorKind.INTEGRITY),
        ],
    )
    def test_one_that_cant_be_is_refused(self, changed: dict[str, object], kind: ErrorKind) -> None:
        home = endpoint("copy/")
        document = msgspec.to_builtins(PLAN) | changed
        home.store.put_object(home.ref(f"{RUNS}r/plan.json"), msgspec.json.encode(document))
        with pytest.raises(StorageError) as raised:
            run_files.read_plan(home, "r")
        assert raised.value.kind is kind

    @pytest.mark.parametrize("shards", [0, 1024])
    def test_as_many_shards_as_a_task_can_be_mapped_over(self, shards: int) -> None:
        home = endpoint("copy/")
        plan = Plan(plan=1, started=NOON, shards=shards, replica="copy/", token="0" * 32)
        run_files.write_plan(home, "r", plan)
        assert run_files.read_plan(home, "r").shards == shards == min(shards, run_files.MAX_SHARDS)


class TestItems:
    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_they_are_read_as_they_were_written(self, count: int) -> None:
        home = endpoint("copy/")
        written = run_files.write_items(home, "r", "x", iter(ITEMS[:count]))
        assert written.lines == count
        assert written.sha256 == hashlib.sha256(content(home, "x")).hexdigest()
        assert content(home, "x").count(b"\n") == count + 1
        read = run_files.read_items(home, "r", "x", sha256=written.sha256)
        assert list(read) == ITEMS[:count]
        assert list(run_files.read_items(home, "r", "x")) == ITEMS[:count]

    def test_another_file_than_was_planned_is_refused_once_it_was_read(self) -> None:
        home = endpoint("copy/")
        planned = run_files.write_items(home, "r", "x", ITEMS)
        run_files.write_items(home, "r", "x", ITEMS[:2])
        read = run_files.read_items(home, "r", "x", sha256=planned.sha256)
        assert [next(read), next(read)] == ITEMS[:2]
        with pytest.raises(StorageError, match="changed after it had been planned") as raised:
            next(read)
        assert raised.value.kind is ErrorKind.INTEGRITY

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"", ErrorKind.INTEGRITY),
            (b"{}\n", ErrorKind.INTEGRITY),
            (b'{"lines":2}\n', ErrorKind.UNSUPPORTED),
            (b'{"lines":1}\n{}\n', ErrorKind.INTEGRITY),
            (b'{"lines":1}', ErrorKind.INTEGRITY),
        ],
    )
    def test_a_damaged_file_is_refused(self, body: bytes, kind: ErrorKind) -> None:
        home = endpoint("copy/")
        home.store.put_object(home.ref(f"{RUNS}r/x"), body)
        with pytest.raises(StorageError) as raised:
            list(run_files.read_items(home, "r", "x"))
        assert raised.value.kind is kind


def test_all_files_of_all_runs_are_found() -> None:
    home = endpoint("copy/")
    run_files.write_plan(home, "r", PLAN)
    run_files.write_items(home, "r", "x", [])
    run_files.write_plan(home, "other", PLAN)
    found = [(run, meta.key) for run, meta in run_files.left_by_runs(home)]
    assert found == [
        ("other", f"{RUNS}other/plan.json"),
        ("r", f"{RUNS}r/plan.json"),
        ("r", f"{RUNS}r/x"),
    ]


class TestWhereARunLies:
    """A run is everybody's, or of the prefix that it replicates to."""

    @staticmethod
    def at(home: Endpoint, key: str) -> Endpoint:
        return replace(home, location=home.location.with_key(key))

    def test_by_its_plan(self) -> None:
        home = endpoint("copy/")
        run_files.write_plan(home, "r", PLAN)
        for key, below in (("", True), ("copy/", True), ("copy/a/", False), ("other/", False)):
            assert run_files.lies_below(self.at(home, key), "r") is below

    @pytest.mark.parametrize("body", [None, b"damaged", b'{"plan":2}'])
    def test_without_a_plan_that_can_be_read(self, body: bytes | None) -> None:
        home = endpoint("copy/")
        if body is not None:
            home.store.put_object(home.ref(f"{RUNS}r/plan.json"), body)
        assert run_files.lies_below(self.at(home, ""), "r")
        assert not run_files.lies_below(home, "r")

    def test_what_cant_be_looked_at_is_not_guessed(self) -> None:
        class Busy(object_store.Hook):
            def get_object(self, ref, **limits):  # type: ignore[no-untyped-def]
                raise StorageError("busy", kind=ErrorKind.BUSY)

        with pytest.raises(StorageError, match="busy"):
            run_files.lies_below(endpoint("copy/", Busy), "r")


def test_the_plan_goes_first_and_other_runs_stay() -> None:
    deleted: list[str] = []

    class Noting(object_store.Hook):
        def delete_object(self, ref, **more):  # type: ignore[no-untyped-def]
            deleted.append(ref.key)
            super().delete_object(ref, **more)

    home = endpoint("copy/", Noting)
    for name in ("a", "z"):
        run_files.write_items(home, "r", name, ITEMS)
    run_files.write_plan(home, "r", PLAN)
    run_files.write_plan(home, "r2", PLAN)
    run_files.tidy(home, "r")
    assert deleted == [f"{RUNS}r/plan.json", f"{RUNS}r/a", f"{RUNS}r/z"]
    assert own(home, "runs/") == [f"{RUNS}r2/plan.json"]
