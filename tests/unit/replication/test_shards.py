"""A replication in shards: planned once, copied by many tasks, closed by what is there then."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.ledger.commits import Step
from airflow_multicloud.core.replication import run_files, shards
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.freshness import freshness
from airflow_multicloud.core.replication.options import CompareAttributes, ObjectFilter, OnError
from airflow_multicloud.core.replication.verification import verify
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.ledger.made import commit, draft

from .memory import SMALL, Unversioned, World, conn_of, fill, ledger, own, tree_of, world

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.replication.options import ReplicationOptions
    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

TREE = {"a": b"1", "b": b"2", "c": b"3"}
#: Attributes of what was written a moment ago would be looked at once more.
CONTENT = replace(SMALL, compare_attributes=CompareAttributes.NEVER)


class Sharded:
    """One run in shards, step by step."""

    def __init__(
        self, lab: World, options: ReplicationOptions = SMALL, *, run_id: str = "r", most: int = 2
    ) -> None:
        self.lab, self.options, self.run_id, self.most = lab, options, run_id, most

    def plan(self) -> shards.ShardedPlan:
        self.planned = shards.plan_shards(
            self.lab.replication(self.options), shards=self.most, run_id=self.run_id
        )
        return self.planned

    def copy(self, *uris: str) -> list[dict[str, Any]]:
        return [
            shards.replicate_shard(
                self.lab.replication(self.options), run_id=self.run_id, shard=uri
            )
            for uri in uris or self.planned.shards
        ]

    def close(self) -> ReplicationReport:
        return shards.close_shards(self.lab.replication(self.options), run_id=self.run_id)

    def up_to_close(self) -> Sharded:
        self.plan()
        self.copy()
        return self


def outcomes(report: ReplicationReport) -> list[dict[str, int]]:
    return [{str(o): n for o, n in one.outcomes.items()} for one in report.destinations]


def names(lab: World, uri: str) -> str:
    """What a shard is to copy."""
    name = uri.rpartition("/")[2].partition("#")[0]
    items = run_files.read_items(lab.destinations[0], "r", name)
    return "".join(item.name for item in items)


def put(end: Endpoint, name: str, content: bytes) -> None:
    end.store.put_object(end.ref(end.key_of(name)), content)


def delete(end: Endpoint, name: str) -> None:
    end.store.delete_object(end.ref(end.key_of(name)))


class TestPlan:
    @pytest.mark.parametrize("number", [-1, 0, 1025])
    def test_a_number_that_is_no_number_of_shards_is_refused(self, number: int) -> None:
        with pytest.raises(StorageError, match=f"^shards: {number} given, expected 1 to 1024$"):
            shards.plan_shards(world(TREE).replication(), shards=number, run_id="r")

    @pytest.mark.parametrize("number", [3, 1024])
    def test_there_are_no_more_shards_than_objects(self, number: int) -> None:
        run = Sharded(world(TREE), most=number)
        plan = run.plan()
        assert (plan.run_id, plan.objects, plan.to_copy) == ("r", 3, 3)
        assert [names(run.lab, uri) for uri in plan.shards] == ["a", "b", "c"]

    def test_one_shard_has_all(self) -> None:
        run = Sharded(world(TREE), most=1)
        assert [names(run.lab, uri) for uri in run.plan().shards] == ["abc"]

    def test_shards_are_of_about_equal_weight(self) -> None:
        equal = Sharded(world(dict.fromkeys("abcdef", b"1")))
        assert [names(equal.lab, uri) for uri in equal.plan().shards] == ["abc", "def"]
        large = Sharded(world({"a": bytes(1 << 20), **dict.fromkeys("bcde", b"1")}))
        assert [names(large.lab, uri) for uri in large.plan().shards] == ["a", "bcde"]
        last = Sharded(world({**dict.fromkeys("abcd", b"1"), "e": bytes(1 << 20)}))
        assert [names(last.lab, uri) for uri in last.plan().shards] == ["abcde"]

    def test_only_what_is_to_do_is_in_shards(self) -> None:
        lab = world(TREE, destinations=2)
        replicate(lab.replication())
        fill(lab.source, {"b": b"new", "d": b"4"})
        run = Sharded(lab, CONTENT, most=9)
        plan = run.plan()
        assert (plan.objects, plan.to_copy) == (4, 2)
        assert [names(lab, uri) for uri in plan.shards] == ["b", "d"]
        for end in lab.destinations:
            assert ledger(end).commit.step is Step.BEGIN
            (open_run,) = ledger(end).commit.open_runs
            assert (open_run.identity.run_id, open_run.prefix) == ("r", "copy/")

    def test_empty_objects_are_something_to_do(self) -> None:
        lab = world({"empty": b""})
        assert Sharded(lab).plan().to_copy == 1
        assert ledger(lab.destinations[0]).commit.step is Step.BEGIN

    def test_with_nothing_to_do_no_ledger_says_that_something_begins(self) -> None:
        lab = world(TREE)
        replicate(lab.replication())
        before = ledger(lab.destinations[0]).mark
        run = Sharded(lab, CONTENT)
        plan = run.plan()
        assert (plan.shards, plan.objects, plan.to_copy) == ((), 3, 0)
        assert ledger(lab.destinations[0]).mark == before
        assert outcomes(run.close()) == [{"unchanged": 3}]

    def test_what_an_earlier_plan_left_does_not_count(self) -> None:
        run = Sharded(world(TREE), most=3).up_to_close()
        lab = run.lab
        for name in TREE:
            delete(lab.destinations[0], name)
        run.plan()
        assert [key for key in own(lab.destinations[0], "runs/") if ".done." in key] == []
        with pytest.raises(ReplicationFailedError, match="did not finish"):
            run.close()

    def test_a_bucket_is_created_when_it_is_planned_and_never_later(self) -> None:
        lab = world(TREE, destinations=2)
        location = replace(lab.destinations[1].location, bucket="new")
        ends = (lab.destinations[0], replace(lab.destinations[1], location=location))
        run = Sharded(replace(lab, destinations=ends), replace(SMALL, create_buckets=True))
        run.up_to_close()
        elsewhere = replace(ends[1], location=replace(location, bucket="other"))
        run.lab = replace(lab, destinations=(ends[0], elsewhere))
        for step in (run.copy, run.close):
            with pytest.raises(StorageError, match=r"^destinations\[1\]: .*no bucket 'other'"):
                step()

    def test_all_tasks_of_a_run_are_one_try_of_it(self) -> None:
        lab = world(TREE)
        run = Sharded(lab).up_to_close()
        token = ledger(lab.destinations[0]).commit.identity.token
        run.close()
        assert ledger(lab.destinations[0]).commit.identity.token == token
        assert ledger(lab.destinations[0]).commit.open_runs == ()

    def test_a_single_object_is_replicated_too(self) -> None:
        lab = world(TREE)
        one = replace(lab.source, location=lab.source.location.with_key("data/b"))
        run = Sharded(replace(lab, source=one)).up_to_close()
        assert outcomes(run.close()) == [{"copied": 1}]
        assert tree_of(lab.destinations[0]) == {"b": b"2"}


class Failing(object_store.Hook):
    """Refuses one object."""

    name = "b"

    def put_object(self, ref: ObjectRef, *given: Any, **named: Any) -> ObjectMeta:
        if ref.key == f"copy/{self.name}":
            raise StorageError("not today", kind=ErrorKind.TIMEOUT)
        return super().put_object(ref, *given, **named)


def failing(lab: World, index: int = 0) -> World:
    return lab.with_destination(Failing(conn_of(lab.destinations[index])), index)


class TestCopy:
    def test_counts_what_the_shard_has(self) -> None:
        run = Sharded(world(TREE, destinations=2), most=1)
        run.plan()
        expected = {
            "shard": "shard-00000.jsonl",
            "objects": 3,
            "bytes": 3,
            "failures": 0,
            "bytes_read": 3,
            "closed": False,
        }
        assert run.copy() == [expected]
        assert run.copy() == [{**expected, "bytes_read": 0}]  # They are there by now.
        run.close()
        nothing = dict.fromkeys(("objects", "bytes", "failures", "bytes_read"), 0)
        assert run.copy() == [{**expected, **nothing, "closed": True}]

    def test_a_failure_is_counted_and_told_when_the_run_is_closed(self) -> None:
        run = Sharded(failing(world(TREE, destinations=2)), most=1)
        run.plan()
        (done,) = run.copy()
        assert (done["objects"], done["failures"]) == (3, 1)
        told = run_files.read_items(run.lab.destinations[0], "r", "shard-00000.done.jsonl")
        assert [item.name for item in told] == ["b"]
        with pytest.raises(ReplicationFailedError) as raised:
            run.close()
        assert outcomes(raised.value.report) == [{"copied": 2, "failed": 1}, {"copied": 3}]
        (failure,) = raised.value.report.failures
        assert (failure.name, failure.kind, failure.reason) == ("b", "timeout", "not today")
        assert own(run.lab.destinations[0], "runs/") != []  # So that it can be tried again.

    def test_what_failed_is_tried_again(self) -> None:
        lab = world(TREE, destinations=2)
        run = Sharded(failing(lab), most=1)
        run.up_to_close()
        run.lab = lab
        (done,) = run.copy()
        assert (done["failures"], done["bytes_read"]) == (0, 1)
        assert outcomes(run.close()) == [{"copied": 3}] * 2
        assert own(lab.destinations[0], "runs/") == []

    @pytest.mark.parametrize("shard", ["", "mem://lab/shard-00000.jsonl", "shard-00000.jsonl#sha="])
    def test_only_a_shard_of_the_plan_is_copied(self, shard: str) -> None:
        run = Sharded(world(TREE))
        run.plan()
        with pytest.raises(StorageError, match=r"^shard: .* expected one of the plan's") as raised:
            shards.replicate_shard(run.lab.replication(), run_id="r", shard=shard)
        assert raised.value.kind is ErrorKind.INVALID_ARGUMENT

    def test_without_a_plan_it_is_said_what_to_do(self) -> None:
        run = Sharded(world(TREE))
        run.plan()
        run_files.tidy(run.lab.destinations[0], "r")
        with pytest.raises(
            StorageError, match=r"has no plan: .*clear the task that plans"
        ) as raised:
            run.copy()
        assert raised.value.kind is ErrorKind.NOT_FOUND

    def test_another_error_than_that_there_is_no_plan_is_raised(self) -> None:
        class Away(object_store.Hook):
            def get_object(self, ref: ObjectRef, **limits: Any) -> Any:
                if ref.key.endswith("plan.json"):
                    raise StorageError("not today", kind=ErrorKind.TIMEOUT)
                return super().get_object(ref, **limits)

        run = Sharded(world(TREE))
        run.plan()
        run.lab = run.lab.with_destination(Away(conn_of(run.lab.destinations[0])))
        for step in (run.copy, run.close):
            with pytest.raises(StorageError, match="not today"):
                step()

    def test_what_is_done_is_recorded_whatever_ends_the_task(self) -> None:
        class Stopped(BaseException):
            """The task is told to stop."""

        def listener(_: object) -> None:
            raise Stopped

        lab = world(TREE)
        run = Sharded(lab, most=1)
        (shard,) = run.plan().shards
        with pytest.raises(Stopped):
            shards.replicate_shard(lab.replication(), run_id="r", shard=shard, listener=listener)
        assert ledger(lab.destinations[0]).commit.step is Step.PROGRESS
        keys = [entry.key for entry in ledger(lab.destinations[0]).entries()]
        assert keys == ["copy/a", "copy/b", "copy/c"]
        (done,) = run.copy()
        assert done["bytes_read"] == 0
        assert outcomes(run.close()) == [{"copied": 3}]


def moments(lab: World) -> list[datetime]:
    """How fresh each replica says it is."""
    found = [freshness(end).as_of for end in lab.destinations]
    assert None not in found
    return [moment for moment in found if moment]


class TestClose:
    """What was changed at the source since the plan is left to the next run."""

    def test_young_objects_are_no_failures(self) -> None:
        run = Sharded(world(TREE, destinations=2)).up_to_close()
        put(run.lab.source, "a", b"changed")
        put(run.lab.source, "new", b"new")
        closing = datetime.now(UTC)
        report = run.close()
        assert (report.objects, outcomes(report)) == (2, [{"copied": 2}] * 2)
        for end, moment in zip(run.lab.destinations, moments(run.lab), strict=True):
            assert tree_of(end) == TREE
            assert verify(end).proven
            assert moment < closing
        after = replicate(run.lab.replication())
        assert outcomes(after) == [{"copied": 1, "replaced": 1, "unchanged": 2}] * 2

    def test_a_young_object_that_is_at_one_destination_only_is_left_for_both(self) -> None:
        run = Sharded(world(TREE, destinations=2)).up_to_close()
        put(run.lab.source, "new", b"new")
        put(run.lab.destinations[1], "new", b"new")
        report = run.close()
        assert (report.objects, outcomes(report)) == (3, [{"copied": 3}] * 2)

    def test_what_a_shard_found_changed_is_named(self) -> None:
        lab = world(TREE)
        run = Sharded(lab.with_source(Unversioned(conn_of(lab.source))))
        run.plan()
        put(run.lab.source, "a", b"changed")
        run.copy()
        with pytest.raises(ReplicationFailedError) as raised:
            run.close()
        assert outcomes(raised.value.report) == [{"source_changed": 1, "copied": 2}]

    def test_what_is_older_than_the_plan_and_not_there_has_failed(self) -> None:
        run = Sharded(world(TREE, destinations=2), most=3)
        plan = run.plan()
        run.copy(*plan.shards[:2])
        with pytest.raises(ReplicationFailedError) as raised:
            run.close()
        assert outcomes(raised.value.report) == [{"copied": 2, "failed": 1}] * 2
        for failure in raised.value.report.failures:
            assert (failure.name, failure.kind) == ("c", "unavailable")
            assert failure.reason is not None
            assert failure.reason.startswith("the shard that has it did not finish")

    @pytest.mark.parametrize("renamed", [False, True])
    def test_nothing_is_deleted_while_an_object_may_have_been_renamed(self, renamed: bool) -> None:
        options = replace(SMALL, delete_extraneous=True, max_delete=1)
        run = Sharded(world(TREE, destinations=2), options).up_to_close()
        delete(run.lab.source, "a")
        if renamed:
            put(run.lab.source, "z", TREE["a"])
        report = run.close()
        deleted = 0 if renamed else 1
        assert [one.deleted for one in report.destinations] == [deleted] * 2
        for end in run.lab.destinations:
            assert ("a" in tree_of(end)) is renamed
        if renamed:
            replicate(run.lab.replication(options))
        for end in run.lab.destinations:
            assert tree_of(end) == tree_of(run.lab.source)

    def test_attributes_are_the_shards_business(self) -> None:
        lab = world(TREE)
        replicate(lab.replication())
        fill(lab.source, {"d": b"4"})
        options = replace(SMALL, compare_attributes=CompareAttributes.ALWAYS)
        run = Sharded(lab, options).up_to_close()
        assert outcomes(run.close()) == [{"copied": 1, "unchanged": 3}]

    def test_what_changes_later_is_no_replacement_of_this_run(self) -> None:
        lab = world(TREE)
        replicate(lab.replication())
        run = Sharded(lab, replace(SMALL, max_replace=0)).up_to_close()
        fill(lab.source, {"a": b"changed", "b": b"changed"})
        report = run.close()
        assert outcomes(report) == [{"unchanged": 1}]

    def test_the_report_comes_also_where_one_failure_is_to_end_a_run(self) -> None:
        lab = world(TREE)
        options = replace(SMALL, immutable=True, on_error=OnError.FAIL)
        run = Sharded(lab, options)
        run.plan()
        put(lab.destinations[0], "a", b"of somebody else")
        with pytest.raises(ReplicationFailedError) as raised:
            run.close()
        assert outcomes(raised.value.report) == [{"conflict": 1, "failed": 2}]

    def test_what_unfinished_uploads_the_run_left_goes(self) -> None:
        """With the files of the run, once it is closed."""
        run = Sharded(world({"large": bytes(100)}, destinations=2)).up_to_close()
        run.close()
        for end in run.lab.destinations:
            assert [k for k in own(end) if "/ledger/" not in k] == []


def edit_plan(end: Endpoint, change: Callable[[dict[str, Any]], None]) -> None:
    """As somebody does who may write at the first destination."""
    (key,) = [key for key in own(end, "runs/") if key.endswith("plan.json")]
    plan = json.loads(bytes(end.store.get_object(end.ref(key)).read()))
    change(plan)
    end.store.put_object(end.ref(key), json.dumps(plan).encode())


class TestForgedStart:
    """Whoever may write at the first destination can change when the run began."""

    def started(self, run: Sharded, moment: datetime) -> None:
        edit_plan(run.lab.destinations[0], lambda plan: plan.update(started=moment.isoformat()))

    def test_an_earlier_start_hides_no_failure(self) -> None:
        """Whatever is missing would be younger than the run."""
        run = Sharded(world(TREE, destinations=2), most=3)
        plan = run.plan()
        run.copy(plan.shards[0])
        self.started(run, datetime.now(UTC) - timedelta(days=9))
        with pytest.raises(ReplicationFailedError) as raised:
            run.close()
        assert outcomes(raised.value.report) == [{"copied": 1, "failed": 2}] * 2

    def test_the_other_ledgers_say_so_where_the_first_one_was_forged_too(self) -> None:
        run = Sharded(world(TREE, destinations=2), most=3)
        run.plan()
        home = run.lab.destinations[0]
        self.started(run, datetime.now(UTC) - timedelta(days=9))
        for key in own(home, "ledger/"):
            home.store.put_object(home.ref(key), b"?")
        with pytest.raises(ReplicationFailedError) as raised:
            run.close()
        assert outcomes(raised.value.report) == [{"failed": 3}] * 2

    def test_runs_of_other_names_say_nothing_of_this_one(self) -> None:
        run = Sharded(world(TREE)).up_to_close()
        put(run.lab.source, "new", b"new")
        later = draft("later", Step.BEGIN, prefix="other/")
        later = replace(later, started=datetime.now(UTC) + timedelta(hours=1))
        commit(run.lab.destinations[0], [], this=later)
        assert outcomes(run.close()) == [{"copied": 3}]

    def test_a_later_start_makes_nothing_fresher_than_it_is(self) -> None:
        run = Sharded(world(TREE, destinations=2)).up_to_close()
        self.started(run, datetime.now(UTC) + timedelta(days=9))
        run.close()
        assert all(moment <= datetime.now(UTC) for moment in moments(run.lab))

    def test_else_a_run_is_as_of_its_plan(self) -> None:
        lab = world(TREE, destinations=2)
        before = datetime.now(UTC)
        run = Sharded(lab)
        run.plan()
        after = datetime.now(UTC)
        run.copy()
        run.close()
        assert all(before <= moment <= after for moment in moments(lab))

    def test_min_age_counts_from_there(self) -> None:
        lab = world(TREE)
        age = timedelta(microseconds=1)
        run = Sharded(lab, replace(SMALL, filter=ObjectFilter(min_age=age))).up_to_close()
        run.close()
        (look,) = ledger(lab.destinations[0]).commit.looks
        assert look.as_of == look.started - age


def test_attributes_that_were_changed_are_copied_by_shards() -> None:
    lab = world(TREE)
    replicate(lab.replication())
    options = WriteOptions(attributes=ObjectAttributes(content_type="text/plain"))
    lab.source.store.put_object(lab.source.ref("data/a"), TREE["a"], options)
    run = Sharded(lab).up_to_close()
    assert outcomes(run.close()) == [{"replaced": 1, "unchanged": 2}]
    there = lab.destinations[0]
    attributes = there.store.stat_object(there.ref("copy/a")).attributes
    assert attributes is not None
    assert attributes.content_type == "text/plain"
