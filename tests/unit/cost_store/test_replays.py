"""Random histories of restatements, with a crash at any step: nothing lost, nothing twice."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.core.cost.store.files import Pointer
from airflow_multicloud.core.cost.store.local_files import LocalFiles
from airflow_multicloud.ports.cost import CorrectionStyle

from .rows import MONTH, Row, fetched, write

rows = st.builds(
    Row,
    day=st.integers(0, 2).map(lambda n: MONTH + timedelta(days=n)),
    service=st.sampled_from(["EC2", "S3"]),
    billed=st.integers(-50, 50).map(lambda n: Decimal(n) / 10),
    currency=st.sampled_from(["USD", "EUR"]),
)
bills = st.lists(rows, min_size=1, max_size=5)


class Crash(BaseException):
    """A kill: no handler of the code under test may catch it."""


class CrashingFiles(LocalFiles):
    """Dies before or after its n-th change of the disk."""

    def __init__(self, root: Path, at: int) -> None:
        super().__init__(root)
        self.left = at

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash

    def publish(self, file: Path, name: str) -> None:
        self.step()
        super().publish(file, name)
        self.step()

    def swap(self, old: Pointer | None, snapshot: str) -> bool:
        self.step()
        done = super().swap(old, snapshot)
        self.step()
        return done


def held(store: CostStore) -> Counter[tuple[object, ...]]:
    """Every charge in the store, counted; and the rollup must agree with it."""
    with store.connect() as engine:
        found = engine.execute(
            "SELECT ChargeDate, ServiceName, BilledCost, BillingCurrency FROM costs"
        ).fetchall()
        difference = engine.execute("""
            WITH a AS (SELECT ChargeDate, ServiceName, BillingCurrency,
                              sum(BilledCost)::DECIMAL(38, 10) AS b,
                              sum(EffectiveCost)::DECIMAL(38, 10) AS e, count(*) AS n
                       FROM costs GROUP BY ALL),
                 r AS (SELECT ChargeDate, ServiceName, BillingCurrency,
                              sum(BilledCost)::DECIMAL(38, 10) AS b,
                              sum(EffectiveCost)::DECIMAL(38, 10) AS e, sum(Charges) AS n
                       FROM rollup GROUP BY ALL)
            (FROM a EXCEPT FROM r) UNION ALL (FROM r EXCEPT FROM a)
        """).fetchall()
    assert difference == []
    return Counter(found)


def counted(bill: Iterable[Row]) -> Counter[tuple[object, ...]]:
    return Counter((r.day, r.service, r.billed, r.currency) for r in bill)


def logged(store: CostStore) -> Counter[str]:
    with store.connect() as engine:
        found = engine.execute("SELECT NewVersion, ServiceName, BillingCurrency FROM restatements")
        return Counter(found.fetchall())


def versions(
    history: Sequence[Sequence[Row]], style: CorrectionStyle
) -> Iterator[tuple[str, Counter[tuple[object, ...]]]]:
    """What the store must hold after each version."""
    so_far: Counter[tuple[object, ...]] = Counter()
    for number, bill in enumerate(history, start=1):
        so_far = counted(bill) if style is CorrectionStyle.REPLACE else so_far + counted(bill)
        yield str(number), so_far


def ingest(
    root: Path,
    bill: Sequence[Row],
    version: str,
    style: CorrectionStyle,
    after: str | None,
    files: LocalFiles,
) -> None:
    file = write(root / f"v{version}.csv", bill)
    CostStore("store", files).ingest("aws", fetched(file, version, style=style), after=after)


@settings(max_examples=40, deadline=None)
@given(
    history=st.lists(bills, min_size=1, max_size=4),
    crashes=st.lists(st.integers(0, 16), min_size=4, max_size=4),
    style=st.sampled_from(CorrectionStyle),
)
def test_crashes_lose_and_duplicate_nothing(
    history: list[list[Row]], crashes: list[int], style: CorrectionStyle
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        store = CostStore("store", LocalFiles(root / "store"))
        before: Counter[tuple[object, ...]] = Counter()
        after: str | None = None
        steps = zip(history, versions(history, style), crashes, strict=False)
        for bill, (version, expected), crash in steps:
            follows = None if style is CorrectionStyle.REPLACE else after
            attempt = partial(ingest, root, bill, version, style, follows)
            try:
                attempt(CrashingFiles(root / "store", crash))
            except Crash:
                # The old state or the new one, and which is told by the version.
                done = store.current_version("aws", "bucket/export", MONTH) == version
                assert held(store) == (expected if done else before)
                attempt(LocalFiles(root / "store"))
            assert held(store) == expected
            assert max(logged(store).values(), default=1) == 1
            before, after = expected, version
        # What the crashes left goes, and the bill stays.
        later = store.snapshot().periods[0].exported_at + timedelta(days=400)
        store.prune(keep=1, now=later)
        assert held(store) == before
        assert {*store.files.names()} - store.snapshot().files() == {
            (root / "store" / "CURRENT").read_text()
        }


@settings(max_examples=25, deadline=None)
@given(first=bills, second=bills)
def test_restatements_explain_the_difference(first: list[Row], second: list[Row]) -> None:
    """Old plus what the log says plus what is new on later days makes the new total."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        store = CostStore("store", LocalFiles(root / "store"))
        store.ingest("aws", fetched(write(root / "a.csv", first), "1"))
        change = store.ingest("aws", fetched(write(root / "b.csv", second), "2"))
        known = {min(r.day for r in first) + timedelta(days=n) for n in range(31)}
        known = {d for d in known if d <= max(r.day for r in first)}

        def on_known(bill: list[Row]) -> Decimal:
            return sum((r.billed for r in bill if r.day in known), Decimal(0))

        logged_change = sum((r.billed_change for r in change.restatements), Decimal(0))
        assert on_known(first) + logged_change == on_known(second)


def test_the_crash_points_cover_an_ingestion(tmp_path: Path) -> None:
    """The random crashes above reach from the first change of the disk to the last."""
    store = CostStore("store", LocalFiles(tmp_path / "store"))
    bill = [Row(MONTH, "EC2", Decimal(1)), Row(MONTH + timedelta(days=1), "S3", Decimal(1))]
    store.ingest("aws", fetched(write(tmp_path / "a.csv", bill), "1"))
    files = CrashingFiles(tmp_path / "store", 1_000)
    changed = [replace(r, billed=Decimal(2)) for r in bill]
    CostStore("s", files).ingest("aws", fetched(write(tmp_path / "b.csv", changed), "2"))
    assert 12 <= 1_000 - files.left <= 16
