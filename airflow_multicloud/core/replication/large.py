"""Copy one large object by parts: each part is read once and sent to every destination.

Parts are read and sent in parallel and hashed in order. Parts which a store already holds
from an earlier try, and whose digest equals that of the bytes just read, are not sent again.

Reading begins at once, pinned by the ETag of the listing. What else must be known before anything
is written is asked for meanwhile, so that few round trips wait for each other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from msgspec.structs import replace

from airflow_multicloud.adapters.digests import crc32c_of
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.reading import altered_on_the_way
from airflow_multicloud.core.replication.hashing import hasher
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.part_reads import HeldPart, PartReads
from airflow_multicloud.core.replication.parts import choose_part_size, why_not_size
from airflow_multicloud.core.replication.sending import Sending, begin
from airflow_multicloud.core.replication.settling import end_reading, read_tags
from airflow_multicloud.core.replication.small import Job, misread
from airflow_multicloud.core.replication.writing import failure
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import Digests, ObjectAttributes, ObjectMeta, PartUploads

if TYPE_CHECKING:
    from typing_extensions import Buffer


P = ParamSpec("P")
R = TypeVar("R")


class Submit(Protocol):
    """Runs a function in the pool, first come, first served, in the caller's context."""

    def __call__(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Start it."""
        ...


#: Called once before anything is written; gives the item without the destinations that must not be.
Ready = Callable[[Item], Item]


def copy_large(job: Job, item: Item, submit: Submit, ready: Ready = lambda item: item) -> Item:
    """Copy one object by parts to every destination where it is still to be done.

    Every failure ends in the item's replicas. Uploads that failed for a reason that may pass
    are left for the next try; others are aborted.
    """
    fitted, part_size = _fit(job, item)
    with PartReads(job, item, part_size) as reads:
        described = submit(_describe, job, item)
        if item.etag and fitted.open_replicas:
            reads.start(item.etag)
        item = ready(item)
        try:
            meta, tags = described.result()
        except CloudError as err:
            return end_reading(item, err)
        if meta.etag != (item.etag or meta.etag) or meta.size != item.size:
            return item.end_open(
                Outcome.SOURCE_CHANGED,
                ErrorKind.SOURCE_CHANGED,
                "the object was replaced after it had been listed",
            )
        item, _ = _fit(job, item)
        if item.open_replicas:
            reads.start(meta.etag)
            item = _Round(job, item, meta, tags, reads).run(submit, resume=True)
    if item.open_replicas:
        # A second round only happens for uploads whose parts turned out to be another
        # object's; they start afresh then, so there is no third.
        with PartReads(job, item, part_size) as reads:
            reads.start(meta.etag)
            item = _Round(job, item, meta, tags, reads).run(submit, resume=False)
    return item


def _describe(job: Job, item: Item) -> tuple[ObjectMeta, Mapping[str, str] | None]:
    """What the source says of the object, and its tags if they are kept."""
    meta = job.source.store.stat_object(job.source.ref(job.source_key(item), item.version))
    return meta, read_tags(job, item)


def _fit(job: Job, item: Item) -> tuple[Item, int]:
    """One part size for all destinations; those that can't take the object are ended."""
    part_size = job.options.part_size
    for index in item.open_replicas:
        store = job.destinations[index].store
        if not isinstance(store, PartUploads):
            why: str | None = (
                f"{item.size} bytes are more than large_object ({job.options.parts_above}), and "
                f"{job.destinations[index].cloud} has no uploads in parts"
            )
        else:
            why = why_not_size(item.size, store.part_limits)
            if why is None:
                part_size = choose_part_size(item.size, part_size, store.part_limits)
        if why is not None:
            state = item.replicas[index].failed(Outcome.FAILED, ErrorKind.UNSUPPORTED, why)
            item = item.with_replica(index, state)
    return item, part_size


class _Round:
    """One pass over the source for the destinations that are still open."""

    def __init__(
        self,
        job: Job,
        item: Item,
        meta: ObjectMeta,
        tags: Mapping[str, str] | None,
        reads: PartReads,
    ) -> None:
        self._job = job
        self._item = item
        self._meta = meta
        self._tags = tags
        self._reads = reads
        self._whole = hasher(job.options.digest, meta)
        self._next = 1
        self._turn = threading.Condition()
        self._unsure: CloudError | None = None
        self._sending: list[Sending] = []

    def run(self, submit: Submit, *, resume: bool) -> Item:
        item = self._item
        attributes = self._meta.attributes or ObjectAttributes()
        begun = [
            (n, submit(begin, self._job, item, n, attributes, resume=resume))
            for n in item.open_replicas
        ]
        for index, future in begun:
            sending = future.result()
            if isinstance(sending, Replica):
                self._end(index, sending)
            else:
                self._sending.append(sending)
                if sending.held:
                    there = sum(part.size for part in sending.held.values())
                    self._job.progress.found(there, item.size)
        if any(sending.held for sending in self._sending):
            self._job.progress.tell(force=True)
        if self._sending:
            over = [self._register(sending) for sending in self._sending]
            self._transfer(submit)
            self._finish(submit)
            for end in over:
                end()
        return self._item

    def _register(self, sending: Sending) -> Callable[[], None]:
        ref = sending.upload.ref
        uri = self._job.destinations[sending.index].location.with_key(ref.key)
        # Never over when the work is cancelled: what is kept is named then.
        return cancellation.register(f"the parts of {uri} that are there", None)

    @property
    def _read_error(self) -> CloudError | None:
        return self._reads.error or self._unsure

    def _transfer(self, submit: Submit) -> None:
        parts: list[Future[list[Future[None]]]] = []
        try:
            while self._reads.left:
                if self._read_error is not None or not any(s.live for s in self._sending):
                    break
                cancellation.check()
                held = self._reads.take()
                self._job.progress.tell(force=False)
                parts.append(submit(self._part, held, submit))
        except BaseException as err:
            cancellation.stop(type(err).__name__)
            raise
        finally:
            self._await(parts)
            whole = [part for part in parts if part.done() and not part.exception()]
            sends = [send for part in whole for send in part.result()]
            self._await(sends)
        cancellation.check()
        for part in parts:
            part.result()
        for send in sends:
            send.result()

    def _await(self, futures: Sequence[Future[Any]]) -> None:
        """Wait for all of them, and tell how far it is meanwhile."""
        progress = self._job.progress
        cancellation.wait_for(futures, lambda: progress.tell(force=False), every=progress.interval)

    def _part(self, held: HeldPart, submit: Submit) -> list[Future[None]]:
        """Have a part sent everywhere once it is read, and hash it when its turn has come.

        Nothing here waits for what is queued behind it, so a pool of any size comes to an end.
        """
        live = [s for s in self._sending if s.live]
        sends: list[Future[None]] = []
        body: Buffer | None = None
        digests = Digests()
        held.use(len(live))
        try:
            body = held.body()
            if body is not None:
                digests = Digests(crc32c=crc32c_of(body))
                sends.extend(submit(self._send, s, held, digests) for s in live)
            return sends
        finally:
            body = None  # Its memory is someone else's once its uses are over.
            for _ in live[len(sends) :]:
                held.over()
            try:
                self._hash(held, digests)
            finally:
                held.over()

    def _hash(self, held: HeldPart, digests: Digests) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._next == held.part.number)
        # Only the thread whose turn it is comes here, so this needs no lock.
        try:
            if self._read_error is None and (body := held.body()) is not None:
                self._whole.update(body, known=digests.crc32c)
        finally:
            with self._turn:
                self._next += 1
                self._turn.notify_all()

    def _send(self, to: Sending, held: HeldPart, digests: Digests) -> None:
        body: Buffer | None = None
        try:
            cancellation.check()
            if to.live and self._read_error is None and (body := held.body()) is not None:
                to.put(held.part, body, digests)
        finally:
            body = None
            held.over()

    def _finish(self, submit: Submit) -> None:
        # Reading ends early when it fails, or when no destination takes any more.
        whole = self._read_error is None and self._whole.size == self._item.size
        digests = self._whole.digests()
        wrong = self._why_misread(digests) if whole else None
        if whole and wrong is None and self._read_error is None:
            self._item = replace(self._item, digests=digests)
        ends = [(s.index, submit(self._conclude, s, digests, wrong)) for s in self._sending]
        for index, end in ends:
            self._end(index, end.result())

    def _why_misread(self, digests: Digests) -> str | None:
        job, meta = self._job, self._meta
        if meta.digests != Digests():
            return misread(digests, meta.digests)
        ref = job.source.ref(job.source_key(self._item), self._item.version)
        try:
            return altered_on_the_way(
                job.source, ref, digests, meta.declared,
                if_etag=meta.etag, spend=job.bandwidth.spend,
            )  # fmt: skip
        except CloudError as err:
            self._unsure = err
            return None

    def _conclude(self, sending: Sending, digests: Digests, wrong: str | None) -> Replica:
        """Complete or give up one destination's upload."""
        state = self._item.replicas[sending.index]
        if self._read_error is not None:
            state = failure(state, self._read_error, reading=True)
        elif wrong is not None:
            state = state.failed(Outcome.FAILED, ErrorKind.INTEGRITY, wrong)
        elif sending.error is not None:
            state = failure(state, sending.error, reading=False)
        elif not sending.stale:
            state = sending.complete(self._item, self._meta.attributes, self._tags, digests)
        return sending.tidy(state)

    def _end(self, index: int, state: Replica) -> None:
        self._item = self._item.with_replica(index, state)
