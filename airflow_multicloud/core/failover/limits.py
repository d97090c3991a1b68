"""Bound what has no time limit of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from typing import TypeVar

from airflow_multicloud.core import telemetry
from airflow_multicloud.errors import ErrorKind, StorageError

R = TypeVar("R")


def within(limit: timedelta, work: Callable[[], R], *, parameter: str) -> R:
    """What ``work`` returns or raises; it goes on by itself, unheard, when it takes longer.

    :param parameter: the name of the parameter that ``limit`` comes from.
    :raises StorageError: kind ``timeout``.
    """
    future = started(work)
    try:
        return future.result(limit.total_seconds())
    except TimeoutError:
        if future.done():
            raise  # It is the work's own.
        raise StorageError(f"took longer than {parameter}", kind=ErrorKind.TIMEOUT) from None


def started(work: Callable[[], R]) -> Future[R]:
    """Work that goes on by itself, on a thread that nobody waits for at the end."""
    future: Future[R] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as err:  # noqa: BLE001 - raised again on the calling thread
            future.set_exception(err)

    # A daemon and no pool: the interpreter would wait for a pool's threads before it ends.
    threading.Thread(target=telemetry.in_context(run), name="multicloud-list", daemon=True).start()
    return future
