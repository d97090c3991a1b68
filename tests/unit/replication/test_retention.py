"""Buckets where nothing can be overwritten or deleted are replicated to again and again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.ledger.names import commit_key
from airflow_multicloud.core.replication import history, recording, retention
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.verification import verify
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import CloudError, ErrorKind, RetentionError, StorageError
from airflow_multicloud.ports.object_store import Digests, IfAbsent, ObjectRef, WriteOptions
from airflow_multicloud.testing.memory_cloud import object_store

from . import memory

if TYPE_CHECKING:
    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.ports.object_store import IfUnchanged, ObjectMeta


NO = Digests()


class Worm(object_store.Hook):
    """Nothing is overwritten or deleted while ``locked``."""

    locked = True

    def _refuse(self, doing: str) -> None:
        if self.locked:
            raise RetentionError(
                f"{doing}: kept until 2030-01-01", kind=ErrorKind.PERMISSION_DENIED, cloud="memory"
            )

    def put_object(  # type: ignore[no-untyped-def]
        self, ref: ObjectRef, body, options: WriteOptions = WriteOptions(), *, digests: Digests = NO
    ) -> ObjectMeta:
        if not isinstance(options.condition, IfAbsent):
            try:
                self.stat_object(ref)
            except StorageError:
                pass
            else:
                self._refuse(f"put {ref.key}")
        return super().put_object(ref, body, options, digests=digests)

    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        self._refuse(f"delete {ref.key}")
        super().delete_object(ref, condition=condition)


@pytest.fixture
def worm(monkeypatch: pytest.MonkeyPatch) -> tuple[memory.World, Worm]:
    monkeypatch.setattr(recording, "INTERVAL", 0.0)  # every object is committed by itself
    world = memory.world({"a": b"1"})
    store = Worm(memory.conn_of(world.destinations[0]))
    return world.with_destination(store), store


def _outcomes(report: ReplicationReport) -> dict[Outcome, int]:
    return dict(report.destinations[0].outcomes)


def test_every_run_is_recorded(worm: tuple[memory.World, Worm]) -> None:
    """Under one run id too, as the tries of one task are: nothing is ever written over."""
    world, _ = worm
    (replica,) = world.destinations
    for number, name in enumerate(("a", "b", "c"), 1):
        memory.fill(world.source, {name: name.encode()})
        report = replicate(world.replication(), run_id="run")
        unchanged = {Outcome.UNCHANGED: number - 1} if number > 1 else {}
        assert _outcomes(report) == unchanged | {Outcome.COPIED: 1}
        assert report.destinations[0].retained == ()
        head = memory.ledger(replica)
        assert report.destinations[0].commit == head.commit.number
        assert len([*head.entries()]) == number
        assert verify(replica).proven
    assert _outcomes(replicate(world.replication(), run_id="run")) == {Outcome.UNCHANGED: 3}


def test_a_ledger_that_was_damaged_before_it_was_kept_is_started_over(
    worm: tuple[memory.World, Worm],
) -> None:
    """What is damaged can't be removed there: what follows it counts."""
    world, store = worm
    (replica,) = world.destinations
    replicate(world.replication())
    number = memory.ledger(replica).commit.number
    store.locked = False
    replica.store.put_object(replica.ref(commit_key(number)), b"damaged")
    store.locked = True
    report = replicate(world.replication())
    assert _outcomes(report) == {Outcome.VERIFIED: 1}
    assert verify(replica).proven
    assert _outcomes(replicate(world.replication())) == {Outcome.UNCHANGED: 1}


def test_a_run_that_is_asked_for_is_its_last_commit(worm: tuple[memory.World, Worm]) -> None:
    """Each run is known by the id it was given, however often it was recorded."""
    world, _ = worm
    (replica,) = world.destinations
    for run_id, name in (("run", "a"), ("run", "b"), ("run-2", "c"), ("run", "d")):
        memory.fill(world.source, {name: b"x"})
        replicate(world.replication(), run_id=run_id)
    recorded = history.runs(replica, limit=9)
    assert [(run.run_id, run.objects) for run in recorded] == [
        ("run", 4),
        ("run-2", 3),
        ("run", 2),
        ("run", 1),
    ]
    assert verify(replica, run_id="run").objects == 4
    assert verify(replica, run_id="run-2").objects == 3
    with pytest.raises(StorageError, match=r"no run 'x' is recorded .*; there are: run, run-2$"):
        verify(replica, run_id="x")


