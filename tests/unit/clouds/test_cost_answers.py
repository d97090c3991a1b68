"""Rows and prices that a cost API must not answer with are one error that says who answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.mgmt.costmanagement import models

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws.cost import prices as aws_prices
from airflow_multicloud.clouds.azure.cost import prices as azure_prices
from airflow_multicloud.clouds.azure.cost import queries as azure_query
from airflow_multicloud.errors import CostAnalysisError
from airflow_multicloud.ports.cost import PriceQuery

QUERY = PriceQuery(meter="compute", sku="D2s_v5", region_id="westeurope")


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"unitOfMeasure": "1 Hour", "retailPrice": "free"},
        {"unitOfMeasure": ["1 Hour"], "retailPrice": 1},
        {"unitOfMeasure": "1 Hour", "retailPrice": None},
    ],
)
def test_a_broken_item_of_azures_prices_costs_itself(
    item: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert azure_prices._readable(QUERY, item) is None
    assert "D2s_v5" in caplog.text
    assert "an item of the list can't be read" in caplog.text


@pytest.mark.parametrize(
    "row", [["x", 20261001, "USD"], [1.5, "soon", "USD"], [1.5], [1.5, 99999999, "USD"]]
)
def test_azure_rows(row: list[Any]) -> None:
    page = models.QueryResult(
        {
            "properties": {
                "columns": [{"name": n} for n in ("Cost", "UsageDate", "Currency")],
                "rows": [row],
            }
        }
    )
    with (
        pytest.raises(CostAnalysisError, match="can't be read"),
        well_formed("query Cost Management", "azure", area=CostAnalysisError),
    ):
        list(azure_query._rows(page, ()))


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, json.dumps({"product": {}}), "{}"])
def test_aws_prices(text: str) -> None:
    asked = aws_prices._question(PriceQuery(meter="compute", sku="m5.large", region_id="us-east-1"))
    assert asked is not None
    with (
        pytest.raises(CostAnalysisError, match="can't be read"),
        well_formed("read the list price", "aws", area=CostAnalysisError),
    ):
        list(aws_prices._products([text], asked))
