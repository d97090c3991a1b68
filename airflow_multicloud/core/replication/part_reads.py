"""The parts of a large object, read ahead of what is done with them, in bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Self

from airflow_multicloud.core import cancellation, telemetry
from airflow_multicloud.core.replication.items import Item
from airflow_multicloud.core.replication.parts import PartRange, cut
from airflow_multicloud.core.replication.small import Job
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

if TYPE_CHECKING:
    from typing_extensions import Buffer


class HeldPart:
    """A part that is being read, or was. Its memory is held until the last use of it is over.

    :param give_back: called then.
    """

    def __init__(
        self, part: PartRange, reading: Future[Buffer | None], give_back: Callable[[], object]
    ) -> None:
        self.part = part
        self._reading: Future[Buffer | None] | None = reading
        self._give_back = give_back
        self._uses = 1
        self._lock = threading.Lock()

    def body(self) -> Buffer | None:
        """Its bytes, once they are there; ``None`` where reading failed. Not after the last use."""
        if self._reading is None:
            raise AssertionError("nothing uses this part any more")
        return self._reading.result()

    def use(self, more: int) -> None:
        """Hold it for so many uses more; from whoever has one."""
        with self._lock:
            self._uses += more

    def over(self) -> None:
        """End one use; from any thread."""
        with self._lock:
            self._uses -= 1
            last = not self._uses
        if last:
            self._reading = None  # Lets go of the bytes.
            self._give_back()

    def drop(self) -> None:
        """End the only use without waiting for the bytes."""
        reading = self._reading
        if reading is not None:
            reading.cancel()
            reading.add_done_callback(lambda _: self.over())


class PartReads:
    """Reads an object's parts, in order, as memory is there for them; a context manager.

    The bytes stay where the client put them: copying them into buffers of our own, chunk by chunk,
    cost a fifth more. The allocator keeps what a thread has let go of for this thread, so each part
    that may be held has a reader of its own, which reads the next one when that is over. One thread
    uses this; the reads themselves wait for nothing but the source.
    """

    def __init__(self, job: Job, item: Item, part_size: int) -> None:
        self._job = job
        self._item = item
        self._etag: str | None = None
        self._cut = cut(item.size, part_size)
        self._next = next(self._cut, None)
        self._ahead: deque[HeldPart] = deque()
        count = min(job.options.concurrency, max(1, job.options.memory_limit // part_size))
        self._readers = [ThreadPoolExecutor(1, f"multicloud-read-{n}") for n in range(count)]
        self._free: SimpleQueue[Executor] = SimpleQueue()
        for reader in self._readers:
            self._free.put(reader)
        #: What reading ended with, if it failed; nothing more is read then.
        self.error: CloudError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Drop what nobody took; what hangs is not waited for when the work is given up."""
        for held in self._ahead:
            held.drop()
        for reader in self._readers:
            reader.shutdown(wait=kind is None, cancel_futures=True)

    @property
    def left(self) -> bool:
        """Whether there are parts that nobody has taken."""
        return bool(self._ahead) or self._next is not None

    def start(self, etag: str) -> None:
        """Begin to read the first parts: as many as there is memory for.

        :param etag: pins the object; empty where its store has none.
        """
        self._etag = etag or None
        while (part := self._next) is not None and not self._free.empty():
            if not self._job.memory.fits(part.end - part.start):
                break
            self._ahead.append(self._begin(part))

    def take(self) -> HeldPart:
        """The next part; waits for memory, but not for the bytes."""
        if self._ahead:
            return self._ahead.popleft()
        if self._next is None:
            raise AssertionError("no part is left")
        return self._begin(self._next)

    def _begin(self, part: PartRange) -> HeldPart:
        reader, size = self._next_reader(), part.end - part.start
        self._job.memory.acquire(size)
        self._next = next(self._cut, None)

        def give_back() -> None:
            self._job.memory.release(size)
            self._free.put(reader)

        reading = telemetry.submit_in_context(reader, self._read, part)
        return HeldPart(part, reading, give_back)

    def _next_reader(self) -> Executor:
        while True:
            cancellation.check()
            with suppress(Empty):
                return self._free.get(timeout=cancellation.LOOK)

    def _read(self, part: PartRange) -> Buffer | None:
        size, job = part.end - part.start, self._job
        try:
            if self.error is None:
                job.bandwidth.spend(size)
                cancellation.check()
                ref = job.source.ref(job.source_key(self._item), self._item.version)
                body = job.source.store.get_object(
                    ref, start=part.start, end=part.end, if_etag=self._etag
                ).read()
                if (came := memoryview(body).nbytes) != size:
                    raise StorageError(
                        f"{ref.key}: {size} bytes from byte {part.start} on were asked for, and "
                        f"{'more' if came > size else came} came",
                        kind=ErrorKind.INTEGRITY,
                        cloud=job.source.cloud,
                    )
                job.progress.read(size)
                return body
        except CloudError as err:
            self.error = err
        return None
