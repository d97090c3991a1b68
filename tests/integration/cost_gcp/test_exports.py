"""Google's billing tables through bqemulator: the standard and detailed forms, and refusals."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.cost.reading import open_source
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import CorrectionStyle, CostQueries
from airflow_multicloud.testing.bills import Bill, BillOptions, Restatement
from airflow_multicloud.testing.bills.bigquery import standard_rows
from airflow_multicloud.testing.bills.bigquery_schemas import DETAILED_SCHEMA, STANDARD_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from airflow_multicloud.clouds.gcp.cost import GCPCostHook
    from airflow_multicloud.ports.cost import FetchedPeriod
    from airflow_multicloud.testing.bills.bigquery_schemas import Field

NOW = datetime(2026, 10, 2, 3, 4, 5, 678_901, tzinfo=UTC)


@pytest.fixture
def hook(local_bigquery: str) -> GCPCostHook:
    from airflow_multicloud.clouds.gcp.cost import GCPCostHook

    return GCPCostHook(local_bigquery)


def make_table(hook: GCPCostHook, schema: Sequence[Field]) -> str:
    """A new empty table, partitioned by the day of its loads; the export's location."""
    from google.cloud.bigquery import SchemaField, Table, TimePartitioning

    client = hook.get_client(project_id="local")
    dataset = f"bills_{uuid.uuid4().hex[:16]}"
    client.create_dataset(dataset)
    fields = [SchemaField.from_api_repr(field.as_json()) for field in schema]
    table = Table(f"local.{dataset}.billing", fields)
    table.time_partitioning = TimePartitioning()
    client.create_table(table)
    return f"local/{dataset}/billing"


def insert(hook: GCPCostHook, export: str, rows: Iterable[dict[str, Any]]) -> None:
    client = hook.get_client(project_id="local")
    found = iter(rows)
    while batch := list(islice(found, 500)):
        assert not client.insert_rows_json(export.replace("/", "."), batch)


