"""Restated bills: three ways to say the same correction."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_multicloud.ports.cost import CorrectionStyle
from airflow_multicloud.testing.bills import Bill, Restatement, open_bill, write_bill
from tests.unit.bills.conftest import small_bill

if TYPE_CHECKING:
    from pathlib import Path

SERVICE = "Amazon Simple Storage Service"
APPENDING = (CorrectionStyle.APPEND, CorrectionStyle.ADJUST)


def restate(bill: Bill, style: CorrectionStyle, *, factor: str = "1.25", day: int = 3) -> Bill:
    return bill.restate(Restatement(style=style, service=SERVICE, day=day, factor=Decimal(factor)))


def usage_of(bill: Bill, service: str = SERVICE, day: int = 3) -> dict[str, Decimal]:
    with open_bill(bill) as connection:
        found = connection.execute(
            "SELECT sum(BilledCost), sum(EffectiveCost), sum(ListCost), sum(ContractedCost), "
            f"sum(PricingQuantity) FROM bill WHERE ServiceName = '{service}' AND "
            f"ChargeCategory = 'Usage' AND day(ChargePeriodStart) = {day}"
        ).fetchone()
    assert found is not None
    return dict(zip(("billed", "effective", "list", "contracted", "quantity"), found, strict=True))


@pytest.mark.parametrize("style", CorrectionStyle)
def test_corrects_by_the_factor(style: CorrectionStyle) -> None:
    bill = small_bill()
    before, after = usage_of(bill), usage_of(restate(bill, style))
    for name, cost in before.items():
        assert abs(after[name] / cost - Decimal("1.25")) < Decimal("0.001"), name


def test_styles_agree() -> None:
    """Whichever way it is said, the corrected bill adds up to the same; only rows differ."""
    bill = small_bill()
    versions = {style: restate(bill, style).totals() for style in CorrectionStyle}
    for style in APPENDING:
        for dimension, values in versions[CorrectionStyle.REPLACE].by.items():
            for value, costs in values.items():
                other = versions[style].by[dimension][value]
                assert other.billed_cost == costs.billed_cost, (dimension, value)
                assert other.effective_cost == costs.effective_cost, (dimension, value)
                assert other.list_cost == costs.list_cost, (dimension, value)
    rows = [versions[style].total.rows for style in CorrectionStyle]
    assert rows[0] == 3000
    assert rows[1] - 3000 == 2 * (rows[2] - 3000) > 0


@pytest.mark.parametrize("style", CorrectionStyle)
def test_nothing_else_changes(style: CorrectionStyle) -> None:
    bill = small_bill()
    before, after = bill.totals().by, restate(bill, style).totals().by
    changed = {
        dimension: [value for value, costs in after[dimension].items() if costs != old.get(value)]
        for dimension, old in before.items()
    }
    assert changed["ServiceName"] == [SERVICE]
    assert changed["ChargeDate"] == ["2026-09-03"]
    assert changed["ChargeCategory"] == ["Usage"]


@pytest.mark.parametrize("style", APPENDING)
def test_appended_rows_make_the_difference(style: CorrectionStyle, tmp_path: Path) -> None:
    bill = small_bill()
    restated = restate(bill, style)
    written = write_bill(restated, tmp_path, since=1)
    before, after = bill.totals().total, restated.totals().total
    added = written.totals.total
    assert written.rows == added.rows == after.rows - before.rows > 0
    assert before.billed_cost + added.billed_cost == after.billed_cost
    assert before.list_cost + added.list_cost == after.list_cost
    with open_bill(restated) as connection:
        classes = connection.execute(
            "SELECT DISTINCT ChargeClass FROM bill WHERE x_Version = 1"
        ).fetchall()
        first = connection.execute("SELECT count(*) FROM bill WHERE x_Version = 0").fetchone()
    assert classes == [("Correction",)]
    assert first == (3000,)


def test_taken_back() -> None:
    bill = restate(small_bill(), CorrectionStyle.APPEND, factor="0")
    assert usage_of(bill) == dict.fromkeys(
        ("billed", "effective", "list", "contracted", "quantity"), 0
    )


@settings(max_examples=10, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.integers(1, 4),
            st.sampled_from(["0.5", "1.01", "2", "0"]),
            st.sampled_from(APPENDING),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_versions_add_up(steps: list[tuple[int, str, CorrectionStyle]]) -> None:
    """However often a bill is corrected: each version is the one before and what it adds."""
    bill = small_bill(rows=400, days=5)
    for day, factor, style in steps:
        restated = restate(bill, style, factor=factor, day=day)
        before, after = bill.totals().total, restated.totals().total
        added = restated.totals(since=restated.version).total
        assert before.billed_cost + added.billed_cost == after.billed_cost
        assert before.effective_cost + added.effective_cost == after.effective_cost
        assert before.rows + added.rows == after.rows
        bill = restated


def test_refused() -> None:
    bill = small_bill()
    with pytest.raises(ValueError, match="service: 'S3' given, allowed is one of"):
        bill.restate(Restatement(style=CorrectionStyle.REPLACE, service="S3", day=1))
    with pytest.raises(ValueError, match="day: 30 given, allowed is 1 to 20"):
        bill.restate(Restatement(style=CorrectionStyle.REPLACE, service=SERVICE, day=30))
