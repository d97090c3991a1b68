"""The price table: what is refused, how tiers are cut, how it is renewed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.core.cost.prices import (
    FREE_ALLOWANCE,
    UNITS,
    Meter,
    Price,
    PriceTable,
    refresh,
    tiered,
)
from airflow_multicloud.errors import CostAnalysisError
from airflow_multicloud.ports.cost import ListPrice, PriceQuery

DAY = date(2026, 11, 24)
ANY_AGE = timedelta(days=10_000)


def a_price(**changes: object) -> Price:
    values: dict[str, object] = {
        "cloud": "aws",
        "meter": Meter.COMPUTE,
        "sku": "m5.large",
        "region_id": "us-east-1",
        "unit": "hour",
        "list_unit_price": Decimal("0.096"),
        "currency": "USD",
        "tier_start": Decimal(0),
        "vcpus": Decimal(2),
        "memory_gib": Decimal(8),
        "family": "standard",
        "source": "test",
        "as_of": DAY,
    }
    return Price(**{**values, **changes})  # type: ignore[arg-type]


def test_every_bundled_price_is_sound_and_says_where_it_is_from() -> None:
    table = PriceTable.bundled(max_age=ANY_AGE)
    assert {p.cloud for p in table.prices} == {"aws", "gcp", "azure"}
    for price in table.prices:
        assert price.refusal(price.as_of, timedelta(0)) is None, price
        assert len(price.source) > 10
        assert (price.meter is Meter.COMPUTE) == (price.vcpus is not None)
    for cloud in ("aws", "gcp", "azure"):
        for meter in Meter:
            assert table.usable(cloud, meter, today=DAY)[0], (cloud, meter)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"list_unit_price": Decimal(0)}, "price is 0"),
        ({"list_unit_price": Decimal(-1)}, "price is -1"),
        ({"as_of": DAY - timedelta(days=91)}, "older than 90 days"),
        ({"unit": "month"}, "unit is 'month'"),
    ],
)
def test_bad_prices_are_refused(changes: dict[str, object], reason: str) -> None:
    table = PriceTable((a_price(**changes), a_price()))
    good, refused = table.usable("aws", Meter.COMPUTE, today=DAY)
    assert good == [a_price()]
    assert [reason in r.reason for r in refused] == [True]


def test_a_free_allowance_may_be_zero() -> None:
    price = a_price(meter=Meter.EGRESS, sku=FREE_ALLOWANCE, unit="GB", list_unit_price=Decimal(0))
    assert price.refusal(DAY, timedelta(1)) is None


def test_saved_tables_load_again(tmp_path: Path) -> None:
    table = PriceTable.bundled()
    table.save(tmp_path / "p.csv")
    assert PriceTable.load(tmp_path / "p.csv") == table


def test_broken_tables_are_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("cloud,meter\naws,compute\n")
    with pytest.raises(CostAnalysisError, match=r"mine\.csv: columns missing: .*source"):
        PriceTable.load(path)
    PriceTable((a_price(),)).save(path)
    path.write_text(path.read_text().replace("0.096", "cheap"))
    with pytest.raises(CostAnalysisError, match=r"mine\.csv line 2"):
        PriceTable.load(path)


@given(
    edges=st.lists(st.integers(1, 10_000), unique=True, max_size=4).map(sorted),
    quantity=st.integers(0, 20_000),
    used=st.integers(0, 20_000),
)
def test_tiers_take_exactly_the_quantity(edges: list[int], quantity: int, used: int) -> None:
    prices = [a_price(tier_start=Decimal(start)) for start in (0, *edges)]
    cut = tiered(prices, Decimal(quantity), Decimal(used))
    assert sum(amount for _, amount in cut) == quantity
    # By brute force: which tier each single unit falls into.
    expected: dict[Decimal, int] = {}
    for unit in range(used, used + quantity):
        start = max(p.tier_start for p in prices if p.tier_start <= unit)
        expected[start] = expected.get(start, 0) + 1
    assert {price.tier_start: int(amount) for price, amount in cut} == expected


class _List:
    """A price list that knows one SKU."""

    def __init__(self) -> None:
        self.asked: list[PriceQuery] = []

    def list_prices(self, queries: list[PriceQuery]) -> list[ListPrice]:
        self.asked = queries
        return [
            ListPrice(
                meter="compute",
                sku="m5.large",
                region_id="us-east-1",
                unit="hour",
                list_unit_price=Decimal("0.1"),
                currency="USD",
                source="the API",
                as_of=DAY,
            )
        ]


def test_refresh_renews_what_is_answered_and_says_what_is_not() -> None:
    old = a_price(as_of=date(2025, 1, 1))
    other = replace(old, sku="m5.xlarge")
    egress = replace(
        old,
        meter=Meter.EGRESS,
        sku=FREE_ALLOWANCE,
        unit=UNITS[Meter.EGRESS],
        list_unit_price=Decimal(0),
    )
    cloud = _List()
    refreshed = refresh(PriceTable((old, other, egress)), {"aws": cloud})
    assert [q.sku for q in cloud.asked] == ["m5.large", "m5.xlarge"]
    assert refreshed.changed == (
        replace(old, list_unit_price=Decimal("0.1"), as_of=DAY, source="the API"),
    )
    assert refreshed.kept == (other, egress)
    assert refreshed.table.prices == (refreshed.changed[0], other, egress)