def test_what_is_extraneous_stays_and_is_said(worm: tuple[memory.World, Worm]) -> None:
    world, _ = worm
    (replica,) = world.destinations
    memory.fill(replica, {"old": b"x"})
    options = replace(memory.SMALL, delete_extraneous=True, max_delete=5)
    report = replicate(world.replication(options))
    assert report.destinations[0].deleted == 0
    assert any("copy/old" in left for left in report.destinations[0].retained)
    assert "kept until" in str(to_document(report))
    assert set(memory.tree_of(replica)) == {"a", "old"}


class _Leased(object_store.Hook):
    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        if ref.key == "copy/old":
            raise StorageError("it has a lease", kind=ErrorKind.PRECONDITION_FAILED)
        super().delete_object(ref, condition=condition)


def test_a_lease_that_stops_a_deletion_is_said() -> None:
    world = memory.world({"a": b"1"})
    memory.fill(world.destinations[0], {"old": b"x"})
    leased = world.with_destination(_Leased(memory.conn_of(world.destinations[0])))
    options = replace(memory.SMALL, delete_extraneous=True, max_delete=5)
    report = replicate(leased.replication(options))
    assert report.destinations[0].retained == ("it has a lease",)


def test_a_denial_without_retention_is_still_an_error() -> None:
    class Denying(object_store.Hook):
        def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
            raise StorageError("not allowed", kind=ErrorKind.PERMISSION_DENIED)

    world = memory.world({"a": b"1"})
    memory.fill(world.destinations[0], {"old": b"x"})
    denying = world.with_destination(Denying(memory.conn_of(world.destinations[0])))
    options = replace(memory.SMALL, delete_extraneous=True, max_delete=5)
    with pytest.raises(ReplicationFailedError, match="not allowed") as caught:
        replicate(denying.replication(options))
    assert isinstance(caught.value, CloudError)


class Kept(object_store.Hook):
    """A bucket where what is called ``kept`` can't be deleted yet, or for another reason."""

    error: CloudError = RetentionError("until 2030", kind=ErrorKind.PERMISSION_DENIED)

    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        if "kept" in ref.key:
            raise self.error
        super().delete_object(ref, condition=condition)


class TestDeletingOwnFiles:
    KEYS = ("copy/1", "copy/2", "copy/kept", "copy/3", "copy/4")

    def there(self) -> memory.Endpoint:
        end = memory.endpoint("copy/", Kept)
        memory.fill(end, {key.removeprefix("copy/"): b"x" for key in self.KEYS})
        return end

    def test_all_go(self) -> None:
        end = self.there()
        assert retention.delete_all(end, self.KEYS[:2], "files") is None
        assert memory.tree_of(end).keys() == {"kept", "3", "4"}

    def test_those_from_the_first_that_is_kept_stay(self, caplog: pytest.LogCaptureFixture) -> None:
        end = self.there()
        left = retention.delete_all(end, self.KEYS, "files")
        assert left == "3 files can't be deleted yet, the oldest copy/kept: until 2030"
        assert left in caplog.text
        assert memory.tree_of(end).keys() == {"kept", "3", "4"}

    def test_what_another_run_has_deleted_is_passed_over(self) -> None:
        end = self.there()
        assert retention.delete_all(end, ("copy/none", "copy/1"), "files") is None
        assert memory.tree_of(end).keys() == {"2", "kept", "3", "4"}

    def test_other_errors_are_raised(self) -> None:
        end = self.there()
        assert isinstance(end.store, Kept)
        end.store.error = StorageError("busy", kind=ErrorKind.BUSY)
        with pytest.raises(StorageError, match="busy"):
            retention.delete_all(end, self.KEYS, "files")
