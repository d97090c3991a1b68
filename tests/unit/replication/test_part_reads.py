"""The memory of parts that are read ahead: held while they are used, and always given back."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import Future

from airflow_multicloud.core.replication.budget import MemoryBudget
from airflow_multicloud.core.replication.part_reads import HeldPart
from airflow_multicloud.core.replication.parts import PartRange


class Body(bytearray):
    """One that tells when it is gone."""


def held() -> tuple[HeldPart, Future[Body | None], MemoryBudget]:
    memory = MemoryBudget(8)
    memory.acquire(8)
    reading: Future[Body | None] = Future()
    part = HeldPart(PartRange(1, 0, 8), reading, lambda: memory.release(8))  # type: ignore[arg-type]
    return part, reading, memory


def test_it_is_held_until_the_last_use_is_over() -> None:
    part, reading, memory = held()
    reading.set_result(Body(8))
    alive = weakref.ref(reading.result())
    del reading
    part.use(2)
    for _ in range(2):
        part.over()
        assert part.body() is alive()
        assert not memory.fits(1)
    part.over()
    assert memory.fits(8)
    gc.collect()
    assert alive() is None


def test_one_that_nobody_takes_is_not_read() -> None:
    part, reading, memory = held()
    part.drop()
    assert reading.cancelled()
    assert memory.fits(8)


def test_one_that_is_being_read_is_held_until_it_is() -> None:
    part, reading, memory = held()
    assert reading.set_running_or_notify_cancel()
    part.drop()
    assert not memory.fits(1)
    reading.set_exception(OSError("the connection broke"))
    assert memory.fits(8)
