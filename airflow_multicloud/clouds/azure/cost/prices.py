"""The Azure Retail Prices API: public pay-as-you-go prices, without credentials.

https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from azure.core import PipelineClient
from azure.core.rest import HttpRequest, HttpResponse

from airflow_multicloud.adapters.answers import MALFORMED, well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.cost.client import CostBase
from airflow_multicloud.clouds.azure.cost.errors import translated
from airflow_multicloud.clouds.azure.resending import ReadableWaits
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import ListPrice, PriceQuery

if TYPE_CHECKING:
    from airflow_multicloud.clouds.azure.resource_manager import ResourceManager

_log = logging.getLogger(__name__)

_SOURCE = "Azure Retail Prices"
_PAGES = 50
# Also under the size's name: Windows, spare capacity, and whole hosts.
_OTHER_OFFERS = ("Windows", "Spot", "Low Priority", "Dedicated Host", "CloudServices")
_TIERS = {"Hot", "Cool", "Cold", "Archive"}
_OPERATIONS = {
    "storage": "Data Stored",
    "writes": "Write Operations",
    "reads": "Read Operations",
}
#: Unit of the list → ours, and how many of ours one of theirs is.
_UNITS = {
    "1 Hour": ("hour", Decimal(1)),
    "1 GB/Month": ("GB-month", Decimal(1)),
    "1 GB": ("GB", Decimal(1)),
    "10K": ("1000-requests", Decimal(10)),
}


class RetailPrices(CostBase):
    """The port's ``PriceLists``."""

    def list_prices(self, queries: Sequence[PriceQuery]) -> Sequence[ListPrice]:
        """Pay-as-you-go prices of the public list, in USD: a row per tier that is on it."""
        manager = self._manager
        client = self._azure.client("retail prices", lambda: _client(manager))
        return [
            price
            for query in queries
            for item in _items(client, manager.retail_prices_endpoint, query)
            if (price := _readable(query, item)) is not None
        ]


def _client(manager: ResourceManager) -> PipelineClient[HttpRequest, HttpResponse]:
    return PipelineClient(
        manager.retail_prices_endpoint,
        retry_policy=ReadableWaits(),
        connection_verify=manager.verify,
    )


def _filter(query: PriceQuery) -> dict[str, str] | None:
    """How the list names what is asked; ``None`` for what it has no exact name for."""
    where = {"priceType": "Consumption", "armRegionName": query.region_id}
    if query.meter == "compute":
        size = query.sku.removeprefix("Standard_")
        return {**where, "serviceName": "Virtual Machines", "armSkuName": f"Standard_{size}"}
    if query.meter in _OPERATIONS and query.sku in _TIERS:
        # Flat namespace, locally redundant: what a plain storage account costs.
        named = {"productName": "Blob Storage", "skuName": f"{query.sku} LRS"}
        return {**where, "serviceName": "Storage", **named}
    if query.meter == "egress" and query.sku == "internet":
        # MGN: over Microsoft's global network, which is what nobody chose otherwise has.
        named = {"productName": "Rtn Preference: MGN", "meterName": "Standard Data Transfer Out"}
        return {**where, "serviceName": "Bandwidth", **named}
    return None


def _items(
    client: PipelineClient[HttpRequest, HttpResponse], endpoint: str, query: PriceQuery
) -> Iterator[Mapping[str, Any]]:
    wanted = _filter(query)
    if wanted is None:
        return
    doing = f"reading the price of {query.sku} in {query.region_id}"
    terms = " and ".join(f"{name} eq '{_escaped(value)}'" for name, value in wanted.items())
    link: str | None = f"{endpoint}/api/retail/prices?$filter={quote(terms)}"
    for _ in range(_PAGES):
        if link is None:
            return
        if urlsplit(link)[:2] != urlsplit(endpoint)[:2]:
            raise CostAnalysisError(
                f"{doing}: the next page is said to be at {urlsplit(link).netloc}, "
                f"not at {endpoint}",
                kind=ErrorKind.INTEGRITY,
                cloud=NAME,
            )
        with translated(doing):
            answer = client.send_request(HttpRequest("GET", link))
            answer.raise_for_status()
        with well_formed(doing, NAME, area=CostAnalysisError):
            page = json.loads(answer.text(), parse_float=Decimal)
            items = list(page["Items"])
            link = page.get("NextPageLink") or None
        yield from items
    if link is not None:
        raise CostAnalysisError(
            f"{doing}: more than {_PAGES} pages", kind=ErrorKind.QUOTA, cloud=NAME
        )


def _readable(query: PriceQuery, item: Mapping[str, Any]) -> ListPrice | None:
    try:
        return _price(query, item)
    except MALFORMED as err:
        _log.warning("%s: an item of the list can't be read: %r", query, err)
        return None


def _price(query: PriceQuery, item: Mapping[str, Any]) -> ListPrice | None:
    unit = _UNITS.get(item["unitOfMeasure"])
    price = Decimal(item["retailPrice"])
    if unit is None or not price.is_finite() or price <= 0 or not _meant(query, item):
        return None  # a price of nothing is a hole in the list or a free allowance, not an offer
    name, ours = unit
    return ListPrice(
        meter=query.meter,
        sku=query.sku,
        region_id=query.region_id,
        unit=name,
        list_unit_price=price / ours,
        currency=item["currencyCode"],
        source=_SOURCE,
        as_of=datetime.now(UTC).date(),
        tier_start=Decimal(item.get("tierMinimumUnits", 0)) * ours,
    )


def _meant(query: PriceQuery, item: Mapping[str, Any]) -> bool:
    if query.meter == "compute":
        named = f"{item['productName']} {item['skuName']} {item['meterName']}"
        return not any(words in named for words in _OTHER_OFFERS)
    operation = _OPERATIONS.get(query.meter)
    return operation is None or str(item["meterName"]).endswith(operation)


def _escaped(text: str) -> str:
    """OData doubles quotes in a literal."""
    return text.replace("'", "''")
