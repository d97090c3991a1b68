"""Streams that are read on another thread."""

from __future__ import annotations

import gc
import sys
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
    assert seen == list(range(1200))


def test_a_reader_is_bounded_and_let_go_by_who_leaves() -> None:
    read = 0
    full = threading.Event()

    def endless() -> Iterator[int]:
        nonlocal read
        while True:
            read += 1
            if read == 3:
                full.set()
            yield read

    with ThreadPoolExecutor(1) as pool, Ahead(pool, endless()) as stream:
        assert next(iter(stream)) == 1
        assert full.wait(10)
        assert read <= 3  # One waits, another is in the reader's hands.
        # The pool's end waits for the reader.
    assert read <= 5


def is_frozen() -> bool:
    return all(found is not sys.modules for found in gc.get_objects())


# Python 3.12.1 counts some hundred immortal objects as frozen from the beginning.
@pytest.mark.parametrize("counted", [0, 375])
def test_a_freeze_is_undone_and_never_nested(counted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    count = gc.get_freeze_count
    monkeypatch.setattr(gc, "get_freeze_count", lambda: count() + counted)
    assert not is_frozen()
    with frozen_heap():
        assert is_frozen()
        with frozen_heap():
            assert is_frozen()
        assert is_frozen()
    assert not is_frozen()


def test_within_a_freeze_nothing_is_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python counts what is frozen one by one: with all that a process has, at each run."""
    for _ in range(2):
        with frozen_heap(), monkeypatch.context() as patch:
            patch.setattr(gc, "get_freeze_count", lambda: pytest.fail("it is known"))
            with frozen_heap():
                assert is_frozen()
            assert is_frozen()
    with pytest.raises(KeyError), frozen_heap():
        raise KeyError
    assert not is_frozen()


def test_the_programs_own_freeze_stays() -> None:
    gc.freeze()
    try:
        with frozen_heap():
            assert is_frozen()
        assert is_frozen()
    finally:
        gc.unfreeze()
