"""Streams that are read on another thread."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.heap import frozen_heap
from airflow_multicloud.core.replication.ahead import Ahead

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Panic(BaseException):
    """As errors of Rust arrive: no Exception."""


def _fails(after: int, error: type[BaseException]) -> Iterator[int]:
    yield from range(after)
    raise error("lost")


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 5000])
def test_all_come_in_their_order(count: int) -> None:
    with ThreadPoolExecutor(1) as pool, Ahead(pool, iter(range(count))) as stream:
        assert list(stream) == list(range(count))


@pytest.mark.parametrize("error", [LookupError, _Panic])
def test_what_is_raised_comes_after_what_was_read(error: type[BaseException]) -> None:
    seen: list[int] = []
    with (
        ThreadPoolExecutor(1) as pool,
        Ahead(pool, _fails(1200, error)) as stream,
        pytest.raises(error, match="lost"),
    ):
        seen.extend(stream)
    assert seen == list(range(1000))


def test_a_reader_is_bounded_and_let_go_by_who_leaves() -> None:
    read = 0
    full = threading.Event()

    def endless() -> Iterator[int]:
        nonlocal read
        while True:
            read += 1
            if read == 2500:
                full.set()
            yield read

    with ThreadPoolExecutor(1) as pool, Ahead(pool, endless()):
        assert full.wait(10)
        assert read <= 2500  # Four batches wait, a fifth is in the reader's hands.
        # The pool's end waits for the reader.
    assert read <= 3500


def test_a_freeze_is_undone_and_never_nested() -> None:
    assert gc.get_freeze_count() == 0
    with frozen_heap():
        frozen = gc.get_freeze_count()
        assert frozen > 0
        with frozen_heap():
            pass
        assert gc.get_freeze_count() > frozen / 2  # some of it has been freed
    assert gc.get_freeze_count() == 0
