"""Stop what is under way, from a signal handler or from another thread.

A cancellation is a flag that the work and all its threads look at wherever they could go on for
long: between objects, parts and chunks. Whoever set out on something that nobody could take up
again registers how it is undone, so that it is undone also when the thread that does it hangs in
a request.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from queue import SimpleQueue
from typing import Any

from airflow_multicloud.core import telemetry
from airflow_multicloud.errors import CloudError
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: Airflow kills a task 5 seconds after it has asked it to stop. So long do requests under way
#: get to come to an end; what is left of the time is for recording what is done.
GRACE = 2.5

#: Seconds after which whoever waits looks whether to go on waiting.
LOOK = 0.2

Discard = Callable[[], object]


class WorkCancelledError(Exception):
    """The work was told to stop, and has.

    No :class:`~airflow_multicloud.errors.CloudError`: it is nobody's failure, and nothing that
    handles the failure of one object may go on after it.
    """


class Cancellation:
    """The flag, and what is under way.

    :param parent: what is cancelled with it is cancelled here.
    """

    def __init__(self, parent: Cancellation | None = None) -> None:
        self._parent = parent
        self._cancelled_at: float | None = None
        self._why = ""
        self._numbers = itertools.count()
        self._under_way: dict[int, tuple[str, Discard | None]] = {}
        self._woken: SimpleQueue[bool] = SimpleQueue()

    def cancel(self, why: str) -> None:
        """Have the work stop. Safe in a signal handler: takes no lock that the work may hold."""
        if self._cancelled_at is None:
            self._why = why
            self._cancelled_at = time.monotonic()
            self._woken.put(True)

    @property
    def cancelled_at(self) -> float | None:
        """When it was cancelled, by the monotonic clock."""
        above = self._parent.cancelled_at if self._parent else None
        return self._cancelled_at if above is None else above

    @property
    def why(self) -> str:
        """Why it was cancelled."""
        above = self._parent.why if self._parent else ""
        return self._why or above

    def check(self) -> None:
        """Raise when the work is to stop."""
        if self.cancelled_at is not None:
            raise WorkCancelledError(self.why)

    def register(self, what: str, discard: Discard | None) -> Callable[[], None]:
        """Say what is under way; returns the function to call when it is over.

        :param what: for the log, if it is left.
        :param discard: how to undo it; ``None`` when the next try takes it up.
        """
        if self._parent is not None:
            return self._parent.register(what, discard)
        number = next(self._numbers)
        self._under_way[number] = (what, discard)

        def over() -> None:
            self._under_way.pop(number, None)

        return over

    def watch(self) -> Callable[[], None]:
        """Undo what is under way as soon as this is cancelled; returns how to end watching.

        On a thread that is there already then: the main thread may hang in a request, and a
        signal handler can't start one safely.
        """

        def watching() -> None:
            if self._woken.get():
                _undo(list(self._under_way.values()))

        thread = threading.Thread(
            target=telemetry.in_context(watching), name="multicloud-cancel", daemon=True
        )
        thread.start()

        def end() -> None:
            self._woken.put(False)
            thread.join(GRACE)

        return end


def _undo(under_way: list[tuple[str, Discard | None]]) -> None:
    for what, discard in under_way:
        if discard is None:
            _log.warning("kept for the next try: %s", printable(what))
    for what, discard in under_way:
        if discard is None:
            continue
        try:
            discard()
        except (CloudError, OSError) as err:
            _log.warning(
                "left behind, for cleanup to remove: %s: %s", printable(what), printable(str(err))
            )
        else:
            _log.info("dropped: %s", printable(what))


_current: ContextVar[Cancellation | None] = ContextVar("multicloud_cancellation", default=None)


@contextmanager
def cancellable() -> Iterator[Cancellation]:
    """Work whose threads stop when it is cancelled, or when it is left with an exception.

    Threads need the context: see :func:`~airflow_multicloud.core.telemetry.in_context`.
    """
    found = Cancellation(_current.get())
    token = _current.set(found)
    try:
        yield found
    except BaseException as err:
        found.cancel(f"{type(err).__name__}")
        raise
    finally:
        _current.reset(token)


@contextmanager
def shielded() -> Iterator[None]:
    """A few requests that are made although the work is cancelled: recording what is done."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


def check() -> None:
    """Raise :class:`WorkCancelledError` when the work that this belongs to is to stop."""
    found = _current.get()
    if found is not None:
        found.check()


def register(what: str, discard: Discard | None) -> Callable[[], None]:
    """See :meth:`Cancellation.register`; nothing happens outside of work that can be cancelled."""
    found = _current.get()
    return nothing if found is None else found.register(what, discard)


def nothing() -> None:
    """What was never registered is over."""


def stop(why: str) -> None:
    """Have the threads of this work stop: it is about to be left."""
    found = _current.get()
    if found is not None:
        found.cancel(why)


def pause(seconds: float) -> None:
    """Wait so long.

    :raises WorkCancelledError: as soon as the work is to stop.
    """
    end = time.monotonic() + seconds
    check()
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, LOOK))
        check()


def requested() -> bool:
    """Whether the work is to stop."""
    found = _current.get()
    return found is not None and found.cancelled_at is not None


def given_up() -> bool:
    """Whether the work was to stop, and threads that have not yet are not waited for any more."""
    found = _current.get()
    at = found.cancelled_at if found is not None else None
    return at is not None and time.monotonic() > at + GRACE


def wait_for(
    futures: Collection[Future[Any]], tell: Callable[[], None] = nothing, *, every: float = LOOK
) -> None:
    """Wait for all of them to end, unless they are :func:`given_up`.

    :param tell: called meanwhile, about ``every`` so many seconds.
    """
    timeout = min(every or LOOK, LOOK)
    while wait(futures, timeout=timeout).not_done and not given_up():
        tell()


@contextmanager
def pool(threads: int, name: str) -> Iterator[ThreadPoolExecutor]:
    """A pool whose threads stop at their next look at the flag when it is left with an exception.

    A thread that hangs in a request is waited for no longer than :data:`GRACE` then.
    """
    made = ThreadPoolExecutor(threads, thread_name_prefix=name)
    with cancellable() as work:
        try:
            yield made
        except BaseException as err:
            work.cancel(type(err).__name__)
            made.shutdown(wait=False, cancel_futures=True)
            ending = threading.Thread(target=made.shutdown, name=f"{name}-end", daemon=True)
            ending.start()
            ending.join(GRACE)
            raise
        made.shutdown()
