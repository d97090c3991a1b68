"""Every dimension of a generated bill adds up to what its generator says, to the last decimal."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_multicloud.core.cost.focus import COSTS, ROLLUP
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.ports.cost import (
    CorrectionStyle,
    ExportedPeriod,
    FetchedPeriod,
    FileFormat,
)
from airflow_multicloud.testing.bills import (
    Bill,
    BillOptions,
    FileOptions,
    Restatement,
    Totals,
    write_bill,
)
from airflow_multicloud.testing.bills.generate import DIMENSIONS

MONTH = date(2026, 9, 1)
FORMS = {"aws": FileFormat.PARQUET, "gcp": FileFormat.PARQUET, "azure": FileFormat.CSV}


def fetched(directory: Path, bill: Bill, version: int, form: FileFormat) -> FetchedPeriod:
    directory.mkdir(parents=True)
    written = write_bill(bill, directory, FileOptions(format=form, count=2))
    period = ExportedPeriod(
        export="bucket/export",
        billing_period=MONTH,
        version=str(version),
        style=CorrectionStyle.REPLACE,
        exported_at=datetime(2026, 10, version, tzinfo=UTC),
        rows=written.rows,
    )
    return FetchedPeriod(period=period, format=form, files=written.paths)


def sums(store: CostStore, relation: str, dimension: str) -> dict[object, tuple[Decimal, ...]]:
    expression = f"Tags['{dimension}']" if dimension.startswith("airflow-") else dimension
    costs = ", ".join(f"sum({cost})" for cost in COSTS)
    with store.connect() as engine:
        rows = engine.execute(
            f"SELECT CAST({expression} AS VARCHAR), {costs} FROM {relation} GROUP BY ALL"
        ).fetchall()
    return {key: tuple(values) for key, *values in rows}


def expected(totals: Totals, dimension: str) -> dict[object, tuple[Decimal, ...]]:
    return {
        key: (c.billed_cost, c.effective_cost, c.list_cost, c.contracted_cost)
        for key, c in totals.by[dimension].items()
    }


@pytest.mark.parametrize("cloud", FORMS)
def test_every_dimension_adds_up(tmp_path: Path, cloud: str) -> None:
    options = BillOptions(cloud=cloud, billing_period=MONTH, rows=2_000, seed=3)
    bill = Bill(options)
    restated = bill.restate(
        Restatement(style=CorrectionStyle.REPLACE, service=min(options.services), day=3)
    )
    store = CostStore.open(tmp_path / "store")
    for version, each in enumerate((bill, restated), start=1):
        change = store.ingest(cloud, fetched(tmp_path / str(version), each, version, FORMS[cloud]))
        totals = each.totals()
        for dimension in DIMENSIONS:
            relations = ("costs", "rollup") if dimension in ROLLUP else ("costs",)
            for relation in relations:
                assert sums(store, relation, dimension) == expected(totals, dimension), dimension
    assert date(2026, 9, 3) in change.days_written
    assert len(change.days_written) < 5
    explained = sum((r.billed_change for r in change.restatements), Decimal(0))
    assert bill.totals().total.billed_cost + explained == restated.totals().total.billed_cost
