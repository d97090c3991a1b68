"""``cleanup`` and ledgers: old commits go if they are to, what is needed stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.cleanup import CleanupReport, Left, cleanup
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.ledger.names import COMMITS, LEDGER, commit_key, number_of
from airflow_multicloud.core.ledger.pruning import Retention
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.verification import verify
from airflow_multicloud.errors import ErrorKind, RetentionError
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import World, endpoint, fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef, WriteCondition

YEAR = timedelta(days=365)
ONE = Retention(keep_commits=1, keep_days=30)


class LongAgo(object_store.Hook):
    """What is in ledgers was written a year ago."""

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        for meta in super().list_objects(bucket, prefix):
            old = meta.key.startswith(LEDGER)
            yield replace(meta, last_modified=datetime.now(UTC) - YEAR) if old else meta


class Held(LongAgo):
    """The second commit is under a retention policy."""

    def delete_object(self, ref: ObjectRef, *, condition: WriteCondition | None = None) -> None:
        if ref.key == commit_key(2):
            raise RetentionError("held until 2030", kind=ErrorKind.PRECONDITION_FAILED)
        super().delete_object(ref, condition=condition)


def replicated(hook: type[object_store.Hook] = LongAgo, objects: int = 3) -> Endpoint:
    """A replica that three runs wrote to: more objects than a commit holds itself make segments."""
    made = World(endpoint(), (endpoint("copy/", hook),))
    for run in range(3):
        fill(made.source, {f"{n:04}": b"%d" % run for n in range(objects)})
        replicate(made.replication(), run_id=f"run-{run}")
    return made.destinations[0]


def prune(end: Endpoint, *, dry_run: bool = False, retention: Retention = ONE) -> CleanupReport:
    day = timedelta(days=1)
    return cleanup([end], older_than=day, retention=retention, dry_run=dry_run)


def commits_of(end: Endpoint) -> list[int]:
    return sorted(n for meta in end.objects(COMMITS) if (n := number_of(meta.key)) is not None)


def test_all_commits_are_kept_unless_said_otherwise() -> None:
    end = replicated()
    before = commits_of(end)
    assert cleanup([end], older_than=timedelta(0)).found == {}
    assert commits_of(end) == before


def test_the_newest_commit_is_all_that_is_needed() -> None:
    end = replicated()
    before = commits_of(end)
    looked = prune(end, dry_run=True)
    assert looked.found == {Left.COMMIT: len(before) - 1}
    assert (looked.removed, commits_of(end)) == ({}, before)
    done = prune(end)
    assert done.removed == looked.found
    assert done.clean
    assert commits_of(end) == before[-1:]
    assert verify(end).proven
    assert prune(end).found == {}


def test_segments_go_with_the_commits_that_named_them() -> None:
    end = replicated(objects=300)
    head = reading.newest(end)
    assert head is not None
    needed = {ref.sha256 for run in head.commit.segments for ref in run}
    looked = prune(end, dry_run=True)
    assert looked.found[Left.SEGMENT] >= 1
    assert prune(end).removed == looked.found
    assert {meta.key for meta in end.objects(LEDGER + "segments/")} == {
        f"{LEDGER}segments/{sha256}.jsonl.gz" for sha256 in needed
    }
    assert verify(end).proven


def test_the_next_run_goes_on_from_there() -> None:
    made = World(endpoint(), (endpoint("copy/", LongAgo),))
    fill(made.source, {f"{n:04}": b"1" for n in range(300)})
    replicate(made.replication())
    (end,) = made.destinations
    prune(end)
    fill(made.source, {"0000": b"2", "new": b"3"})
    report = replicate(made.replication())
    assert dict(report.destinations[0].outcomes) == {"unchanged": 299, "replaced": 1, "copied": 1}
    assert verify(end).proven


def test_two_places_of_one_bucket_have_one_ledger() -> None:
    end = replicated()
    number = len(commits_of(end))
    other = replace(end, location=end.location.with_key("elsewhere/"))
    found = cleanup([end, other], older_than=timedelta(0), retention=ONE, dry_run=True).found
    assert found == {Left.COMMIT: number - 1}


def test_what_a_bucket_keeps_is_named_and_later_commits_stay_with_it() -> None:
    end = replicated(Held)
    before = commits_of(end)
    report = prune(end)
    assert not report.clean
    assert [one.reason for one in report.named] == [None, "precondition_failed: held until 2030"]
    assert commits_of(end) == before[1:]
    head = reading.newest(end)
    assert head is not None
    assert [one.commit.number for one in reading.back_to(head, 2)][-1] == 2


def test_an_unreadable_commit_keeps_the_segments(caplog: pytest.LogCaptureFixture) -> None:
    end = replicated(objects=300)
    newest = commits_of(end)[-1]
    segments = [meta.key for meta in end.objects(LEDGER + "segments/")]
    end.store.put_object(end.ref(commit_key(newest)), b"junk")
    assert Left.SEGMENT not in prune(end).found
    assert [meta.key for meta in end.objects(LEDGER + "segments/")] == segments != []
    assert "segments are left alone" in caplog.text
