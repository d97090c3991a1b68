"""Work that is told to stop stops in time, records what is done, and leaves what it must."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core import cancellation
from airflow_multicloud.core.cancellation import Cancellation, WorkCancelledError, cancellable
from airflow_multicloud.core.endpoints import RESERVED_PREFIX
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.verification import Depth, verify
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import SMALL, World, conn_of, fill, tree_of, uploads, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_multicloud.ports.object_store import ObjectMeta

pytestmark = pytest.mark.usefixtures("way")

#: Far less than the seconds that Airflow gives.
AT_ONCE = 2.0


@contextmanager
def told_to_stop() -> Iterator[Cancellation]:
    """Work that a watcher looks after, as an operator's; it must end at once."""
    with cancellable() as work:
        end = work.watch()
        try:
            with pytest.raises(WorkCancelledError):
                yield work
        finally:
            end()
        assert work.cancelled_at is not None
        assert time.monotonic() - work.cancelled_at < AT_ONCE


class After(object_store.Hook):
    """Cancels the work with its n-th write."""

    work: Cancellation
    left: int

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.work.cancel("test")

    def put_object(self, ref: Any, *args: Any, **kwargs: Any) -> ObjectMeta:
        written = super().put_object(ref, *args, **kwargs)
        if not ref.key.startswith(RESERVED_PREFIX):
            self._count()
        return written

    def put_part(self, *args: Any, **kwargs: Any) -> Any:
        part = super().put_part(*args, **kwargs)
        self._count()
        return part


def stopping(lab: World, work: Cancellation, left: int) -> World:
    store = After(conn_of(lab.destinations[0]))
    store.work, store.left = work, left
    return lab.with_destination(store)


def test_small_objects_that_are_done_are_recorded() -> None:
    lab = world({f"k{number:03}": b"1" * 60 for number in range(200)})
    with told_to_stop() as work:
        replicate(stopping(lab, work, 20).replication(), run_id="r")
    there = tree_of(lab.destinations[0])
    assert 20 <= len(there) < 60
    report = replicate(lab.replication(), run_id="r")
    (counts,) = [{str(o): n for o, n in d.outcomes.items()} for d in report.destinations]
    # Nothing that was done is done, or even compared, again.
    assert counts == {"unchanged": len(there), "copied": 200 - len(there)}


def test_a_large_objects_parts_are_kept_named_and_taken_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lab = world({"large": bytes(range(160))})
    with caplog.at_level(logging.WARNING), told_to_stop() as work:
        replicate(stopping(lab, work, 3).replication(), run_id="r")
    kept = (
        f"kept for the next try: the parts of mem://{conn_of(lab.destinations[0])}@lab/copy/large"
    )
    assert kept in caplog.text
    assert uploads(lab.destinations[0]) == ["copy/large"]
    counting = stopping(lab, Cancellation(), 100)
    replicate(counting.replication())
    store = counting.destinations[0].store
    assert isinstance(store, After)
    assert 100 - store.left <= 10 - 3  # parts, of 16 bytes
    assert tree_of(lab.destinations[0]) == {"large": bytes(range(160))}
    assert uploads(lab.destinations[0]) == []


def test_an_upload_that_nobody_takes_up_is_aborted() -> None:
    lab = world({})
    with told_to_stop() as work:
        end = stopping(lab, work, 2).destinations[0]
        put_stream(end, "copy/x", [bytes(16)] * 10, part_size=16)
    assert uploads(lab.destinations[0]) == []
    assert tree_of(lab.destinations[0]) == {}


class Hanging(object_store.Hook):
    """What is sent to it hangs in the air for ever."""

    hangs: threading.Event
    over: threading.Event

    def _hang(self) -> None:
        self.hangs.set()
        assert self.over.wait(30)

    def put_object(self, ref: Any, *args: Any, **kwargs: Any) -> ObjectMeta:
        if not ref.key.startswith(RESERVED_PREFIX):
            self._hang()
        return super().put_object(ref, *args, **kwargs)

    def put_part(self, *args: Any, **kwargs: Any) -> Any:
        self._hang()
        return super().put_part(*args, **kwargs)


def hanging(lab: World) -> tuple[World, Hanging]:
    store = Hanging(conn_of(lab.destinations[0]))
    store.hangs, store.over = threading.Event(), threading.Event()
    return lab.with_destination(store), store


