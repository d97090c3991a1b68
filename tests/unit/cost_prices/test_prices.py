"""The price table: what is refused, how tiers are cut, how it is renewed."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.core.cost.prices import (
    FREE_ALLOWANCE,
    UNITS,
    Meter,
    Price,
    PriceTable,
    tiered,
)
from airflow_multicloud.core.cost.prices.file import bundled_prices, format_prices, parse_prices
from airflow_multicloud.core.cost.prices.refresh import refresh
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import ListPrice, PriceQuery

DAY = date(2026, 11, 24)


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
    table = bundled_prices()
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
    table = PriceTable((a_price(**changes), a_price()), max_age=timedelta(days=90))
    good, refused = table.usable("aws", Meter.COMPUTE, today=DAY)
    assert good == [a_price()]
    assert [reason in r.reason for r in refused] == [True]


def test_a_free_allowance_may_be_zero() -> None:
    price = a_price(meter=Meter.EGRESS, sku=FREE_ALLOWANCE, unit="GB", list_unit_price=Decimal(0))
    assert price.refusal(DAY, timedelta(1)) is None


def test_an_old_price_is_used_unless_a_limit_is_set() -> None:
    old = a_price(as_of=DAY - timedelta(days=1000))
    assert PriceTable((old,)).usable("aws", Meter.COMPUTE, today=DAY) == ([old], [])


def test_written_tables_are_read_again() -> None:
    table = bundled_prices()
    assert parse_prices(format_prices(table), "p.csv") == table
    # Prices of a request are small, and sources may look like a spreadsheet's formula.
    odd = PriceTable((a_price(list_unit_price=Decimal("4E-7"), source="=1+1, of the list"),))
    assert parse_prices(format_prices(odd), "p.csv") == odd
    assert b"4E-7" not in format_prices(odd)


def test_missing_columns_are_named() -> None:
    with pytest.raises(CostAnalysisError, match=r"mine\.csv: columns missing: .*source"):
        parse_prices(b"cloud,meter\naws,compute\n", "mine.csv")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("0.096", "cheap", "list_unit_price is 'cheap'"),
        ("0.096", "NaN", "list_unit_price is 'NaN'"),
        ("0.096", "Infinity", "list_unit_price"),
        ("0.096", "-1", "list_unit_price is '-1'"),
        ("0.096", "1_000", "list_unit_price"),
        ("0.096", "1e999999999", "list_unit_price"),
        ("0.096", "0.096,7", "14 cells, expected 13"),
        (",0.096", "", "12 cells, expected 13"),
        ("0.096", "9" * 200_000, "field larger than field limit"),
        ("compute", "comput", "'comput' is not a valid Meter"),
        ("USD", "usd", "currency is 'usd'"),
        ("2026-11-24", "yesterday", "yesterday"),
        ("m5.large", "", "sku is ''"),
        ("m5.large", "\x1b[2J", "sku is"),
        ("m5.large", '"m5', "unexpected end of data"),
        ("m5.large", "\udcff", "no UTF-8"),
    ],
)
def test_broken_tables_are_one_error_with_file_and_line(old: str, new: str, why: str) -> None:
    text = format_prices(PriceTable((a_price(sku="ok"), a_price()))).decode()
    head, _, last = text.rstrip().rpartition("\n")
    broken = f"{head}\n{last.replace(old, new, 1)}\n".encode(errors="surrogateescape")
    with pytest.raises(CostAnalysisError) as caught:
        parse_prices(broken, "mine.csv")
    assert "price table mine.csv line 3: " in str(caught.value)
    assert why in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_the_same_price_twice_is_refused() -> None:
    with pytest.raises(CostAnalysisError, match="line 3: the same price is on line 2"):
        parse_prices(format_prices(PriceTable((a_price(), a_price()))), "mine.csv")


@given(st.binary(max_size=400))
def test_no_input_is_another_error(content: bytes) -> None:
    header = format_prices(PriceTable(()))
    for text in (content, header + content):
        with contextlib.suppress(CostAnalysisError):
            parse_prices(text, "mine.csv")


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


def test_a_list_that_fails_keeps_its_prices_and_stops_no_other() -> None:
    class Broken(_List):
        def list_prices(self, queries: list[PriceQuery]) -> list[ListPrice]:
            raise CostAnalysisError("no permission", kind=ErrorKind.PERMISSION_DENIED)

    old = a_price(as_of=date(2025, 1, 1))
    azure = a_price(cloud="azure", as_of=date(2025, 1, 1))
    refreshed = refresh(PriceTable((old, azure)), {"azure": Broken(), "aws": _List()})
    assert refreshed.failed == {"azure": "no permission"}
    assert (refreshed.kept, len(refreshed.renewed)) == ((azure,), 1)


def test_other_regions_get_the_prices_that_their_list_has() -> None:
    class Lists(_List):
        def list_prices(self, queries: list[PriceQuery]) -> list[ListPrice]:
            tiers = {"m5.large": (0,), "internet": (0, 10_240), "half": (10_240,)}
            return [
                ListPrice(
                    meter=q.meter,
                    sku=q.sku,
                    region_id=q.region_id,
                    unit=UNITS[Meter(q.meter)],
                    list_unit_price=Decimal(1) / (1 + start),
                    currency="USD",
                    source="the API",
                    as_of=DAY,
                    tier_start=Decimal(start),
                )
                for q in queries
                if q.region_id == "eu-central-1"
                for start in tiers.get(q.sku, ())
            ]

    egress = {"meter": Meter.EGRESS, "unit": "GB", "vcpus": None, "memory_gib": None}
    table = PriceTable(
        (
            a_price(),
            a_price(**egress, sku="internet", tier_start=Decimal(100)),
            a_price(**egress, sku="half"),
            a_price(**egress, sku=FREE_ALLOWANCE, list_unit_price=Decimal(0)),
        )
    )
    refreshed = refresh(table, {"aws": Lists()}, regions={"aws": ["eu-central-1", "eu-central-1"]})
    assert refreshed.kept == table.prices
    found = [(p.sku, p.tier_start) for p in refreshed.renewed]
    # Of "half" the first tier is not known: it would look free.
    assert found == [("m5.large", 0), ("internet", 0), ("internet", 10_240)]
    machine = refreshed.renewed[0]
    assert (machine.region_id, machine.vcpus, machine.as_of) == ("eu-central-1", 2, DAY)
    assert parse_prices(format_prices(refreshed.table), "p.csv") == refreshed.table
