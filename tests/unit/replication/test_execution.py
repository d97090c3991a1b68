"""How a run goes through its objects: when it stops, and what is recorded by then."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.endpoints import RESERVED_PREFIX
from airflow_multicloud.core.replication import recording
from airflow_multicloud.core.replication.closing import ReplicationFailedError
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import CompareAttributes, OnError
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import SMALL, World, conn_of, ledger, tree_of, world

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_multicloud.core.replication.progress import Snapshot
    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectRef

pytestmark = pytest.mark.usefixtures("way")

LARGE = bytes(range(100))
#: One thread, so that objects come in the order of their names.
STRICT = replace(SMALL, on_error=OnError.FAIL, concurrency=1)
TREE = {"a": b"1", "b": b"2", "large 1": LARGE, "large 2": LARGE, "large 3": LARGE}


class Broken(object_store.Hook):
    """Objects with these names can't be read."""

    names: tuple[str, ...] = ()
    raises: BaseException = StorageError("broken", kind=ErrorKind.PERMISSION_DENIED)

    def get_object(self, ref: ObjectRef, **limits) -> ObjectBody:  # type: ignore[no-untyped-def]
        if ref.key.endswith(self.names):
            raise self.raises
        return super().get_object(ref, **limits)


def broken(tree: Mapping[str, bytes], *names: str) -> World:
    made = world(tree)
    store = Broken(conn_of(made.source))
    store.names = names
    return made.with_source(store)


def failed(made: World, options=STRICT) -> ReplicationReport:  # type: ignore[no-untyped-def]
    with pytest.raises(ReplicationFailedError) as raised:
        replicate(made.replication(options))
    return raised.value.report


def outcomes(report: ReplicationReport) -> dict[Outcome, int]:
    return dict(report.destinations[0].outcomes)


def test_after_a_large_object_that_failed_no_other_is_tried() -> None:
    report = failed(made := broken(TREE, "large 2"))
    assert outcomes(report) == {Outcome.COPIED: 3, Outcome.FAILED: 2}
    assert tree_of(made.destinations[0]).keys() == {"a", "b", "large 1"}
    first, second = report.failures
    assert (first.name, first.kind) == ("large 2", ErrorKind.PERMISSION_DENIED)
    assert (second.name, second.kind) == ("large 3", ErrorKind.UNAVAILABLE)
    assert second.reason == "not tried: on_error='fail' and one failed"


def test_after_a_small_object_that_failed_no_large_one_is_tried() -> None:
    report = failed(made := broken(TREE, "b"))
    assert outcomes(report) == {Outcome.COPIED: 1, Outcome.FAILED: 4}
    assert tree_of(made.destinations[0]).keys() == {"a"}


@pytest.mark.parametrize(("name", "copied"), [("b", 4), ("large 2", 4)])
def test_all_are_tried_unless_a_failure_is_to_stop_the_run(name: str, copied: int) -> None:
    report = failed(broken(TREE, name), SMALL)
    assert outcomes(report) == {Outcome.COPIED: copied, Outcome.FAILED: 1}


def test_what_the_run_can_not_prove_stops_nothing() -> None:
    class Mute(object_store.Hook):
        def put_object(self, ref, *given, **named):  # type: ignore[no-untyped-def]
            return replace(super().put_object(ref, *given, **named), digests=Digests())

        def stat_object(self, ref):  # type: ignore[no-untyped-def]
            return replace(super().stat_object(ref), digests=Digests())

    made = world({"a": b"1", "b": b"2"})
    report = replicate(
        made.with_destination(Mute(conn_of(made.destinations[0]))).replication(STRICT)
    )
    assert outcomes(report) == {Outcome.UNVERIFIABLE: 2}


def test_a_conflict_stops_the_run_as_a_failure_does() -> None:
    class Raced(object_store.Hook):
        def put_object(self, ref, *given, **named):  # type: ignore[no-untyped-def]
            if ref.key == "copy/a":
                raise StorageError("another was faster", kind=ErrorKind.ALREADY_EXISTS)
            return super().put_object(ref, *given, **named)

    made = world(TREE)
    report = failed(made.with_destination(Raced(conn_of(made.destinations[0]))))
    assert outcomes(report)[Outcome.CONFLICT] == 1
    assert outcomes(report)[Outcome.FAILED] >= 3


def test_what_is_finished_is_recorded_before_the_first_large_object_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be hours until it is done."""
    monkeypatch.setattr(recording, "INTERVAL", 3600.0)
    known: list[set[str]] = []

    class Looking(object_store.Hook):
        def begin_upload(self, *given, **named):  # type: ignore[no-untyped-def]
            known.append({entry.key for entry in ledger(made.destinations[0]).entries()})
            return super().begin_upload(*given, **named)

    made = world(TREE)
    made = made.with_destination(Looking(conn_of(made.destinations[0])))
    replicate(made.replication())
    assert known == [{"copy/a", "copy/b"}] * 3
    # The run's begin, this, and its end.
    assert ledger(made.destinations[0]).commit.number == 3


class Stopped(BaseException):
    """What ends the work, and is not about the object that it comes at."""


def test_large_objects_are_recorded_when_the_work_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "INTERVAL", 3600.0)
    made = broken(TREE, "large 2")
    assert isinstance(made.source.store, Broken)
    made.source.store.raises = Stopped()
    with pytest.raises(Stopped):
        replicate(made.replication())
    recorded = {entry.key for entry in ledger(made.destinations[0]).entries() if entry.proof}
    assert recorded == {"copy/a", "copy/b", "copy/large 1"}


def test_objects_and_bytes_are_told_as_they_are_done() -> None:
    told: list[Snapshot] = []
    made, options = world(TREE), replace(SMALL, compare_attributes=CompareAttributes.NEVER)
    replicate(made.replication(options), listener=told.append, interval=0)
    assert {(one.to_copy, one.to_write) for one in told} == {(5, 302)}
    assert told[-1].objects == 5
    assert told[-1].written == 302
    assert [one.objects for one in told] == sorted(one.objects for one in told)
    told.clear()
    replicate(made.replication(options), listener=told.append, interval=0)
    assert told == []  # There was nothing to do.


def test_the_end_is_told_though_no_interval_is_over() -> None:
    told: list[Snapshot] = []
    replicate(world(TREE).replication(), listener=told.append, interval=3600)
    assert [(one.objects, one.written) for one in told] == [(5, 302)]


def test_after_a_failure_only_what_is_under_way_is_brought_to_its_end() -> None:
    report = failed(broken({f"{number:03}": b"x" for number in range(100)}, "000"))
    assert outcomes(report)[Outcome.FAILED] >= 1
    assert outcomes(report).get(Outcome.COPIED, 0) < 20


def test_as_many_requests_are_under_way_as_there_are_threads() -> None:
    threads = 3
    together = threading.Barrier(threads)

    class Waiting(object_store.Hook):
        def put_object(self, ref, *given, **named):  # type: ignore[no-untyped-def]
            if not ref.key.startswith(RESERVED_PREFIX):
                together.wait(10)
            return super().put_object(ref, *given, **named)

    made = world({f"{number}": b"x" for number in range(3 * threads)})
    made = made.with_destination(Waiting(conn_of(made.destinations[0])))
    report = replicate(made.replication(replace(SMALL, concurrency=threads)))
    assert outcomes(report) == {Outcome.COPIED: 3 * threads}
