"""What a bill says it adds up to is what its files add up to."""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from dataclasses import astuple
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from airflow_multicloud.ports.cost import FileFormat
from airflow_multicloud.testing.bills import Bill, FileOptions, Numbers, open_bill, write_bill
from airflow_multicloud.testing.bills.generate import DIMENSIONS
from tests.unit.bills.conftest import small_bill

if TYPE_CHECKING:
    from pathlib import Path

COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")


def added_up_by_hand(rows: list[dict[str, str]]) -> dict[str, dict[str | None, list[Any]]]:
    """Python's own Decimal arithmetic over the rows of CSV files."""
    found: dict[str, dict[str | None, list[Any]]] = defaultdict(
        lambda: defaultdict(lambda: [Decimal(0)] * 4 + [0])
    )
    for row in rows:
        tags = json.loads(row["Tags"])
        for dimension in ("total", *DIMENSIONS):
            value: str | None = row.get(dimension) or tags.get(dimension)
            if dimension == "ChargeDate":
                value = row["ChargePeriodStart"][:10]
            sums = found[dimension][value]
            for n, cost in enumerate(COSTS):
                sums[n] += Decimal(row[cost])
            sums[4] += 1
    return found


def test_totals_are_the_files(bill: Bill, tmp_path: Path) -> None:
    written = write_bill(bill, tmp_path, FileOptions(format=FileFormat.CSV, count=3))
    rows: list[dict[str, str]] = []
    for file in written.files:
        with gzip.open(file.path, "rt", newline="") as text:
            read = list(csv.DictReader(text))
        assert len(read) == file.rows
        rows += read
    by_hand = added_up_by_hand(rows)
    assert written.rows == bill.options.rows
    assert by_hand.pop("total") == {None: list(astuple(written.totals.total))}
    assert by_hand == {
        dimension: {value: list(astuple(costs)) for value, costs in values.items()}
        for dimension, values in written.totals.by.items()
    }
    assert written.totals == bill.totals()


@pytest.mark.parametrize("numbers", Numbers)
def test_parquet_is_exact(bill: Bill, tmp_path: Path, numbers: Numbers) -> None:
    options = FileOptions(count=2, numbers=numbers)
    written = write_bill(bill, tmp_path, options)
    sums = ", ".join(f"sum(CAST({cost} AS DECIMAL(28, 10)))" for cost in COSTS)
    for dimension in ("ServiceName", "ChargeCategory", "SubAccountId", "RegionId"):
        with duckdb.connect() as connection:
            found = connection.execute(
                f"SELECT {dimension}, {sums}, count(*) FROM '{tmp_path}/*.parquet' GROUP BY 1"
            ).fetchall()
        assert {row[0]: row[1:] for row in found} == {
            value: astuple(costs) for value, costs in written.totals.by[dimension].items()
        }


def test_list_cost_is_price_times_quantity(bill: Bill) -> None:
    with open_bill(bill) as connection:
        wrong = connection.execute(
            "SELECT count(*) FROM bill WHERE ChargeCategory = 'Usage' AND "
            "(ListCost <> ListUnitPrice * PricingQuantity "
            "OR ContractedCost <> ContractedUnitPrice * PricingQuantity)"
        ).fetchone()
    assert wrong == (0,)


def test_commitment_is_used_or_not(bill: Bill) -> None:
    """What was bought is what used and unused rows carry, and no row counts twice."""
    with open_bill(bill) as connection:
        found = connection.execute(
            "SELECT sum(BilledCost) FILTER (ChargeCategory = 'Purchase'), "
            "sum(EffectiveCost) FILTER (ChargeCategory = 'Purchase'), "
            "sum(BilledCost) FILTER (ChargeCategory = 'Usage'), "
            "sum(EffectiveCost) FILTER (ChargeCategory = 'Usage'), "
            "min(EffectiveCost) FILTER (CommitmentDiscountStatus = 'Unused'), "
            "count(*) FILTER (CommitmentDiscountStatus = 'Used') "
            "FROM bill WHERE CommitmentDiscountId IS NOT NULL"
        ).fetchone()
    assert found is not None
    bought, amortised, billed, spread, least_unused, used = found
    assert (amortised, billed) == (0, 0)
    assert bought == spread > 0
    assert least_unused > 0
    assert used > 100


def test_kinds_can_be_left_out() -> None:
    bill = small_bill(
        commitments=False,
        monthly_purchases=False,
        credit_rate=Decimal(0),
        tax_rate=Decimal(0),
    )
    totals = bill.totals()
    assert set(totals.by["ChargeCategory"]) == {"Usage"}
    assert totals.total.billed_cost == totals.total.effective_cost
    assert totals.total.rows == 3000


def test_tax_is_a_rate_on_the_rest() -> None:
    by = small_bill().totals().by["ChargeCategory"]
    rest = sum(costs.billed_cost for name, costs in by.items() if name != "Tax")
    assert abs(by["Tax"].billed_cost - rest * Decimal("0.19")) < Decimal("0.05")


@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure"])
def test_categories_are_focus(cloud: str) -> None:
    from airflow_multicloud.core.cost.focus import COLUMNS

    allowed = {column.name: set(column.values) for column in COLUMNS if column.values}
    with open_bill(small_bill(cloud)) as connection:
        names = {row[0] for row in connection.execute("DESCRIBE bill").fetchall()}
        assert {column.name for column in COLUMNS if column.since is None} <= names
        for name, values in allowed.items():
            found = connection.execute(
                f'SELECT DISTINCT "{name}" FROM bill WHERE "{name}" IS NOT NULL'
            ).fetchall()
            assert {row[0] for row in found} <= values, name
