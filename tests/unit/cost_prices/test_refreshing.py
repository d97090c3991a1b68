"""A price table is renewed where it is kept, and used from there."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_multicloud import api
from airflow_multicloud.cli.commands.cost import prices as prices_command
from airflow_multicloud.cli.commands.cost import quote as quote_command
from airflow_multicloud.core.cost.prices import UNITS, Meter, PriceTable
from airflow_multicloud.core.cost.prices.file import format_prices
from airflow_multicloud.errors import CloudError, CostAnalysisError, ErrorKind
from airflow_multicloud.opening.cost.files import read_place, write_place
from airflow_multicloud.operators.cost import (
    EstimateTransferCostOperator,
    PriceWorkloadOperator,
    RefreshPricesOperator,
)
from airflow_multicloud.operators.object_store import ReplicateOperator
from airflow_multicloud.ports.cost import ListPrice
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.memory_cloud import object_store
from airflow_multicloud.testing.memory_cloud.cost.billing import billing
from tests.integration.airflow_runs import Bare

from .test_prices import a_price

OLD = date(2026, 5, 1)
TODAY = datetime.now(UTC).date()
LINES = [
    replace(
        a_price(cloud="memory", as_of=OLD, region_id="here", source="a list"),
        meter=meter,
        sku=sku,
        unit=UNITS[meter],
        list_unit_price=Decimal(price),
        vcpus=Decimal(4) if meter is Meter.COMPUTE else None,
        memory_gib=Decimal(16) if meter is Meter.COMPUTE else None,
    )
    for meter, sku, price in (
        (Meter.COMPUTE, "big", "1"),
        (Meter.STORAGE, "STANDARD", "0.02"),
        (Meter.WRITES, "STANDARD", "0.005"),
        (Meter.READS, "STANDARD", "0.0004"),
        (Meter.EGRESS, "internet", "0.1"),
        (Meter.EGRESS, "inter-region", "0.01"),
    )
]
TABLE = format_prices(PriceTable(tuple(LINES)))


def listed(conn_id: str, price: str = "2", region: str = "here") -> None:
    billing(conn_id).prices.append(
        ListPrice(
            meter="compute",
            sku="big",
            region_id=region,
            unit="hour",
            list_unit_price=Decimal(price),
            currency="USD",
            source="the list",
            as_of=TODAY,
        )
    )


@pytest.fixture(params=["file", "object"])
def target(request: pytest.FixtureRequest, tmp_path: Path, conn_id: str) -> str:
    where = f"mem://{conn_id}@lab/tables/prices.csv"
    where = where if request.param == "object" else str(tmp_path / "tables" / "prices.csv")
    write_place("target", where, TABLE)
    return where


def test_the_table_there_is_renewed(target: str, conn_id: str) -> None:
    listed(conn_id)
    found = api.refresh_prices(target, [conn_id])
    assert (found.uri, found.renewed, len(found.kept)) == (target, 1, 5)
    assert found.changed == ("memory compute big in here: 2 USD a hour",)
    assert found.oldest == OLD
    machine = api.read_prices(target).prices[0]
    assert (machine.list_unit_price, machine.as_of, machine.source) == (2, TODAY, "the list")


def test_a_new_table_begins_with_the_packaged_one(
    tmp_path: Path, conn_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = api.read_prices(None)
    mine = replace(packaged.prices[0], cloud="memory", sku="big", region_id="here")
    monkeypatch.setattr(
        "airflow_multicloud.api.cost.price_tables.bundled_prices",
        lambda: PriceTable((*packaged.prices, mine)),
    )
    listed(conn_id)
    path = tmp_path / "new.csv"
    api.refresh_prices(path, [conn_id])
    assert set(packaged.prices) < set(api.read_prices(path).prices)
    assert [p.name for p in tmp_path.iterdir()] == ["new.csv"]


def test_where_no_list_answers_nothing_is_written(target: str, conn_id: str) -> None:
    with pytest.raises(CostAnalysisError, match="no price was refreshed: the lists asked"):
        api.refresh_prices(target, [conn_id])
    assert read_place("target", target, 1 << 20) == TABLE


def test_a_broken_table_there_is_named_and_stays(target: str, conn_id: str) -> None:
    write_place("target", target, TABLE.replace(b"0.02", b"cheap"))
    listed(conn_id)
    with pytest.raises(CostAnalysisError, match=r"prices\.csv line 3: list_unit_price is 'cheap'"):
        api.refresh_prices(target, [conn_id])


def test_a_directory_is_no_place_for_a_file(tmp_path: Path, conn_id: str) -> None:
    listed(conn_id)
    for where in (f"{tmp_path}/", f"mem://{conn_id}@lab/tables/"):
        with pytest.raises(CloudError) as caught:
            api.refresh_prices(where, [conn_id])
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
        assert str(caught.value).startswith("target: ")


def test_the_operator_tells_what_is_of_old_date(target: str, conn_id: str) -> None:
    listed(conn_id)
    operator = RefreshPricesOperator(
        task_id="prices", target=target, conn_ids=[conn_id], regions={"memory": ["there"]}
    )
    listed(conn_id, "3", region="there")
    facts: Any = operator.execute(Bare())  # type: ignore[arg-type]
    assert (facts["renewed"], facts["kept"], facts["oldest"]) == (2, 5, OLD.isoformat())
    assert json.loads(json.dumps(facts)) == facts
    regions = {p.region_id for p in api.read_prices(target).prices}
    assert regions == {"here", "there"}


@pytest.mark.parametrize("conn_ids", ["", [], "[]", 3])
def test_no_connection_is_refused(target: str, conn_ids: Any) -> None:
    with pytest.raises(CloudError, match=r"^conn_ids: ") as caught:
        api.refresh_prices(target, conn_ids)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_a_workload_is_priced_by_the_table_given(target: str, tmp_path: Path) -> None:
    operator = PriceWorkloadOperator(
        task_id="workload",
        store=str(tmp_path / "store"),
        workload={"vcpus": 4, "memory_gib": 16, "storage_gb": 100},
        on=["memory"],
        day="2026-11-28",
        prices=target,
    )
    facts: Any = operator.execute(Bare())  # type: ignore[arg-type]
    assert facts["cheapest"] == "memory"
    (quote,) = facts["quotes"]
    assert (quote["cloud"], Decimal(quote["total"])) == ("memory", 732)
    assert (quote["region_id"], quote["oldest_price"]) == ("here", OLD.isoformat())


def test_a_table_that_is_not_there_fails_the_task_at_once(tmp_path: Path) -> None:
    operator = PriceWorkloadOperator(
        task_id="workload",
        store=str(tmp_path / "store"),
        workload={"storage_gb": 1},
        day="2026-11-28",
        prices=str(tmp_path / "none.csv"),
    )
    with pytest.raises(AirflowFailException, match=r"prices: there is no file .*none\.csv"):
        operator.execute(Bare())  # type: ignore[arg-type]


def fill(conn_id: str) -> tuple[str, str]:
    store = object_store.Hook(conn_id)
    store.ensure_bucket("copy")
    for number in range(3):
        store.put_object(ObjectRef("lab", f"data/{number}"), bytes(1000 + number))
    return f"mem://{conn_id}@lab/data/", f"mem://{conn_id}@copy/data/"


def test_a_transfer_is_estimated_by_the_table_given(target: str, conn_id: str) -> None:
    source, destination = fill(conn_id)
    operator = EstimateTransferCostOperator(
        task_id="estimate",
        source=source,
        destinations=[destination],
        egress_used={"memory": 1.5},
        prices=target,
    )
    facts: Any = operator.execute(Bare())  # type: ignore[arg-type]
    assert facts["complete"] is True
    assert facts["unpriced"] == []
    assert (facts["currency"], facts["oldest_price"]) == ("USD", OLD.isoformat())
    gigabytes = Decimal(3003) / 2**30
    assert float(facts["monthly"]) == pytest.approx(float(gigabytes * Decimal("0.02")))
    requests = Decimal(3) / 1000 * (Decimal("0.005") + Decimal("0.0004"))
    assert float(facts["once"]) == pytest.approx(float(requests), rel=0.7)
    assert json.loads(json.dumps(facts)) == facts


def test_what_the_table_lacks_makes_an_estimate_a_lower_bound(target: str, conn_id: str) -> None:
    write_place("target", target, format_prices(PriceTable(tuple(LINES[:1]))))
    source, destination = fill(conn_id)
    operator = EstimateTransferCostOperator(
        task_id="estimate", source=source, destinations=[destination], prices=target
    )
    facts: Any = operator.execute(Bare())  # type: ignore[arg-type]
    assert facts["complete"] is False
    assert any("storage" in text for text in facts["unpriced"])


def test_the_preview_of_a_replication_uses_the_table(target: str, conn_id: str) -> None:
    source, destination = fill(conn_id)
    context = Bare()
    operator = ReplicateOperator(
        task_id="replicate",
        source=source,
        destinations=[destination],
        dry_run=True,
        preview_cost=True,
        prices=target,
    )
    operator.execute(context)  # type: ignore[arg-type]
    assert context.pushed["cost_estimate"]["complete"] is True


def test_the_command_line_refreshes_and_quotes(
    target: str, conn_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed(conn_id)
    common = {"verbose": False, "quiet": False, "output": "json"}
    prices_command.run(Namespace(target=target, conn_ids=[conn_id], region=None, **common))
    (said,) = json.loads(capsys.readouterr().out)
    assert (said["renewed"], said["kept"], said["failed"]) == (1, 5, {})
    asked = dict.fromkeys(
        ["instances", "hours", "writes", "reads", "egress_gb", "burstable", "region", "currency"]
    )
    quote_command.run(
        Namespace(
            **asked,
            **common,
            store=str(tmp_path / "store"),
            vcpus=Decimal(4),
            memory_gib=Decimal(16),
            storage_gb=Decimal(10),
            cloud=["memory"],
            prices=target,
            max_price_age=None,
            rates_file=None,
        )
    )
    told = capsys.readouterr()
    (document,) = json.loads(told.out)
    (quote,) = document["quotes"]
    assert [(line["meter"], Decimal(line["amount"])) for line in quote["lines"]] == [
        ("compute", 1460),
        ("storage", Decimal("0.2")),
    ]
    assert (document["cheapest"], document["currency"]) == ("memory", "USD")
    assert "some prices are of 2026-05-01" in told.err
    assert "cheapest: memory" in told.err


@pytest.mark.parametrize(
    "key",
    [
        ".airflow-multicloud/evidence/q3.json",
        "a/../.airflow-multicloud/latest/x.json",
        "./.Airflow-Multicloud\\x.csv",
    ],
)
def test_no_table_goes_where_this_packages_records_are(conn_id: str, key: str) -> None:
    listed(conn_id)
    target = f"mem://{conn_id}@lab/{key}"
    rates = "Date,USD\n2026-11-06,1.1\n"
    for write in (
        lambda: api.refresh_prices(target, [conn_id]),
        lambda: api.refresh_exchange_rates(target, source=rates),
        lambda: write_place("target", target, TABLE),
    ):
        with pytest.raises(CloudError, match=r"target: .*kept for this package") as caught:
            write()
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT
