"""Carry out what was decided: small objects in parallel, large ones by parts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from queue import Empty, SimpleQueue

from airflow_multicloud.core import cancellation, run_tokens, telemetry
from airflow_multicloud.core.cancellation import WorkCancelledError
from airflow_multicloud.core.replication.beginning import Begin
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.confirmation import confirm
from airflow_multicloud.core.replication.items import Item
from airflow_multicloud.core.replication.large import Ready, copy_large
from airflow_multicloud.core.replication.one_object import guarded, reserved_left_out
from airflow_multicloud.core.replication.options import OnError
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.plain import PlainCopies
from airflow_multicloud.core.replication.recording import Recorder
from airflow_multicloud.core.replication.settling import settle_doubtful
from airflow_multicloud.core.replication.small import Job, copy_small
from airflow_multicloud.errors import ErrorKind

_log = logging.getLogger(__name__)

#: Objects that a thread takes at once, at most, and their bytes: a hand-over costs as much as the
#: bookkeeping of an object, and whoever waits for a thread's lock pays again.
_BATCH, _BATCH_BYTES = 16, 256 << 10
#: How many batches per thread are handed out before results are looked at.
_AHEAD = 2
#: So many bytes of large objects may be finished and not recorded, at the next one's begin: where
#: no service tells a digest of them, a try that was killed has to send them again.
_UNRECORDED = 256 << 20


@dataclass(slots=True, eq=False)
class _Batch:
    """What a thread takes and hands back.

    :param size: bytes that it may hold.
    :param ended: the items at their end, so far.
    :param error: what ended the thread's work.
    """

    items: list[Item]
    size: int
    ended: list[Item] = field(default_factory=list)
    error: BaseException | None = None


def execute(job: Job, catalog: Catalog, recorder: Recorder, *, begins: bool = False) -> None:
    """Bring every open item of the catalog to an end.

    Errors about one object end in its item, unforeseen ones too. What ends the work itself stops
    the run after the objects under way are done and recorded.

    :param begins: whether the run has yet to say that it begins to write.
    """
    begin = Begin(catalog, recorder, due=begins)
    if next(catalog.open_items(up_to=job.options.parts_above), None) is not None:
        begin.now()
    count, size = catalog.work_left()
    if not count:
        return
    job.progress.expect(count, size)
    with (
        run_tokens.under_way(recorder.run.run_id),
        cancellation.pool(job.options.concurrency, "multicloud") as pool,
    ):
        with telemetry.operation("replicate.small_objects"):
            failed = _small_objects(job, catalog, recorder, pool)
        if not failed:
            failed = _large_objects(job, catalog, recorder, pool, begin.before)
    if failed:
        catalog.put_items(
            item.end_open(
                Outcome.FAILED, ErrorKind.UNAVAILABLE, "not tried: on_error='fail' and one failed"
            )
            for item in catalog.open_items()
        )
    job.progress.tell(force=True)


def _must_stop(job: Job, item: Item) -> bool:
    return job.options.on_error is OnError.FAIL and any(
        r.outcome is not None and r.outcome.owed and not r.outcome.sound for r in item.replicas
    )


def _small_objects(
    job: Job, catalog: Catalog, recorder: Recorder, pool: ThreadPoolExecutor
) -> bool:
    """Copy the small objects; whether to stop.

    The threads take batches off one queue and put results on another: a future per object costs
    as much as the object's own bookkeeping.
    """
    waiting = catalog.open_items(up_to=job.options.parts_above)
    first = next(waiting, None)
    if first is None:
        return False  # Without a thread begun: each one that was keeps memory of its own.
    threads = job.options.concurrency
    most = catalog.work_left()[0] // (2 * _AHEAD * threads)
    # After a failure that ends the run, no more than what is under way is to be done.
    most = 1 if job.options.on_error is OnError.FAIL else max(1, min(_BATCH, most))
    todo: SimpleQueue[_Batch | None] = SimpleQueue()
    done: SimpleQueue[_Batch] = SimpleQueue()
    plain = PlainCopies.of(job)
    workers = [
        telemetry.submit_in_context(pool, _work, job, plain, todo, done) for _ in range(threads)
    ]
    try:
        batches = _batches(chain([first], waiting), most)
        stop = _hand_out(job, catalog, recorder, batches, todo, done)
    except BaseException as err:
        cancellation.stop(type(err).__name__)
        raise
    finally:
        while not todo.empty():  # Only after an error: what was not begun is left.
            todo.get()
        for _ in workers:
            todo.put(None)
        cancellation.wait_for(workers)
    try:
        confirm(job, catalog)
    except BaseException:
        recorder.flush()
        raise
    return stop


def _batches(items: Iterator[Item], most: int) -> Iterator[_Batch]:
    """So many items at a time, and few where they are larger."""
    batch = _Batch([], 0)
    for item in items:
        full = len(batch.items) >= most or batch.size + item.size > _BATCH_BYTES
        if batch.items and full:
            yield batch
            batch = _Batch([], 0)
        batch.items.append(item)
        batch.size += item.size
    if batch.items:
        yield batch


def _hand_out(
    job: Job,
    catalog: Catalog,
    recorder: Recorder,
    waiting: Iterator[_Batch],
    todo: SimpleQueue[_Batch | None],
    done: SimpleQueue[_Batch],
) -> bool:
    """Keep the threads busy within the memory limit, and record what they finish."""
    ahead = next(waiting, None)
    error: BaseException | None = None
    running: set[_Batch] = set()
    stop = False
    while True:
        if error is None and cancellation.requested():
            error = WorkCancelledError("objects that were under way are recorded")
        while (
            ahead is not None
            and not (stop or error)
            and len(running) < _AHEAD * job.options.concurrency
            and job.memory.fits(ahead.size)
        ):
            job.memory.acquire(ahead.size)
            running.add(ahead)
            todo.put(ahead)
            ahead = next(waiting, None)
        if not running:
            break
        results = _results(done)
        if not results:  # Threads that hang are left to themselves.
            error = error or WorkCancelledError("objects that hang are not waited for")
            results = list(running)
        running.difference_update(results)
        job.memory.release(sum(batch.size for batch in results))
        finished = [item for batch in results for item in batch.ended]
        error = error or next((batch.error for batch in results if batch.error is not None), None)
        stop = stop or any(_must_stop(job, item) for item in finished)
        catalog.put_items(finished)
        recorder.add(finished)
        job.progress.finished(len(finished))
    if error is not None:
        recorder.flush()
        raise error
    return stop


def _results(done: SimpleQueue[_Batch]) -> list[_Batch]:
    """What the threads have handed back, one at least; none when they are given up."""
    while True:
        try:
            results = [done.get(timeout=cancellation.LOOK)]
        except Empty:
            if cancellation.given_up():
                return []
            continue
        while not done.empty():
            results.append(done.get())
        return results


def _work(
    job: Job,
    plain: PlainCopies | None,
    todo: SimpleQueue[_Batch | None],
    done: SimpleQueue[_Batch],
) -> None:
    """Copy batches until there are none; an unknown error is handed over like a result.

    Of whatever class: a panic in obstore is no ``Exception``, and who waits must hear of it.
    """
    while (batch := todo.get()) is not None:
        try:
            cancellation.check()
            items = [reserved_left_out(job, item) for item in batch.items]
            for item in items if plain is None else plain.copy_all(items):
                if item.open_replicas:
                    cancellation.check()
                    batch.ended.append(guarded(copy_small, job, item))
                else:
                    batch.ended.append(item)
        except BaseException as err:  # noqa: BLE001 - raised by who hands out, once all is recorded
            batch.error = err
        done.put(batch)


def _large_objects(
    job: Job, catalog: Catalog, recorder: Recorder, pool: ThreadPoolExecutor, ready: Ready
) -> bool:
    """Copy the large objects one after the other; whether to stop.

    The run's last commit, which comes next, records what the one before did not.

    :param ready: what is to be called before anything is written of an object.
    """
    unrecorded = _UNRECORDED
    for open_item in catalog.open_items(larger_than=job.options.parts_above):
        if unrecorded >= _UNRECORDED:
            recorder.flush()  # What is finished by now may have to wait long for the last commit.
            unrecorded = 0
        try:
            item = guarded(_copy_large, job, open_item, pool, ready)
        except BaseException:
            recorder.flush()
            raise
        catalog.put_items([item])
        recorder.add([item])
        unrecorded += item.size
        job.progress.finished()
        if _must_stop(job, item):
            return True
    return False


def _copy_large(job: Job, item: Item, pool: ThreadPoolExecutor, ready: Ready) -> Item:
    with telemetry.operation("replicate.object", multicloud__bytes=item.size) as span:
        item = reserved_left_out(job, item)
        if any(item.replicas[n].doubtful or item.replicas[n].inspect for n in item.open_replicas):
            item = settle_doubtful(job, ready(item))  # Which may set tags.
        if item.open_replicas:
            item = copy_large(job, item, partial(telemetry.submit_in_context, pool), ready)
        span.set_attribute("multicloud.outcomes", [str(r.outcome) for r in item.replicas])
    return item
