"""Money is added, subtracted and multiplied without rounding, and rounded in one way."""

from __future__ import annotations

from decimal import Decimal, getcontext

import pytest

from airflow_multicloud.core.cost.money import (
    Costs,
    cents,
    exact_difference,
    exact_product,
    exact_sum,
    percent,
)

#: More digits than Python's default context keeps.
LARGE, SMALL = Decimal(123456789012345), Decimal("0.000000000000000000000001")


def test_sums_and_differences_keep_every_digit() -> None:
    assert getcontext().prec < len("123456789012345000000000000000000000001")
    whole = exact_sum([LARGE, SMALL])
    assert str(whole) == "123456789012345.000000000000000000000001"
    assert exact_difference(whole, LARGE) == SMALL
    assert exact_difference(whole, SMALL, LARGE) == 0
    assert exact_sum([]) == 0


def test_products_keep_every_digit() -> None:
    assert exact_product(LARGE, SMALL) == Decimal("123456789012345E-24")


def test_costs_of_all_bases_keep_every_digit() -> None:
    added = Costs(billed=LARGE, list=SMALL) + Costs(billed=SMALL, list=LARGE)
    assert added.billed == added.list == exact_sum([LARGE, SMALL])
    assert added.effective == added.contracted == 0


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [
        (Decimal("0.125"), "0.12"),
        (Decimal("0.135"), "0.14"),
        (Decimal("-0.125"), "-0.12"),
        (Decimal(3), "3.00"),
        (LARGE * 10**14 + Decimal("0.5"), f"{LARGE}00000000000000.00"),
        (0.1 + 0.2, "0.30"),
        (1.005, "1.00"),
        (0, "0.00"),
    ],
)
def test_cents_are_rounded_half_even(amount: Decimal | float, rounded: str) -> None:
    assert str(cents(amount)) == rounded


def test_percent() -> None:
    assert percent(Decimal(1), Decimal(3)) == Decimal("33.3")
    assert percent(Decimal(-1), Decimal(8)) == Decimal("-12.5")
    assert percent(Decimal(1), Decimal(0)) is None
    assert percent(Decimal(1), Decimal(-1)) is None
