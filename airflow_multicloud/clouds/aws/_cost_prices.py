"""The AWS Price List Query API: public on-demand prices.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html; a product is a
JSON text with ``terms.OnDemand``, and its filters are exact matches.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.clouds.aws._errors import translated
from airflow_multicloud.errors import CostAnalysisError
from airflow_multicloud.ports.cost import ListPrice, PriceQuery

if TYPE_CHECKING:
    from botocore.client import BaseClient

_SOURCE = "AWS Price List API"

# Shared tenancy, Linux, nothing preinstalled, in use: what "an m5.large" costs. Without
# these the list's dedicated and unused-reservation entries, many of them 0, get in.
_COMPUTE = {
    "tenancy": "Shared",
    "operatingSystem": "Linux",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "marketoption": "OnDemand",
}
_VOLUME_TYPES = {
    "STANDARD": "Standard",
    "STANDARD_IA": "Standard - Infrequent Access",
    "DEEP_ARCHIVE": "Glacier Deep Archive",
}


def list_prices(client: BaseClient, queries: Sequence[PriceQuery]) -> Sequence[ListPrice]:
    """A row per tier that is on the list."""
    return [price for query in queries for price in _answers(client, query)]


def _answers(client: BaseClient, query: PriceQuery) -> Iterator[ListPrice]:
    asked = _filters(query)
    if asked is None:
        return
    service, filters = asked
    pages = client.get_paginator("get_products").paginate(
        ServiceCode=service,
        Filters=[
            {"Type": "TERM_MATCH", "Field": field, "Value": value}
            for field, value in filters.items()
        ],
    )
    with translated(f"read the price of {query.sku}", area=CostAnalysisError):
        products = [json.loads(text) for page in pages for text in page["PriceList"]]
    for product in products:
        for term in product.get("terms", {}).get("OnDemand", {}).values():
            yield from _tiers(query, term)


def _filters(query: PriceQuery) -> tuple[str, dict[str, str]] | None:
    """How the list names what is asked; ``None`` for what it has no exact name for."""
    if query.meter == "compute":
        named = {"instanceType": query.sku, "regionCode": query.region_id, **_COMPUTE}
        return "AmazonEC2", named
    if query.meter == "storage" and query.sku in _VOLUME_TYPES:
        named = {"regionCode": query.region_id, "volumeType": _VOLUME_TYPES[query.sku]}
        return "AmazonS3", {**named, "productFamily": "Storage"}
    if query.meter in {"writes", "reads"} and query.sku == "STANDARD":
        group = "S3-API-Tier1" if query.meter == "writes" else "S3-API-Tier2"
        return "AmazonS3", {"regionCode": query.region_id, "group": group}
    if query.meter == "egress" and query.sku == "internet":
        return "AWSDataTransfer", {
            "fromRegionCode": query.region_id,
            "transferType": "AWS Outbound",
            "toLocation": "External",
        }
    return None


#: Unit of the list → ours, and how many of ours one of theirs is.
_UNITS = {
    "Hrs": ("hour", Decimal(1)),
    "GB-Mo": ("GB-month", Decimal(1)),
    "GB": ("GB", Decimal(1)),
    "Requests": ("1000-requests", Decimal("0.001")),
}


def _tiers(query: PriceQuery, term: Mapping[str, Any]) -> Iterator[ListPrice]:
    for dimension in term.get("priceDimensions", {}).values():
        unit = _UNITS.get(dimension["unit"])
        price = Decimal(dimension["pricePerUnit"].get("USD", "0"))
        if unit is None or price <= 0:
            continue  # a price of nothing is a hole in the list, not an offer
        name, ours = unit
        yield ListPrice(
            meter=query.meter,
            sku=query.sku,
            region_id=query.region_id,
            unit=name,
            list_unit_price=price / ours,
            currency="USD",
            source=_SOURCE,
            as_of=datetime.now(UTC).date(),
            tier_start=Decimal(dimension.get("beginRange", "0")) * ours,
        )
