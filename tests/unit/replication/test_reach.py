"""A destination that is out of reach costs its part, and the others nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.engine import plan, replicate
from airflow_multicloud.core.replication.options import OnError
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.report import NAMED_FAILURES
from airflow_multicloud.core.replication.shards import close_shards, plan_shards, replicate_shard
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import SMALL, World, conn_of, fill, tree_of, world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.ports.object_store import BucketMeta, ObjectMeta

TREE = {"a": b"1", "b": b"22", "c/large": b"3" * 100}


class Down(object_store.Hook):
    """Refuses one kind of request, or all."""

    kind = ErrorKind.UNAVAILABLE
    refuses = "everything"
    requests = 0

    def _asked(self, what: str) -> None:
        if self.refuses in ("everything", what):
            self.requests += 1
            raise StorageError(f"{what}: down", kind=self.kind)

    def stat_bucket(self, bucket: str) -> BucketMeta:
        self._asked("bucket")
        return super().stat_bucket(bucket)

    def ensure_bucket(self, bucket: str) -> None:
        self._asked("bucket")
        super().ensure_bucket(bucket)

    def stat_object(self, ref, **options):
        self._asked("object")
        return super().stat_object(ref, **options)

    def put_object(self, ref, *args, **options):
        self._asked("object")
        return super().put_object(ref, *args, **options)

    def delete_object(self, ref, **options):
        self._asked("object")
        super().delete_object(ref, **options)

    def list_objects(self, bucket: str, prefix: str = "", **options) -> Iterator[ObjectMeta]:
        own = prefix.startswith(".airflow-multicloud/")
        for number, meta in enumerate(super().list_objects(bucket, prefix, **options)):
            if number == 1 or own:
                self._asked("ledger" if own else "listing")
            yield meta


def _with_one_down(
    refuses: str = "everything", kind: ErrorKind = ErrorKind.UNAVAILABLE
) -> tuple[World, Down]:
    """Three destinations, all up to date; then the source changes, and the middle one is down."""
    made = world(TREE, destinations=3)
    replicate(made.replication())
    fill(made.source, {"b": b"new", "d": b"4"})
    down = Down(conn_of(made.destinations[1]))
    down.kind, down.refuses = kind, refuses
    return made.with_destination(down, 1), down


def _failed(made: World, options=SMALL):
    with pytest.raises(ReplicationFailedError) as raised:
        replicate(made.replication(options))
    return raised.value.report


KINDS = [ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT, ErrorKind.THROTTLED, ErrorKind.BUSY]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("refuses", ["everything", "bucket", "ledger", "listing"])
def test_the_others_are_replicated_and_recorded(refuses: str, kind: ErrorKind) -> None:
    made, down = _with_one_down(refuses, kind)
    left = {**TREE}

    report = _failed(made)

    now = {**TREE, "b": b"new", "d": b"4"}
    assert [one.outcomes for one in report.destinations] == [
        {Outcome.UNCHANGED: 2, Outcome.COPIED: 1, Outcome.REPLACED: 1},
        {Outcome.FAILED: 4},
        {Outcome.UNCHANGED: 2, Outcome.COPIED: 1, Outcome.REPLACED: 1},
    ]
    assert [one.commit is None for one in report.destinations] == [False, True, False]
    assert {failure.kind for failure in report.failures} == {kind}
    assert all("down" in str(failure.reason) for failure in report.failures)
    assert ["down" in "".join(one.findings) for one in report.destinations] == [False, True, False]
    down.refuses = "nothing"
    assert [tree_of(end) for end in made.destinations] == [now, left, now]
    assert replicate(made.replication()).success_ratio == 1
    assert tree_of(made.destinations[1]) == now


def test_an_accepted_share_of_failures_is_a_success_without_a_commit_there() -> None:
    made, down = _with_one_down()
    asked = replace(SMALL, min_success_ratio=0.5)

    report = replicate(made.replication(asked))

    assert report.destinations[1].commit is None
    assert [one.sound for one in report.destinations] == [4, 0, 4]
    assert down.requests <= 2  # Looked at, and left alone after that.


def test_nothing_is_deleted_where_a_listing_was_cut_off() -> None:
    made, down = _with_one_down("listing")
    for end in made.destinations:
        fill(end, {"stranger": b"here"})

    report = _failed(made, replace(SMALL, delete_extraneous=True, max_delete=5))

    down.refuses = "nothing"
    assert [one.deleted for one in report.destinations] == [1, 0, 1]
    assert tree_of(made.destinations[1]) == {**TREE, "stranger": b"here"}


@pytest.mark.parametrize(
    "kind", [kind for kind in ErrorKind if kind not in (*KINDS, ErrorKind.NOT_FOUND)]
)
def test_whatever_does_not_pass_by_itself_is_refused_before_any_byte(kind: ErrorKind) -> None:
    made, _ = _with_one_down("bucket", kind)
    with pytest.raises(StorageError, match=r"^destinations\[1\]: ") as raised:
        replicate(made.replication())
    assert raised.value.kind is kind
    assert tree_of(made.destinations[0]) == TREE


def test_a_source_out_of_reach_ends_the_run() -> None:
    made = world(TREE)
    with pytest.raises(StorageError, match=r"^source: ") as raised:
        replicate(made.with_source(Down(conn_of(made.source))).replication())
    assert raised.value.kind is ErrorKind.UNAVAILABLE


@pytest.mark.parametrize("refuses", ["everything", "bucket", "ledger", "listing"])
@pytest.mark.parametrize("create", [False, True])
def test_with_no_destination_left_the_run_ends(refuses: str, create: bool) -> None:
    made = world(TREE)
    replicate(made.replication())
    down = Down(conn_of(made.destinations[0]))
    down.refuses = refuses
    made = made.with_destination(down)
    with pytest.raises(StorageError, match=r"down") as raised:
        replicate(made.replication(replace(SMALL, create_buckets=create)))
    assert not isinstance(raised.value, ReplicationFailedError)
    assert raised.value.kind is ErrorKind.UNAVAILABLE


def test_on_error_fail_writes_nothing_when_one_is_out_of_reach() -> None:
    made, _ = _with_one_down()
    with pytest.raises(StorageError, match="nothing was changed") as raised:
        replicate(made.replication(replace(SMALL, on_error=OnError.FAIL)))
    assert raised.value.kind is ErrorKind.UNAVAILABLE
    assert tree_of(made.destinations[0]) == TREE


@pytest.mark.parametrize("create", [False, True])
def test_a_plan_says_what_can_not_be_done(create: bool) -> None:
    made, _ = _with_one_down()
    planned = plan(made.replication(replace(SMALL, create_buckets=create)))
    assert [(one.copy, one.failed, one.settled) for one in planned] == [
        (1, 0, 0),
        (0, 4, 0),
        (1, 0, 0),
    ]
    assert [len(one.findings) for one in planned] == [0, 1, 0]
    assert planned[1].findings[0].startswith("nothing can be written there: ")
    assert planned[1].findings[0].endswith("bucket: down")


def test_shards_go_on_without_it_and_the_close_says_so() -> None:
    made, down = _with_one_down()
    planned = plan_shards(made.replication(), run_id="r", shards=2)
    for shard in planned.shards:
        replicate_shard(made.replication(), run_id="r", shard=shard)
    with pytest.raises(ReplicationFailedError) as raised:
        close_shards(made.replication(), run_id="r")

    assert [one.sound for one in raised.value.report.destinations] == [4, 0, 4]
    down.refuses = "nothing"
    assert replicate(made.replication()).success_ratio == 1


def test_a_shard_goes_on_without_a_destination_that_went_down_after_the_plan() -> None:
    made, down = _with_one_down("nothing")
    planned = plan_shards(made.replication(), run_id="r", shards=1)
    down.refuses = "everything"
    (done,) = [replicate_shard(made.replication(), run_id="r", shard=s) for s in planned.shards]

    assert done["failures"] == done["objects"]
    down.refuses = "nothing"
    with pytest.raises(ReplicationFailedError) as raised:
        close_shards(made.replication(), run_id="r")
    assert [one.sound for one in raised.value.report.destinations] == [4, 2, 4]
    assert {one.destination for one in raised.value.report.failures} == {
        str(made.destinations[1].location)
    }


def test_a_run_that_was_closed_without_it_is_reported_again() -> None:
    made, down = _with_one_down()
    accepted = made.replication(replace(SMALL, min_success_ratio=0.5))
    planned = plan_shards(accepted, run_id="r", shards=2)
    for shard in planned.shards:
        replicate_shard(accepted, run_id="r", shard=shard)
    first = close_shards(accepted, run_id="r")

    for refuses in ("everything", "nothing"):
        down.refuses = refuses
        assert replicate_shard(accepted, run_id="r", shard=planned.shards[0])["closed"]
        again = close_shards(accepted, run_id="r")
        assert [one.sound for one in again.destinations] == [4, 0, 4]
        assert again.success_ratio == first.success_ratio
        assert "closed without this destination" in again.destinations[1].findings[0]


def test_a_shard_that_is_to_fail_writes_nothing_when_one_is_out_of_reach() -> None:
    made, down = _with_one_down("nothing")
    asked = made.replication(replace(SMALL, on_error=OnError.FAIL))
    (shard,) = plan_shards(asked, run_id="r", shards=1).shards
    down.refuses = "everything"
    with pytest.raises(StorageError, match=r"^destinations\[1\]: .*down"):
        replicate_shard(asked, run_id="r", shard=shard)
    assert tree_of(made.destinations[0]) == TREE


def test_every_failure_of_a_shard_is_counted() -> None:
    made = world({f"{n:03}": b"1" for n in range(NAMED_FAILURES + 5)}, destinations=2)
    down = Down(conn_of(made.destinations[1]))
    down.refuses = "nothing"
    made = made.with_destination(down, 1)
    (shard,) = plan_shards(made.replication(), run_id="r", shards=1).shards
    down.refuses = "everything"
    assert replicate_shard(made.replication(), run_id="r", shard=shard)["failures"] == 25


def test_what_would_be_too_much_to_delete_there_stops_nobody() -> None:
    made, down = _with_one_down("ledger")
    fill(made.destinations[1], {f"stranger-{n}": b"here" for n in range(9)})
    asked = replace(SMALL, delete_extraneous=True, max_delete=1)
    (_, there, _) = plan(made.replication(asked))
    assert (there.delete, there.failed) == (0, 4)
    assert [one.deleted for one in _failed(made, asked).destinations] == [0, 0, 0]
    down.refuses = "nothing"
    assert tree_of(made.destinations[0]) == {**TREE, "b": b"new", "d": b"4"}