def test_it_is_aborted_even_while_its_own_thread_hangs(caplog: pytest.LogCaptureFixture) -> None:
    lab, store = hanging(world({}))
    with cancellable() as work, caplog.at_level(logging.INFO):
        end = work.watch()

        def cancel() -> None:
            assert store.hangs.wait(10)
            work.cancel("test")
            end()  # The watcher is done by now.
            aborted.append(uploads(lab.destinations[0]))
            store.over.set()

        aborted: list[list[str]] = []
        thread = threading.Thread(target=cancel)
        thread.start()
        with pytest.raises(Exception, match="upload"):  # It is gone when the part arrives.
            put_stream(lab.destinations[0], "copy/x", [bytes(16)] * 10, part_size=16)
        thread.join()
    assert aborted == [[]]
    assert "dropped: an upload to mem://" in caplog.text


@pytest.mark.parametrize("content", [b"small", bytes(200)], ids=["small", "large"])
def test_threads_that_hang_are_not_waited_for_long(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancellation, "GRACE", 0.3)
    lab, store = hanging(world({"a": content}))
    with told_to_stop() as work:
        threading.Thread(target=lambda: store.hangs.wait(10) and work.cancel("test")).start()
        replicate(lab.replication())
    store.over.set()


class Interrupted(BaseException):
    """What Airflow raises at the end of execution_timeout, and Ctrl-C."""


def test_threads_stop_when_the_main_one_is_interrupted() -> None:
    lab = world({f"k{number:03}": b"1" * 60 for number in range(200)})
    seen = 0

    def interrupt(_: object) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        replicate(lab.replication(), listener=interrupt, interval=0)
    seen = len(tree_of(lab.destinations[0]))
    time.sleep(0.1)
    assert len(tree_of(lab.destinations[0])) == seen < 200


class Reading(object_store.Hook):
    """Cancels the work with the n-th read."""

    work: Cancellation
    left: int

    def get_object(self, ref: Any, **kwargs: Any) -> Any:
        if not ref.key.startswith(RESERVED_PREFIX):
            self.left -= 1
            if self.left == 0:
                self.work.cancel("test")
        return super().get_object(ref, **kwargs)


@pytest.mark.parametrize("tree", [False, True])
def test_a_fetch_leaves_nothing(tree: bool, tmp_path: Path) -> None:
    lab = world({})
    fill(lab.source, {f"k{number:02}": b"1" * 60 for number in range(50)})
    with told_to_stop() as work:
        store = Reading(conn_of(lab.source))
        store.work, store.left = work, 5 if tree else 1
        source = replace(lab.source, store=store)
        if tree:
            fetch_tree([Candidate("c", source)], FileTarget(tmp_path))
        else:
            one = replace(source, location=source.location.with_key("data/k01"))
            fetch([Candidate("c", one)], FileTarget(tmp_path / "k01"))
    left = {path.name for path in tmp_path.iterdir()}
    assert not [name for name in left if name.endswith(".part")]
    assert len(left) < 20


def test_a_file_that_was_discarded_when_the_work_was_stopped_is_no_fault_of_the_target(
    tmp_path: Path,
) -> None:
    with told_to_stop() as work:
        staged = FileTarget(tmp_path / "k").stage([b"1"])
        work.cancel("test")
        for part in tmp_path.iterdir():
            part.unlink(missing_ok=True)  # Whoever watches may be faster.
        try:
            staged.commit()
        finally:
            staged.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_verification_stops() -> None:
    lab = world({f"k{number:03}": b"1" * 60 for number in range(200)})
    replicate(lab.replication())
    with told_to_stop() as work:
        store = Reading(conn_of(lab.destinations[0]))
        store.work, store.left = work, 5
        verify(replace(lab.destinations[0], store=store), depth=Depth.READ)
    assert store.left > -50


def test_a_bandwidth_limit_is_no_reason_to_wait() -> None:
    lab = world({f"k{number}": b"1" * 60 for number in range(9)})
    options = replace(SMALL, bandwidth_limit=1)
    with told_to_stop() as work:
        threading.Timer(0.3, work.cancel, ["test"]).start()
        replicate(lab.replication(options))
