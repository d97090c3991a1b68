"""The AWS Price List Query API: public on-demand prices.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html; a
product is a JSON text with ``terms.OnDemand``, and its filters are exact matches.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.adapters.answers import MALFORMED
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.cost.client import CostBase
from airflow_multicloud.clouds.aws.cost.errors import translated
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import ListPrice, PriceQuery

if TYPE_CHECKING:
    from botocore.client import BaseClient

_log = logging.getLogger(__name__)

_METERS = ("compute", "storage", "writes", "reads", "egress")

# Shared tenancy, Linux, nothing preinstalled, in use: what "an m5.large" costs. Without
# these the list's dedicated and unused-reservation entries, many of them 0, get in.
_COMPUTE = {
    "tenancy": "Shared",
    "operatingSystem": "Linux",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "marketoption": "OnDemand",
}

# Storage class → the list's volumeType and the usage type's end, which keeps out the staging
# and overhead bytes that share the former:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/aws-usage-report-understand.html
_STORAGE = {
    "STANDARD": ("Standard", "TimedStorage-ByteHrs"),
    "STANDARD_IA": ("Standard - Infrequent Access", "TimedStorage-SIA-ByteHrs"),
    "ONEZONE_IA": ("One Zone - Infrequent Access", "TimedStorage-ZIA-ByteHrs"),
    "GLACIER_IR": ("Glacier Instant Retrieval", "TimedStorage-GIR-ByteHrs"),
    "GLACIER": ("Amazon Glacier", "TimedStorage-GlacierByteHrs"),
    "DEEP_ARCHIVE": ("Glacier Deep Archive", "TimedStorage-GDA-ByteHrs"),
}
_REQUEST_GROUPS = {"writes": "S3-API-Tier1", "reads": "S3-API-Tier2"}

#: Unit of the list → ours, and how many of ours one of theirs is.
_UNITS = {
    "Hrs": ("hour", Decimal(1)),
    "GB-Mo": ("GB-month", Decimal(1)),
    "GB": ("GB", Decimal(1)),
    "Requests": ("1000-requests", Decimal("0.001")),
}


class PriceList(CostBase):
    """``PriceLists``."""

    def list_prices(self, queries: Sequence[PriceQuery]) -> Sequence[ListPrice]:
        """On-demand prices of the public price list."""
        return list_prices(self._service("pricing"), queries)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """How the list names what is asked.

    :param usage: how the usage type ends; it begins with the region's short name.
    """

    service: str
    filters: Mapping[str, str]
    usage: str = ""


def list_prices(client: BaseClient, queries: Sequence[PriceQuery]) -> Sequence[ListPrice]:
    """A row for each tier that is on the list.

    :raises CostAnalysisError: kind ``invalid_argument`` for a meter that is none.
    """
    for query in queries:
        if query.meter not in _METERS:
            raise CostAnalysisError(
                f"meter: {query.meter!r} given, expected one of {', '.join(_METERS)}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
    return [price for query in queries for price in _prices(client, query)]


def _prices(client: BaseClient, query: PriceQuery) -> Sequence[ListPrice]:
    asked = _question(query)
    if asked is None:
        return ()
    by_tier: dict[Decimal, ListPrice] = {}
    for text in _products(client, query, asked):
        try:
            prices = list(_tiers(query, asked, text))
        except MALFORMED as err:
            _log.warning("%s: a product of the list can't be read: %r", query, err)
            continue
        for price in prices:
            other = by_tier.setdefault(price.tier_start, price)
            if other.list_unit_price != price.list_unit_price:
                _log.warning(
                    "%s %s in %s has two prices on the list, %s and %s: neither is used",
                    *(query.meter, query.sku, query.region_id),
                    *(other.list_unit_price, price.list_unit_price),
                )
                return ()
    return [by_tier[start] for start in sorted(by_tier)]


def _question(query: PriceQuery) -> _Question | None:
    """``None`` for what the list has no exact name for."""
    region = {"regionCode": query.region_id}
    if query.meter == "compute":
        return _Question(
            service="AmazonEC2", filters={"instanceType": query.sku, **region, **_COMPUTE}
        )
    if query.meter == "storage" and query.sku in _STORAGE:
        volume, usage = _STORAGE[query.sku]
        filters = {**region, "volumeType": volume, "productFamily": "Storage"}
        return _Question(service="AmazonS3", filters=filters, usage=usage)
    if query.meter in _REQUEST_GROUPS and query.sku == "STANDARD":
        filters = {**region, "group": _REQUEST_GROUPS[query.meter]}
        return _Question(service="AmazonS3", filters=filters)
    if query.meter == "egress" and query.sku == "internet":
        return _Question(
            service="AWSDataTransfer",
            filters={
                "fromRegionCode": query.region_id,
                "transferType": "AWS Outbound",
                "toLocation": "External",
            },
        )
    return None


def _products(client: BaseClient, query: PriceQuery, asked: _Question) -> Sequence[str]:
    """The products of the answer, as JSON."""
    doing = f"reading the list price of {query.sku} in {query.region_id}"
    with translated(doing):
        pages = client.get_paginator("get_products").paginate(
            ServiceCode=asked.service,
            Filters=[
                {"Type": "TERM_MATCH", "Field": name, "Value": value}
                for name, value in asked.filters.items()
            ],
        )
        return [text for page in pages for text in page["PriceList"]]


def _fits(asked: _Question, product: Mapping[str, Any]) -> bool:
    """Whether it is what was asked for: a filter that the list does not know is void."""
    about = product["product"]
    attributes = {"productFamily": about.get("productFamily"), **about["attributes"]}
    fits = all(attributes.get(name) == value for name, value in asked.filters.items())
    return fits and attributes.get("usagetype", "").endswith(asked.usage)


def _tiers(query: PriceQuery, asked: _Question, text: str) -> Iterator[ListPrice]:
    product = json.loads(text)
    if not _fits(asked, product):
        return
    now = datetime.now(UTC)
    published = product.get("publicationDate", "undated")
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            unit = _UNITS.get(dimension["unit"])
            for currency, amount in dimension["pricePerUnit"].items():
                price = Decimal(amount)
                if unit is None or not price.is_finite() or price <= 0:
                    continue  # a price of nothing is a hole in the list, not an offer
                name, ours = unit
                yield ListPrice(
                    meter=query.meter,
                    sku=query.sku,
                    region_id=query.region_id,
                    unit=name,
                    list_unit_price=price / ours,
                    currency=currency,
                    source=f"AWS Price List Query API, {asked.service}, published {published}",
                    as_of=now.date(),
                    tier_start=Decimal(dimension.get("beginRange", "0")) * ours,
                )
