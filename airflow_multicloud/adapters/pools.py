"""Work on several threads that belongs to whoever asked for it: to its trace, and to its task."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def map_in_context(pool: Executor, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """The results in order, each worked out under the caller's context; a pool carries none over.

    What was not begun is given up when one of them fails.
    """
    results = [pool.submit(copy_context().run, work, item) for item in items]
    try:
        return [result.result() for result in results]
    finally:
        for result in results:
            result.cancel()
