"""Bounds on memory and bandwidth."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace

import pytest

from airflow_multicloud.core.cancellation import LOOK, WorkCancelledError, cancellable
from airflow_multicloud.core.replication import budget as budgets
from airflow_multicloud.core.replication import execution
from airflow_multicloud.core.replication.budget import Bandwidth, MemoryBudget
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.engine import new_job, prepare, replicate
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.core.replication.recording import Recorder
from airflow_multicloud.core.replication.run import new_run

from .memory import SMALL, tree_of, world


class _Watched(MemoryBudget):
    """Remembers the most that was held."""

    most = held = 0

    def acquire(self, size: int) -> None:
        super().acquire(size)
        with self._freed:
            self.held += size
            self.most = max(self.most, self.held)

    def release(self, size: int) -> None:
        with self._freed:
            self.held -= size
            super().release(size)


@pytest.mark.parametrize("limit", [64, 100, 256])
def test_a_run_never_holds_more_than_its_limit(limit: int) -> None:
    made = world({f"s{n}": bytes(n) for n in range(60)} | {"large": bytes(1000)}, destinations=2)
    replication = made.replication(replace(SMALL, memory_limit=limit, concurrency=8))
    budget = _Watched(limit)
    with Catalog() as catalog:
        run = new_run(replication, None)
        bases = prepare(catalog, replication, run)
        job = replace(new_job(replication, Progress()), memory=budget)
        execution.execute(job, catalog, Recorder(run, made.destinations, bases, catalog))
    assert 0 < budget.most <= limit
    assert budget.held == 0
    assert len(tree_of(made.destinations[1])) == 61


@pytest.mark.parametrize(("held", "wanted"), [(8, 5), (1, 1000)])
def test_whoever_wants_more_waits_until_it_is_there_or_alone(held: int, wanted: int) -> None:
    budget, acquired = MemoryBudget(10), threading.Event()
    budget.acquire(held)

    def want() -> None:
        budget.acquire(wanted)
        acquired.set()

    thread = threading.Thread(target=want)
    thread.start()
    assert not acquired.wait(0.05)
    budget.release(held)
    assert acquired.wait(5)
    thread.join()


def test_a_piece_above_the_limit_goes_alone() -> None:
    budget = MemoryBudget(10)
    budget.acquire(1000)
    budget.release(1000)
    budget.acquire(10)


def test_what_fits_is_what_would_not_wait() -> None:
    budget = MemoryBudget(10)
    assert budget.fits(1000)
    budget.acquire(4)
    assert budget.fits(6)
    assert not budget.fits(7)
    budget.acquire(6)
    assert not budget.fits(1)
    budget.release(1)
    assert budget.fits(1)
    budget.release(9)
    assert budget.fits(1000)


def test_who_waits_for_memory_is_told_to_stop() -> None:
    budget = MemoryBudget(10)
    budget.acquire(10)
    with cancellable() as work:
        work.cancel("test")
        with pytest.raises(WorkCancelledError):
            budget.acquire(1)


@dataclass
class Time:
    """Goes by while somebody sleeps, and only then."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(budgets, "time", made)
    return made


def test_bytes_are_let_through_at_the_rate(passing: Time) -> None:
    bandwidth = Bandwidth(100)
    bandwidth.spend(50)
    assert passing.slept == []  # What was spent before is waited for, not what is.
    bandwidth.spend(20)
    assert sum(passing.slept) == pytest.approx(0.5)
    assert max(passing.slept) <= LOOK  # So that a cancellation is noticed.
    bandwidth.spend(1)
    assert passing.now == pytest.approx(1000.7)


def test_time_in_which_nothing_was_sent_is_not_saved_up(passing: Time) -> None:
    bandwidth = Bandwidth(100)
    bandwidth.spend(100)
    passing.now += 60
    bandwidth.spend(100)
    assert passing.slept == []
    bandwidth.spend(100)
    assert sum(passing.slept) == pytest.approx(1.0)


def test_who_waits_for_the_rate_is_told_to_stop(passing: Time) -> None:
    bandwidth = Bandwidth(100)
    with cancellable() as work:
        bandwidth.spend(100)
        work.cancel("test")
        with pytest.raises(WorkCancelledError):
            bandwidth.spend(100)
    assert passing.slept == []


def test_bandwidth_is_kept_over_all_threads() -> None:
    bandwidth = Bandwidth(1000)
    started = time.monotonic()
    threads = [threading.Thread(target=bandwidth.spend, args=(50,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started >= 0.2  # the fifth waits for the four before it
    assert time.monotonic() - started < 2


def test_no_limit_never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("waited"))
    Bandwidth(None).spend(1 << 40)


def test_a_run_keeps_its_bandwidth() -> None:
    made = world({str(n): bytes(50) for n in range(3)} | {"large": bytes(100)})
    started = time.monotonic()
    replicate(made.replication(replace(SMALL, bandwidth_limit=1000)))
    # 250 bytes; what comes last is not waited for.
    assert time.monotonic() - started >= (250 - 16) / 1000
