"""The same workload on three clouds: own prices first, and nothing ranked that can't be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from airflow_multicloud.api import CloudCostAnalyzer
from airflow_multicloud.core.cost.prices import Meter, PriceTable
from airflow_multicloud.core.cost.prices.file import bundled_prices
from airflow_multicloud.core.cost.prices.own import OwnPrices, own_prices
from airflow_multicloud.core.cost.prices.workload import (
    Workload,
    WorkloadComparison,
    price_workload,
)
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

TODAY = date(2026, 11, 24)
CLOUDS = ("aws", "gcp", "azure")
NONE = OwnPrices((), ())


def convert(amount: Decimal, currency: str, day: date) -> Decimal:
    assert currency == "EUR"
    return amount * Decimal("1.1")


def compare(
    workload: Workload, own: OwnPrices = NONE, max_age: timedelta | None = None
) -> WorkloadComparison:
    return price_workload(
        workload,
        CLOUDS,
        own=own,
        table=bundled_prices(max_age=max_age),
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
    service: str = "Amazon Elastic Compute Cloud",
    region: str | None = "r1",
) -> None:
    bill.execute(
        "INSERT INTO costs VALUES (?, ?, ?, ?, NULL, ?, NULL, ?, ?, ?, ?, "
        "DATE '2026-11-20', ?, ?, 'Usage', NULL)",
        [
            cloud,
            region,
            details,
            meter,
            service,
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


@pytest.mark.parametrize("unit", ["0K", "0 Requests", f"{10**15} requests"])
def test_a_price_of_no_requests_is_refused_alone(
    bill: duckdb.DuckDBPyConnection, unit: str
) -> None:
    charge(bill, cost="5", details="{}", meter="PUT requests", unit=unit, category="Storage")
    charge(bill, cost="5")
    own = own_prices(bill, today=TODAY)
    assert [price.sku for price in own.prices] == ["m7i.xlarge"]
    assert [r.reason for r in own.refused] == [
        f"a pricing unit of no usable number of requests: {unit.lower()!r}"
    ]


def test_a_digit_that_is_no_number_stops_no_question(bill: duckdb.DuckDBPyConnection) -> None:
    charge(
        bill, cost="5", details="{}", meter="PUT requests", unit="² requests", category="Storage"
    )
    (price,) = own_prices(bill, today=TODAY).prices
    assert price.list_unit_price == Decimal(500)


@pytest.mark.parametrize("details", ["n/a", "", "{", '{"CoreCount": 4'])
def test_details_that_are_no_json_say_nothing(
    bill: duckdb.DuckDBPyConnection, details: str
) -> None:
    charge(bill, cost="5", details=details)
    charge(bill, cost="5")
    (price,) = own_prices(bill, today=TODAY).prices
    assert (price.sku, price.list_unit_price) == ("m7i.xlarge", Decimal("0.5"))


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


@pytest.mark.parametrize(
    ("service", "category", "meter"),
    [
        ("Amazon Relational Database Service", "Databases", "InstanceUsage:db.m7i.xlarge"),
        ("Amazon Relational Database Service", "Compute", "InstanceUsage:db.m7i.xlarge"),
        ("Amazon Elastic MapReduce", "Analytics", "BoxUsage:m7i.xlarge"),
        ("Amazon Elastic Container Service for Kubernetes", "Compute", "ManagedNode:m7i.xlarge"),
        ("Amazon SageMaker", "AI and Machine Learning", "Host:ml.m7i.xlarge"),
    ],
)
def test_only_machines_are_quoted_as_machines(
    bill: duckdb.DuckDBPyConnection, service: str, category: str, meter: str
) -> None:
    charge(bill, cost="0.1", service=service, category=category, meter=meter)
    assert not own_prices(bill, today=TODAY).prices
    quotes = compare(FOUR_CORES, own_prices(bill, today=TODAY)).quotes
    assert {q.cloud: q.lines[0].sku for q in quotes}["aws"] == "m5.xlarge"


@pytest.mark.parametrize(
    "surcharge", ["EBSOptimized:m7i.xlarge", "CPUCredits:m7i.xlarge", "Something:m7i.xlarge"]
)
def test_surcharges_are_not_averaged_into_a_machine(
    bill: duckdb.DuckDBPyConnection, surcharge: str
) -> None:
    charge(bill, cost="2", meter=surcharge, quantity="100")
    charge(bill, cost="2", quantity="10")
    charge(bill, cost="4", quantity="20")  # the same SKU, of another account
    own = own_prices(bill, today=TODAY)
    assert [p.list_unit_price for p in own.prices] == [Decimal("0.2")]
    assert len(own.refused) == 1


def test_halves_of_a_machine_are_no_machine(bill: duckdb.DuckDBPyConnection) -> None:
    for meter in ("N2 Instance Core running in Frankfurt", "N2 Instance Ram running in Frankfurt"):
        charge(bill, cost="0.01", cloud="gcp", meter=meter, service="Compute Engine")
    own = own_prices(bill, today=TODAY)
    assert (own.prices, len(own.refused)) == ((), 2)


@pytest.mark.parametrize("meter", ["EBS:VolumeUsage.gp3", "Premium SSD Managed Disks", "EFS bytes"])
def test_disks_are_not_object_storage(bill: duckdb.DuckDBPyConnection, meter: str) -> None:
    charge(bill, cost="1", details="{}", meter=meter, unit="GB-Mo", category="Storage")
    assert not own_prices(bill, today=TODAY).prices


def test_requests_of_other_services_are_not_storage(bill: duckdb.DuckDBPyConnection) -> None:
    for meter in ("WriteRequestUnits", "ReadRequestUnits"):
        charge(bill, cost="1", details="{}", meter=meter, unit="Requests", category="Databases")
    charge(bill, cost="1", details="{}", meter="input events", unit="Requests", category="Storage")
    assert not own_prices(bill, today=TODAY).prices


def test_a_price_without_a_region_is_refused(bill: duckdb.DuckDBPyConnection) -> None:
    charge(bill, cost="1", region=None)
    own = own_prices(bill, today=TODAY)
    assert [r.reason for r in own.refused] == ["no region"]


def test_a_quote_is_of_one_region(bill: duckdb.DuckDBPyConnection) -> None:
    """A cheap machine in one region and cheap storage in another are no offer."""
    storage = {"details": "{}", "meter": "Standard Storage", "unit": "GB-Mo", "category": "Storage"}
    charge(bill, cost="0.1", region="r1")
    charge(bill, cost="0.1", region="r2", **storage)
    both = Workload(vcpus=Decimal(4), memory_gib=Decimal(16), storage_gb=Decimal(10))
    own = own_prices(bill, today=TODAY)
    for quote in compare(both, own).quotes:
        assert {line.region_id for line in quote.lines} == {quote.region_id}
    aws = {q.cloud: q for q in compare(both, own).quotes}["aws"]
    assert (aws.complete, aws.region_id) == (True, "us-east-1")
    # With both in one region the own prices are taken.
    charge(bill, cost="0.1", region="r1", **storage)
    aws = {q.cloud: q for q in compare(both, own_prices(bill, today=TODAY)).quotes}["aws"]
    assert (aws.region_id, aws.total) == ("r1", Decimal(730) / 100 + Decimal("0.1"))


def test_a_region_asked_for_is_the_one(bill: duckdb.DuckDBPyConnection) -> None:
    charge(bill, cost="0.1", region="r1")
    both = Workload(vcpus=Decimal(4), storage_gb=Decimal(10))
    found = price_workload(
        both,
        ["aws"],
        own=own_prices(bill, today=TODAY),
        table=bundled_prices(),
        convert=convert,
        currency="USD",
        today=TODAY,
        regions={"aws": "r1"},
    )
    (aws,) = found.quotes
    assert (aws.region_id, aws.missing) == ("r1", (Meter.STORAGE,))


def test_a_price_in_a_currency_without_a_rate_costs_itself() -> None:
    def no_rate(amount: Decimal, currency: str, day: date) -> Decimal:
        raise CostAnalysisError(f"no rate of {currency}", kind=ErrorKind.NOT_FOUND)

    table = bundled_prices()
    listed = next(p for p in table.prices if p.cloud == "aws" and p.meter is Meter.STORAGE)
    cheap = replace(listed, currency="TWD", sku="OTHER", list_unit_price=Decimal("1e-9"))
    found = price_workload(
        Workload(storage_gb=Decimal(10)),
        CLOUDS,
        own=NONE,
        table=PriceTable((*table.prices, cheap)),
        convert=no_rate,
        currency="USD",
        today=TODAY,
    )
    assert all(q.complete for q in found.quotes)
    assert [r.reason for r in found.refused] == ["no rate of TWD"]


def test_what_is_below_the_first_tier_is_not_free() -> None:
    table = bundled_prices()
    kept = tuple(p for p in table.prices if p.sku != "free-allowance")
    found = price_workload(
        Workload(egress_gb=Decimal(200)),
        ["aws"],
        own=NONE,
        table=PriceTable(kept),
        convert=convert,
        currency="USD",
        today=TODAY,
    )
    assert found.quotes[0].missing == (Meter.EGRESS,)


@pytest.mark.parametrize("day", [date(2026, 11, 28), date(2026, 12, 6), date(2030, 1, 1)])
def test_old_lists_are_ranked_and_their_age_is_said(day: date) -> None:
    found = price_workload(
        Workload(vcpus=Decimal(4), storage_gb=Decimal(1000), egress_gb=Decimal(200)),
        CLOUDS,
        own=NONE,
        table=bundled_prices(),
        convert=convert,
        currency="USD",
        today=day,
    )
    assert found.cheapest is not None
    for quote in found.quotes:
        assert quote.complete
        assert quote.old(day)
        assert str(quote.oldest_price) in str(quote)


def test_lists_older_than_the_limit_are_not_ranked() -> None:
    result = compare(FOUR_CORES, max_age=timedelta(days=1))
    assert result.cheapest is None
    assert all(q.missing == (Meter.COMPUTE,) for q in result.quotes)
    assert len(result.refused) > 10


def test_the_limit_holds_for_a_table_that_is_given(tmp_path: Path) -> None:
    costs = CloudCostAnalyzer(tmp_path)
    table = bundled_prices()
    day = max(price.as_of for price in table.prices) + timedelta(days=30)

    def ranked(max_age: timedelta | None, table: PriceTable = table) -> bool:
        found = costs.price_workload(
            FOUR_CORES, CLOUDS, today=day, prices=table, max_price_age=max_age
        )
        return found.cheapest is not None

    assert ranked(None)
    assert not ranked(timedelta(days=29))
    assert not ranked(None, replace(table, max_age=timedelta(days=29)))


def test_a_cloud_with_a_missing_part_ranks_after_complete_ones() -> None:
    table = bundled_prices()
    kept = tuple(p for p in table.prices if not (p.cloud == "gcp" and p.meter is Meter.STORAGE))
    result = price_workload(
        Workload(storage_gb=Decimal(100), egress_gb=Decimal(200)),
        CLOUDS,
        own=NONE,
        table=PriceTable(kept),
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
    with pytest.raises(CostAnalysisError, match="storage_gb: -1 given"):
        Workload(storage_gb=Decimal(-1))


EGRESS = {
    "details": "{}", "meter": "Data Transfer Out", "unit": "GB", "category": "Networking",
}  # fmt: skip
STORAGE = {"details": "{}", "meter": "Standard Storage", "unit": "GB-Mo", "category": "Storage"}


@pytest.mark.parametrize("what", [{}, EGRESS, STORAGE])
@pytest.mark.parametrize(
    ("cost", "reason"), [("0", "price is 0"), ("-0.3", "price is negative: a refund")]
)
def test_what_was_not_charged_for_lowers_no_price(
    bill: duckdb.DuckDBPyConnection, what: dict[str, str], cost: str, reason: str
) -> None:
    charge(bill, cost="1.8", quantity="20", **what)
    charge(bill, cost=cost, quantity="100", **what)
    own = own_prices(bill, today=TODAY)
    assert [p.list_unit_price for p in own.prices] == [Decimal("0.09")]
    (refused,) = own.refused
    assert refused.reason.startswith(reason)


@pytest.mark.parametrize(
    "system",
    [
        "Linux with SQL Std",
        "Linux with SQL Ent",
        "Red Hat Enterprise Linux with HA",
        "SUSE Linux",
        "Ubuntu Pro",
        "Windows",
    ],
)
@pytest.mark.parametrize("told_by", ["details", "meter"])
def test_a_licence_is_no_part_of_a_machine_s_price(
    bill: duckdb.DuckDBPyConnection, system: str, told_by: str
) -> None:
    machine = '{"CoreCount": 4, "MemorySize": 16, "InstanceType": "m5.xlarge"'
    charge(bill, cost="1.92", details=machine + ', "OperatingSystem": "Linux"}')
    if told_by == "details":
        details = f'{machine}, "OperatingSystem": "{system}"}}'
        charge(bill, cost="6.72", details=details, meter="BoxUsage:licensed")
    else:
        charge(bill, cost="6.72", details=machine + "}", meter=f"On Demand {system} m5.xlarge Hour")
    own = own_prices(bill, today=TODAY)
    assert [p.list_unit_price for p in own.prices] == [Decimal("0.192")]
    assert len(own.refused) == 1


@pytest.mark.parametrize("system", ["Linux", "Linux/UNIX", "Amazon Linux", "Ubuntu", "Debian"])
def test_a_free_operating_system_is_none(bill: duckdb.DuckDBPyConnection, system: str) -> None:
    details = f'{{"CoreCount": 4, "MemorySize": 16, "OperatingSystem": "{system}"}}'
    charge(bill, cost="1", details=details)
    assert own_prices(bill, today=TODAY).prices


@pytest.mark.parametrize(
    "service",
    ["Amazon ElastiCache", "Amazon OpenSearch Service", "Amazon Redshift", "Amazon MemoryDB",
     "Azure Cache for Redis", "Virtual Machines Licenses", "Amazon EC2 Container Service"],
)  # fmt: skip
def test_a_service_that_runs_on_machines_sells_none(
    bill: duckdb.DuckDBPyConnection, service: str
) -> None:
    charge(bill, cost="0.8", service=service)
    own = own_prices(bill, today=TODAY)
    assert not own.prices
    assert [r.reason for r in own.refused] == [f"no virtual machine but {service.lower()}"]


@pytest.mark.parametrize(
    "service", ["Amazon EC2", "Amazon Elastic Compute Cloud", "Compute Engine", "Virtual Machines"]
)
def test_the_services_that_sell_machines(bill: duckdb.DuckDBPyConnection, service: str) -> None:
    charge(bill, cost="0.8", service=service)
    assert own_prices(bill, today=TODAY).prices
