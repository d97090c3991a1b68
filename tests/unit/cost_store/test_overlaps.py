"""Which export counts for an account and day that several exports have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_multicloud.api import CloudCostAnalyzer
from airflow_multicloud.core.cost.compare.comparison import CostComparison
from airflow_multicloud.core.cost.quality import check_quality
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.core.cost.store.local_files import LocalFiles

from .rows import MONTH, Row, fetched, write
from .test_replays import counted, held

OCTOBER = (MONTH, date(2026, 11, 1))


def at(day: int, amount: str = "100", service: str = "EC2", **fields: str) -> Row:
    row = Row(MONTH.replace(day=day), service, Decimal(amount), invoice="i")
    return replace(row, **fields)


def every(first: int, last: int, amount: str = "100", **fields: str) -> list[Row]:
    return [at(day, amount, **fields) for day in range(first, last + 1)]


def export(store: CostStore, tmp_path: Path, name: str, rows: Sequence[Row], day: datetime) -> None:
    file = write(tmp_path / f"{name}-{day:%m-%d}.csv", rows)
    made = fetched(file, "1", exported_at=day)
    period = replace(made.period, export=name, version=f"{day:%m-%d}")
    store.ingest("gcp", replace(made, period=period))


def both(
    store: CostStore, tmp_path: Path, old: Sequence[Row], new: Sequence[Row], stopped: int = 21
) -> CostComparison:
    export(store, tmp_path, "old", old, datetime(2026, 10, stopped, 3, tzinfo=UTC))
    export(store, tmp_path, "new", new, datetime(2026, 11, 9, 3, tzinfo=UTC))
    return CloudCostAnalyzer(store.root, basis="billed").compare_costs(*OCTOBER, by="charge_day")


PURCHASE = at(1, "2000", category="Purchase")
CORRECTION = at(1, "-0.02", charge_class="Correction")
SPIKY = [at(d, str(a)) for d, a in ((2, 3), (3, 500), (9, 1), (10, 80), (17, 7), (25, 90))]


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        pytest.param(
            [*every(1, 20), PURCHASE],
            [*every(21, 31), CORRECTION, at(15, "1.5")],
            [*every(1, 31), PURCHASE, CORRECTION, at(15, "1.5")],
            id="late rows of days that the newer export began after",
        ),
        pytest.param(
            every(1, 20),
            [*every(21, 31), *every(17, 20, "1.5")],
            [*every(1, 31), *every(17, 20, "1.5")],
            id="late rows of the days before it began",
        ),
        pytest.param(
            every(1, 20),
            [*every(21, 31), *every(1, 20, "-0.02", charge_class="Correction")],
            [*every(1, 31), *every(1, 20, "-0.02")],
            id="a correction of every day",
        ),
        pytest.param(
            every(1, 20),
            [*every(21, 31), at(15, "150", "Marketplace")],
            [*every(1, 31), at(15, "150", "Marketplace")],
            id="a late charge of another service",
        ),
        pytest.param(
            [*every(1, 25), at(15, "1.5")],
            [*every(21, 31), at(15, "1.5")],
            [*every(1, 31), at(15, "1.5")],
            id="a late row that both have",
        ),
        pytest.param(
            every(1, 25), [at(21, "40"), *every(22, 31)], every(1, 31), id="began within a day"
        ),
        pytest.param(
            [*every(1, 20), at(21, "60")], every(21, 31), every(1, 31), id="ended within a day"
        ),
        pytest.param(
            every(1, 20), every(1, 31, "60"), every(1, 31, "60"), id="a month told again, lower"
        ),
        pytest.param(
            every(1, 31),
            [*every(1, 9), at(10, "0"), *every(11, 31)],
            [*every(1, 9), at(10, "0"), *every(11, 31)],
            id="a day told again, of nothing",
        ),
        pytest.param(
            every(1, 20),
            [
                *every(1, 20, "-0.02", charge_class="Correction"),
                at(3, "150", "Marketplace"),
                *every(21, 31),
            ],
            [*every(1, 31), *every(1, 20, "-0.02"), at(3, "150", "Marketplace")],
            id="a correction of every day, and a large late charge",
        ),
        pytest.param(
            SPIKY,
            [replace(row, billed=row.billed * Decimal("0.97")) for row in SPIKY],
            [replace(row, billed=row.billed * Decimal("0.97")) for row in SPIKY],
            id="use now and then, told again",
        ),
        pytest.param(SPIKY[:4], SPIKY, SPIKY, id="use now and then"),
        pytest.param(
            [*every(1, 20), at(5, "10", "Tax", category="Tax", account="")],
            [*every(1, 31), at(5, "9", "Tax", category="Tax", account="")],
            [*every(1, 31), at(5, "9", "Tax")],
            id="an account of taxes alone",
        ),
        pytest.param(
            [*every(1, 20, account="a"), *every(1, 20, account="b")],
            [*every(1, 31, account="a"), at(5, "0.5", account="b")],
            [*every(1, 31), *every(1, 20), at(5, "0.5")],
            id="one of two accounts, and a late row of the other",
        ),
    ],
)
def test_nothing_is_lost_and_nothing_is_doubled(
    store: CostStore,
    tmp_path: Path,
    old: list[Row],
    new: list[Row],
    counts: list[Row],
) -> None:
    found = both(store, tmp_path, old, new)
    assert sum(r.total.amount for r in found.reports) == sum(r.billed for r in counts)
    assert held(store) == counted(counts)
    # What does not count is said, to the cent.
    left = sum(r.billed for r in (*old, *new)) - sum(r.billed for r in counts)
    assert sum(o.billed_cost for o in found.left_out) == left


@pytest.mark.parametrize(("late", "larger"), [("90", "100"), ("150", "150")])
def test_what_can_not_be_told_counts_once_and_is_said(
    store: CostStore, tmp_path: Path, late: str, larger: str
) -> None:
    """A single day of the newer export is as large as the older one's, and not the same."""
    found = both(store, tmp_path, every(1, 20), [*every(21, 31), at(15, late)])
    assert held(store) == counted([*every(1, 14), at(15, larger), *every(16, 31)])
    (overlap,) = found.left_out
    less = min(Decimal(late), Decimal(100))
    assert (overlap.first_day.day, overlap.billed_cost) == (15, less)
    assert "can't be told" in str(overlap)
    rules = {f.rule: f for f in check_quality(store, "gcp", overlap.export, MONTH).findings}
    assert (rules["overlap"].rows, rules["overlap"].example) == (1, f"{less:.2f} USD")
    assert "can't be told" in rules["overlap"].message


