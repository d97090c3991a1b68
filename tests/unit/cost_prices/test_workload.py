"""The same workload on three clouds: own prices first, and nothing ranked that can't be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import duckdb
import pytest

from airflow_multicloud.core.cost.prices import Meter, PriceTable
from airflow_multicloud.core.cost.unit_prices import OwnPrices, own_prices
from airflow_multicloud.core.cost.workload import Workload, WorkloadComparison, price_workload
from airflow_multicloud.errors import CostAnalysisError

TODAY = date(2026, 11, 24)
FRESH = timedelta(days=1000)
CLOUDS = ("aws", "gcp", "azure")
NONE = OwnPrices((), ())


def convert(amount: Decimal, currency: str, day: date) -> Decimal:
    assert currency == "EUR"
    return amount * Decimal("1.1")


def compare(
    workload: Workload, own: OwnPrices = NONE, max_age: timedelta = FRESH
) -> WorkloadComparison:
    return price_workload(
        workload,
        CLOUDS,
        own=own,
        table=PriceTable.bundled(max_age=max_age),
        convert=convert,
        currency="USD",
        today=TODAY,
    )


@pytest.fixture
def bill() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("""
            CREATE TABLE costs (
                Cloud VARCHAR, RegionId VARCHAR, SkuPriceDetails VARCHAR, SkuMeter VARCHAR,
                SkuId VARCHAR, ServiceName VARCHAR, ChargeDescription VARCHAR,
                PricingUnit VARCHAR, ServiceCategory VARCHAR, PricingCategory VARCHAR,
                BillingCurrency VARCHAR, ChargeDate DATE, ContractedCost DECIMAL(28, 10),
                PricingQuantity DECIMAL(28, 10), ChargeCategory VARCHAR, ChargeClass VARCHAR)
        """)
        yield connection


def charge(
    bill: duckdb.DuckDBPyConnection,
    *,
    cost: str,
    quantity: str = "10",
    cloud: str = "aws",
    details: str = '{"CoreCount": 4, "MemorySize": 16, "InstanceType": "m7i.xlarge"}',
    meter: str = "BoxUsage:m7i.xlarge",
    unit: str = "Hours",
    category: str = "Compute",
    pricing: str = "Standard",
    currency: str = "USD",
) -> None:
    bill.execute(
        "INSERT INTO costs VALUES (?, 'r1', ?, ?, NULL, 'S', NULL, ?, ?, ?, ?, "
        "DATE '2026-11-20', ?, ?, 'Usage', NULL)",
        [
            cloud,
            details,
            meter,
            unit,
            category,
            pricing,
            currency,
            Decimal(cost),
            Decimal(quantity),
        ],
    )


FOUR_CORES = Workload(vcpus=Decimal(4), memory_gib=Decimal(16))


def test_list_prices_rank_the_clouds() -> None:
    result = compare(FOUR_CORES)
    assert result.cheapest is not None
    assert [(q.cloud, q.lines[0].sku) for q in result.quotes] == [
        ("gcp", "e2-standard-4"),
        ("aws", "m5.xlarge"),
        ("azure", "D4s_v5"),
    ]
    assert result.cheapest.total == 730 * Decimal("0.134")


def test_shared_cores_only_when_asked_for() -> None:
    tiny = Workload(vcpus=Decimal(1), memory_gib=Decimal(1), burstable=True)
    skus = {q.cloud: q.lines[0].sku for q in compare(tiny).quotes}
    assert skus == {"aws": "t3.micro", "gcp": "e2-micro", "azure": "B1s"}


def test_own_prices_come_before_lists(bill: duckdb.DuckDBPyConnection) -> None:
    charge(bill, cost="0.5")
    quote = compare(FOUR_CORES, own_prices(bill, today=TODAY)).cheapest
    assert quote is not None
    assert (quote.cloud, quote.lines[0].sku, quote.lines[0].unit_price) == (
        "aws",
        "m7i.xlarge",
        Decimal("0.05"),
    )
    assert "the bill" in quote.lines[0].source


def test_own_prices_in_another_currency_are_converted(bill: duckdb.DuckDBPyConnection) -> None:
    charge(bill, cloud="azure", cost="1", currency="EUR")
    azure = next(
        q for q in compare(FOUR_CORES, own_prices(bill, today=TODAY)).quotes if q.cloud == "azure"
    )
    assert azure.total == 730 * Decimal("0.1") * Decimal("1.1")
    assert (azure.currency, azure.lines[0].unit_currency) == ("USD", "EUR")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cost": "0"}, "price is 0"),
        ({"cost": "1", "meter": "DedicatedUsage:m7i.xlarge"}, "dedicated tenancy"),
        ({"cost": "1", "pricing": "Dynamic"}, "spot price"),
        ({"cost": "1", "pricing": "Committed"}, "commitment price"),
        (
            {
                "cost": "1",
                "details": '{"CoreCount": 4, "MemorySize": 16, "OperatingSystem": "Windows"}',
            },
            "operating system Windows",
        ),
    ],
)
def test_prices_that_can_not_be_compared_are_refused(
    bill: duckdb.DuckDBPyConnection, changes: dict[str, str], reason: str
) -> None:
    charge(bill, **changes)
    own = own_prices(bill, today=TODAY)
    assert not own.prices
    assert [r.reason for r in own.refused] == [reason] or reason in own.refused[0].reason
    assert own.refused[0] in compare(FOUR_CORES, own).refused


@pytest.mark.parametrize(
    ("unit", "per_thousand"),
    [("10K", "0.05"), ("1000 Requests", "0.5"), ("1K Requests", "0.5"), ("Requests", "500")],
)
def test_request_units_are_understood(
    bill: duckdb.DuckDBPyConnection, unit: str, per_thousand: str
) -> None:
    charge(bill, cost="5", details="{}", meter="PUT requests", unit=unit, category="Storage")
    (price,) = own_prices(bill, today=TODAY).prices
    assert (price.meter, price.list_unit_price) == (Meter.WRITES, Decimal(per_thousand))


@pytest.mark.parametrize("unit", ["GB-Mo", "GB-month", "1 GB/Month", "gibibyte month", "GiB-Mo"])
def test_storage_units_are_understood(bill: duckdb.DuckDBPyConnection, unit: str) -> None:
    charge(bill, cost="5", details="{}", meter="Standard Storage", unit=unit, category="Storage")
    (price,) = own_prices(bill, today=TODAY).prices
    assert (price.meter, price.list_unit_price) == (Meter.STORAGE, Decimal("0.5"))


@pytest.mark.parametrize("unit", ["GB", "gibibyte", "1 GB"])
def test_egress_units_are_understood(bill: duckdb.DuckDBPyConnection, unit: str) -> None:
    charge(
        bill, cost="5", details="{}", meter="Data Transfer Out", unit=unit, category="Networking"
    )
    (price,) = own_prices(bill, today=TODAY).prices
    assert (price.meter, price.list_unit_price) == (Meter.EGRESS, Decimal("0.5"))


def test_stale_lists_are_not_ranked() -> None:
    result = compare(FOUR_CORES, max_age=timedelta(days=1))
    assert result.cheapest is None
    assert all(q.missing == (Meter.COMPUTE,) for q in result.quotes)
    assert len(result.refused) > 10


def test_a_cloud_with_a_missing_part_ranks_after_complete_ones() -> None:
    table = PriceTable.bundled(max_age=FRESH)
    kept = tuple(p for p in table.prices if not (p.cloud == "gcp" and p.meter is Meter.STORAGE))
    result = price_workload(
        Workload(storage_gb=Decimal(100), egress_gb=Decimal(200)),
        CLOUDS,
        own=NONE,
        table=PriceTable(kept, FRESH),
        convert=convert,
        currency="USD",
        today=TODAY,
    )
    assert [q.cloud for q in result.quotes if not q.complete] == ["gcp"]
    assert result.quotes[-1].cloud == "gcp"
    azure = result.quotes[0]
    assert azure.cloud == "azure"
    assert azure.total == 100 * Decimal("0.018") + 100 * Decimal("0.087")


def test_empty_and_negative_workloads_are_refused() -> None:
    with pytest.raises(CostAnalysisError, match="nothing to price"):
        Workload()
    with pytest.raises(CostAnalysisError, match="storage_gb is -1"):
        Workload(storage_gb=Decimal(-1))
