"""Options: what they change, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.ports.cost import FileFormat
from airflow_multicloud.testing.bills import (
    Anomaly,
    Bill,
    BillOptions,
    FileOptions,
    open_bill,
    write_bill,
)
from tests.unit.bills.conftest import small_bill

if TYPE_CHECKING:
    from pathlib import Path

CSV = FileOptions(format=FileFormat.CSV, compressed=False)


def texts(bill: Bill, directory: Path) -> list[str]:
    directory.mkdir()
    return [path.read_text() for path in write_bill(bill, directory, CSV).paths]


def test_same_options_same_bytes(bill: Bill, tmp_path: Path) -> None:
    assert texts(bill, tmp_path / "a") == texts(bill, tmp_path / "b")


def test_rows_do_not_depend_on_threads() -> None:
    found = []
    for threads in (1, 4):
        with open_bill(small_bill(rows=200_000), threads=threads) as connection:
            found.append(
                connection.execute(
                    "SELECT sum(BilledCost), sum(x_Row * CAST(PricingQuantity AS DECIMAL(18, 3)))"
                    ", count(DISTINCT x_Row) FROM bill"
                ).fetchone()
            )
    assert found[0] == found[1]
    assert found[0] is not None
    assert found[0][2] == 200_000


def test_golden() -> None:
    """The rows of a seed are the same on every machine and with every DuckDB."""
    total = small_bill(seed=42).totals().total
    assert str(total.billed_cost) == "13708.9892077200"
    assert str(total.effective_cost) == "13708.9892077200"


def test_other_seed_other_rows() -> None:
    assert small_bill(seed=1).totals() != small_bill(seed=2).totals()


def test_seeds_are_alike() -> None:
    """Draws are spread: no service or account is missing, none has more than its share."""
    by = small_bill(seed=5, rows=20_000).totals().by
    rows = [costs.rows for name, costs in by["SubAccountId"].items() if name]
    assert len(rows) == 3
    assert max(rows) < 1.1 * min(rows)
    assert {name for name in by["ServiceName"] if name} >= small_bill().options.services
    assert 0.25 < 1 - by["airflow-dag"][None].rows / 20_000 < 0.35


def test_a_day_more_leaves_the_days_before() -> None:
    """As many rows a day: usage of earlier days is the same."""
    shape = small_bill(credit_rate=Decimal(0), tax_rate=Decimal(0), commitments=False)
    ten = Bill(replace(shape.options, days=10, rows=1002)).totals().by["ChargeDate"]
    eleven = Bill(replace(shape.options, days=11, rows=1102)).totals().by["ChargeDate"]
    assert {day: eleven[day] for day in ten} == ten
    assert len(eleven) == 11


def test_weekends_are_quieter() -> None:
    days = small_bill(days=30, rows=30_000, credit_rate=Decimal(0)).totals().by["ChargeDate"]
    weekend = [
        float(costs.billed_cost)
        for day, costs in days.items()
        if day and date.fromisoformat(day).weekday() >= 5
    ]
    week = [
        float(costs.billed_cost)
        for day, costs in days.items()
        if day and date.fromisoformat(day).weekday() < 5 and day != "2026-09-01"
    ]
    assert max(weekend) < min(week)


def test_anomaly_is_where_it_was_planted() -> None:
    service = "AWS Lambda"
    with_one = small_bill(anomalies=(Anomaly(service, day=9, factor=Decimal(8)),))
    changed: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    sums = []
    for bill in (small_bill(), with_one):
        with open_bill(bill) as connection:
            sums.append(
                dict(
                    connection.execute(
                        "SELECT (ServiceName, CAST(ChargePeriodStart AS DATE)::VARCHAR), "
                        "sum(BilledCost) FROM bill WHERE ChargeCategory = 'Usage' GROUP BY 1"
                    ).fetchall()
                )
            )
    changed = {key: (cost, sums[1][key]) for key, cost in sums[0].items() if sums[1][key] != cost}
    assert list(changed) == [(service, "2026-09-09")]
    before, after = changed[service, "2026-09-09"]
    assert abs(after / before - 8) < Decimal("0.01")


@pytest.mark.parametrize(("invoiced", "expected"), [(True, 1), (False, 0)])
def test_invoiced(invoiced: bool, expected: int) -> None:
    with open_bill(small_bill(invoiced=invoiced)) as connection:
        found = connection.execute("SELECT count(DISTINCT InvoiceId), count(*) FROM bill")
        ids, rows = found.fetchone() or (None, None)
        held = connection.execute("SELECT count(InvoiceId) FROM bill").fetchone()
    assert ids == expected
    assert held == (rows if invoiced else 0,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cloud": "ibm"}, "cloud: 'ibm' given, allowed is one of aws, gcp, azure"),
        ({"billing_period": date(2026, 9, 2)}, "billing_period: .*allowed is a month's first"),
        ({"days": 31}, "days: 31 given, allowed is 1 to 30"),
        ({"rows": 10}, "rows: 10 given, allowed is 106 to"),
        ({"tagged": Decimal("1.1")}, "tagged: .* allowed is 0 to 1"),
        ({"tax_rate": Decimal("0.195")}, "tax_rate: .* in hundredths"),
        ({"tasks": ()}, "tasks: .* at least one pair"),
        ({"accounts": 0}, "accounts: 0 given, allowed is 1 to 1000"),
        ({"anomalies": (Anomaly("Lambda", 1),)}, "service: 'Lambda' given, allowed is one of"),
        ({"anomalies": (Anomaly("AWS Lambda", 21),)}, "day: 21 given, allowed is 1 to 20"),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_bill(**changes)


def test_no_files() -> None:
    with pytest.raises(ValueError, match="count: 0 given, allowed is 1 or more"):
        FileOptions(count=0)


def test_options_default_to_the_whole_month() -> None:
    assert BillOptions(cloud="gcp", billing_period=date(2028, 2, 1)).covered == 29