def test_a_check_is_of_one_snapshot(
    store: CostStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both(store, tmp_path, every(1, 20), every(1, 31))
    before = store.snapshot()
    store.remove("new")
    held_then = check_quality(store, "gcp", "old", MONTH, snapshot=before)
    assert "overlap" in {finding.rule for finding in held_then.findings}
    now = check_quality(store, "gcp", "old", MONTH)
    assert "overlap" not in {finding.rule for finding in now.findings}
    asked: list[str] = []

    def read(files: LocalFiles, name: str, once: Callable[..., bytes] = LocalFiles.read) -> bytes:
        asked.append(name)
        return once(files, name)

    export(store, tmp_path, "new", every(1, 31), datetime(2026, 11, 10, 3, tzinfo=UTC))
    monkeypatch.setattr(LocalFiles, "read", read)
    assert len(CloudCostAnalyzer(store.root).check_quality(MONTH)) == 2
    assert len(asked) == 1


@pytest.mark.parametrize(
    "stray",
    [
        [],
        [at(2, "0.5", "Tax", category="Tax", account="")],
        [at(2, "0.5", account="gone")],
        [at(10, "0.5", account="")],
    ],
)
def test_an_export_that_stopped_does_not_make_the_figures_old(
    store: CostStore, tmp_path: Path, stray: list[Row]
) -> None:
    export(store, tmp_path, "old", [*every(1, 10), *stray], datetime(2026, 10, 11, 3, tzinfo=UTC))
    now = datetime(2026, 10, 26, 3, tzinfo=UTC)
    export(store, tmp_path, "new", every(11, 25), now)
    analyzer = CloudCostAnalyzer(store.root, basis="billed")
    (report,) = analyzer.compare_costs(*OCTOBER, by="charge_day").reports
    assert report.total.amount == 2500 + sum(r.billed for r in stray)
    assert (report.coverage.days_covered, report.coverage.days_counted) == (25, 25)
    assert report.coverage.exported_at == now


def test_an_export_that_stopped_is_final_with_the_one_that_goes_on(
    store: CostStore, tmp_path: Path
) -> None:
    (report,) = both(store, tmp_path, every(1, 10), every(11, 31), stopped=11).reports
    assert report.coverage.final


def test_an_account_that_only_the_older_export_has_keeps_the_figures_as_old(
    store: CostStore, tmp_path: Path
) -> None:
    """Nobody knows what it cost since: a late row in the newer export does not tell."""
    old = [*every(1, 10, account="a"), *every(1, 10, account="b")]
    new = [*every(11, 31, account="a"), at(4, "0.5", account="b")]
    (report,) = both(store, tmp_path, old, new, stopped=11).reports
    assert report.coverage.exported_at == datetime(2026, 10, 11, 3, tzinfo=UTC)
    assert (report.coverage.days_covered, report.coverage.final) == (10, False)