def query(found: FetchedPeriod, sql: str) -> list[tuple[Any, ...]]:
    """Over the canonical rows, as the store reads them."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        canonical = open_source(connection, found).select()
        connection.execute(f"CREATE VIEW costs AS {canonical}")
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize("detailed", [False, True], ids=["standard", "detailed"])
def test_bill(hook: GCPCostHook, tmp_path: Path, *, detailed: bool) -> None:
    """Billed cost adds up by service, tag and day; a correction is read alone and together."""
    options = BillOptions(
        cloud="gcp", billing_period=date(2026, 9, 1), days=5, rows=300, commitments=False
    )
    bill = Bill(options)
    service = max(bill.totals().by["ServiceName"].items(), key=lambda item: item[1].rows)[0]
    assert service
    restated = bill.restate(Restatement(style=CorrectionStyle.APPEND, service=service, day=2))
    export = make_table(hook, DETAILED_SCHEMA if detailed else STANDARD_SCHEMA)
    times = [NOW, NOW + timedelta(hours=8)]
    insert(hook, export, standard_rows(bill, times[:1], detailed=detailed))
    (before,) = hook.list_billing_periods(export)
    insert(hook, export, standard_rows(restated, times, since=1, detailed=detailed))
    (after,) = hook.list_billing_periods(export)
    assert before.exported_at == NOW
    assert (after.style, after.exported_at) == (CorrectionStyle.APPEND, times[1])
    for number, (period, since, expected) in enumerate(
        [
            (before, None, bill.totals()),
            (after, None, restated.totals()),
            (after, before.version, restated.totals(since=1)),
        ]
    ):
        directory = tmp_path / str(number)
        directory.mkdir()
        found = hook.fetch_billing_period(period, directory, after=since)
        assert found.period.version == period.version
        for dimension, column in (
            ("ServiceName", "ServiceName"),
            ("airflow-dag", "Tags['airflow-dag']"),
            ("ChargeDate", "strftime(ChargeDate, '%Y-%m-%d')"),
        ):
            sums = query(found, f"SELECT {column}, sum(BilledCost) FROM costs GROUP BY 1")
            wanted = {key: costs.billed_cost for key, costs in expected.by[dimension].items()}
            assert {key: Decimal(cost) for key, cost in sums if cost} == {
                key: cost for key, cost in wanted.items() if cost
            }
    if detailed:
        assert query(found, "SELECT count(*) FROM costs WHERE ResourceId IS NOT NULL")[0][0]


def charge(**more: Any) -> dict[str, Any]:
    return {
        "billing_account_id": "01-02",
        "service": {"id": "6F", "description": "Compute Engine"},
        "sku": {"id": "AA", "description": "N2 Instance Core running in Iowa"},
        "usage_start_time": "2026-09-01T00:00:00Z",
        "usage_end_time": "2026-09-01T01:00:00Z",
        "project": {"id": "p", "labels": [{"key": "team", "value": "theirs"}]},
        "labels": [{"key": "team", "value": "ours"}],
        "export_time": NOW.isoformat(),
        "cost": 10.123456789,
        "cost_at_list": 12.0,
        "currency": "USD",
        "usage": {"amount": 1e21, "unit": "byte-seconds"}
        | {"amount_in_pricing_units": 2.5, "pricing_unit": "gibibyte month"},
        "credits": [],
        "invoice": {"month": "202609"},
        "cost_type": "regular",
        **more,
    }


def test_credits(hook: GCPCostHook, tmp_path: Path) -> None:
    """Discounts on usage are in its cost; other credits, tax and rounding are rows."""
    export = make_table(hook, DETAILED_SCHEMA)
    committed = {"type": "COMMITTED_USAGE_DISCOUNT", "id": "c", "name": "CUD", "amount": -4.1}
    sustained = {"type": "SUSTAINED_USAGE_DISCOUNT", "name": "SUD", "amount": -0.9}
    promotion = {"type": "PROMOTION", "name": "Trial", "full_name": "Trial", "amount": -3.0}
    unknown = {"type": "BRAND_NEW", "name": "New", "full_name": "New", "amount": -0.5}
    fee = {"id": "BB", "description": "Commitment v1: N2 Cpu in Iowa for 1 Year"}
    correction = {"id": "1", "type": "PRICE_CORRECTION"}
    insert(
        hook,
        export,
        [
            charge(credits=[committed, sustained, promotion, unknown]),
            charge(sku=fee, cost=3.0, cost_at_list=None),
            charge(cost_type="tax", cost=1.5, cost_at_list=None, sku={"description": "Tax"}),
            charge(cost_type="rounding_error", cost=-0.01, cost_at_list=None),
            charge(cost=-2.0, cost_at_list=-2.0, adjustment_info=correction),
        ],
    )
    (period,) = hook.list_billing_periods(export)
    found = hook.fetch_billing_period(period, tmp_path)
    rows = query(
        found,
        "SELECT ChargeCategory, ChargeClass, BilledCost, EffectiveCost, ListCost, ContractedCost "
        "FROM costs ORDER BY ALL",
    )
    money = Decimal
    assert rows == [
        ("Adjustment", None, *[money("-0.01")] * 4),
        ("Credit", None, *[money(-3)] * 4),
        ("Credit", None, *[money("-0.5")] * 4),
        ("Purchase", None, *[money(3)] * 4),
        ("Tax", None, *[money("1.5")] * 4),
        ("Usage", "Correction", *[money(-2)] * 4),
        ("Usage", None, *[money("5.123456789")] * 2, money(12), money("10.123456789")),
    ]
    (usage,) = query(
        found,
        "SELECT PricingCategory, CommitmentDiscountStatus, CommitmentDiscountId, Tags['team'], "
        "ConsumedQuantity, ConsumedUnit, ServiceCategory FROM costs WHERE ListCost = 12",
    )
    assert usage == (
        "Committed", "Used", "c", "ours", Decimal("2.5"), "gibibyte month", "Compute",
    )  # fmt: skip


def test_many_pages(hook: GCPCostHook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page is read."""
    from airflow_multicloud.clouds.gcp.cost import exports as _cost_export

    export = make_table(hook, STANDARD_SCHEMA)
    bill = Bill(
        BillOptions(
            cloud="gcp", billing_period=date(2026, 9, 1), days=5, rows=1500, commitments=False
        )
    )
    insert(hook, export, standard_rows(bill, [NOW]))
    (period,) = hook.list_billing_periods(export)
    monkeypatch.setattr(_cost_export, "_PAGE_ROWS", 400)
    found = hook.fetch_billing_period(period, tmp_path)
    ((rows, billed),) = query(found, "SELECT count(*), sum(BilledCost) FROM costs")
    assert rows == found.period.rows
    assert billed == bill.totals().total.billed_cost


def test_no_billing_table(hook: GCPCostHook) -> None:
    export = make_table(hook, STANDARD_SCHEMA[:3])
    with pytest.raises(CostAnalysisError, match="is no billing export") as caught:
        hook.list_billing_periods(export)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_version_that_is_none(hook: GCPCostHook, tmp_path: Path) -> None:
    export = make_table(hook, STANDARD_SCHEMA)
    insert(hook, export, [charge()])
    (period,) = hook.list_billing_periods(export)
    with pytest.raises(CostAnalysisError, match="after: 'yesterday' given") as caught:
        hook.fetch_billing_period(period, tmp_path, after="yesterday")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize("limit", ["a lot", "0", "-1"])
def test_limit_that_is_none(hook: GCPCostHook, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setitem(hook.extras, "bigquery.maximum_bytes_billed", limit)
    with pytest.raises(CostAnalysisError, match=f"{limit!r} given") as caught:
        hook.list_billing_periods("local/a/b")
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_has_no_cost_api(hook: GCPCostHook) -> None:
    assert not isinstance(hook, CostQueries)
