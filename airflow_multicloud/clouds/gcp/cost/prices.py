"""List prices from the Cloud Billing Catalog.

A machine's price is that of its vCPUs and that of its memory. A price is given only when
exactly one SKU of the catalogue can be meant; a query without a certain answer has no row.
Requests and network traffic have none: the catalogue does not say which SKU a request of a
storage class or a byte on its way is billed by.

https://cloud.google.com/billing/v1/how-tos/catalog-api
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.adapters.answers import MALFORMED, well_formed
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.cost.client import CostBase
from airflow_multicloud.clouds.gcp.cost.errors import translated
from airflow_multicloud.clouds.gcp.cost.machine_types import machine_type
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import ListPrice, PriceQuery
from airflow_multicloud.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_multicloud.clouds.gcp.rest import RestApi

_log = logging.getLogger(__name__)

_ENDPOINT = "https://cloudbilling.googleapis.com"
# https://cloud.google.com/skus: the services' ids.
_COMPUTE = "services/6F81-5844-456A"
_STORAGE = "services/95FF-2EF5-5EA1"

_METERS = ("compute", "storage", "writes", "reads", "egress")
_SOURCE = "Cloud Billing Catalog"
_NANOS = Decimal(1_000_000_000)
_PAGE = 5000
#: What of a SKU is needed here; a page holds thousands.
_FIELDS = (
    "nextPageToken,skus(skuId,description,category,serviceRegions,"
    "pricingInfo(pricingExpression(usageUnit,tieredRates)))"
)
_HOUR = "h"
_GIB_HOUR = "GiBy.h"
_GIB_MONTH = "GiBy.mo"

#: Storage class → how the description of its price by the GiB and month looks; the multi- and
#: dual-region, early-deletion and Autoclass prices of a class are others.
_CLASSES = {
    name: re.compile(rf"{name.title()} Storage (?!.*(?i:multi|dual|early|autoclass|soft)).+")
    for name in ("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE")
}


class GCPPrices(CostBase):
    """Google's public price list."""

    def list_prices(self, queries: Sequence[PriceQuery]) -> Sequence[ListPrice]:
        """Machine types and regional storage; what is not certain has no row."""
        _check_meters(queries)
        today = datetime.now(UTC).date()
        found: list[ListPrice] = []
        for meter, service, prices in (
            ("compute", _COMPUTE, _compute_prices),
            ("storage", _STORAGE, _storage_prices),
        ):
            if asked := [query for query in queries if query.meter == meter]:
                skus = _list_skus(self._rest("cloudbilling", _ENDPOINT), service)
                with well_formed(f"reading the prices of {service}", NAME, area=CostAnalysisError):
                    found += prices(asked, skus, today)
        return found


@dataclass(frozen=True, slots=True)
class _Rate:
    start: Decimal
    price: Decimal
    currency: str


def _check_meters(queries: Sequence[PriceQuery]) -> None:
    """Refuse a meter that is none.

    :raises CostAnalysisError: kind ``invalid_argument``.
    """
    for query in queries:
        if query.meter not in _METERS:
            raise CostAnalysisError(
                f"meter: {query.meter!r} given, allowed is one of {', '.join(_METERS)}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )


def _list_skus(catalogue: RestApi, service: str) -> list[dict[str, Any]]:
    """Every SKU of a service."""
    with translated(f"listing the prices of {service}"):
        query = {"pageSize": _PAGE, "fields": _FIELDS}
        return list(catalogue.items(f"/v1/{service}/skus", "skus", query))


def _compute_prices(
    queries: Iterable[PriceQuery], skus: Sequence[dict[str, Any]], as_of: date
) -> list[ListPrice]:
    """Machine types by the hour: on demand, shared tenancy, Linux (which is free)."""
    found = []
    for query in queries:
        machine = machine_type(query.sku)
        if machine is None:
            continue
        core = _only(_parts(skus, machine.core, query.region_id, _HOUR))
        ram = _only(_parts(skus, machine.ram, query.region_id, _GIB_HOUR))
        if core is None or ram is None or core.currency != ram.currency:
            continue
        price = machine.vcpus * core.price + machine.memory_gib * ram.price
        found.append(_list_price(query, "hour", _Rate(Decimal(0), price, core.currency), as_of))
    return found


def _storage_prices(
    queries: Iterable[PriceQuery], skus: Sequence[dict[str, Any]], as_of: date
) -> list[ListPrice]:
    """Regional storage by the GiB and month, in all its tiers (the first may be free)."""
    found = []
    for query in queries:
        pattern = _CLASSES.get(query.sku)
        candidates = [
            rates
            for sku in skus
            if pattern is not None
            and pattern.fullmatch(str(sku.get("description")))
            and (rates := _rates(sku, query.region_id, _GIB_MONTH))
        ]
        if len(candidates) == 1:
            found += [_list_price(query, "GB-month", rate, as_of) for rate in candidates[0]]
    return found


def _parts(skus: Sequence[dict[str, Any]], begin: str, region: str, unit: str) -> list[_Rate]:
    """The prices of one part of a machine that can be meant; more than one tier can't."""
    return [
        rates[0]
        for sku in skus
        if str(sku.get("description")).startswith(begin)
        and len(rates := _rates(sku, region, unit)) == 1
        and rates[0].price > 0
    ]


def _only(rates: Sequence[_Rate]) -> _Rate | None:
    return rates[0] if len(rates) == 1 else None


def _rates(sku: dict[str, Any], region: str, unit: str) -> list[_Rate]:
    """The tiers of an on-demand SKU of this region and unit; none if it is another, or broken."""
    try:
        return _tiers(sku, region, unit)
    except MALFORMED as err:
        name = printable(str(sku.get("skuId")))
        _log.warning("SKU %s of the catalogue can't be read: %r", name, err)
        return []


def _tiers(sku: dict[str, Any], region: str, unit: str) -> list[_Rate]:
    if sku["category"].get("usageType") != "OnDemand" or region not in sku["serviceRegions"]:
        return []
    # In the order of time: the last one holds.
    timeline = sku.get("pricingInfo")
    expression = timeline[-1]["pricingExpression"] if timeline else {}
    if expression.get("usageUnit") != unit:
        return []
    return [_rate(tier) for tier in expression["tieredRates"]]


def _rate(tier: dict[str, Any]) -> _Rate:
    money = tier["unitPrice"]
    price = Decimal(money.get("units", 0)) + Decimal(money.get("nanos", 0)) / _NANOS
    start = Decimal(str(tier.get("startUsageAmount", 0)))
    return _Rate(start, price, money["currencyCode"])


def _list_price(query: PriceQuery, unit: str, rate: _Rate, as_of: date) -> ListPrice:
    return ListPrice(
        meter=query.meter,
        sku=query.sku,
        region_id=query.region_id,
        unit=unit,
        list_unit_price=rate.price,
        currency=rate.currency,
        source=_SOURCE,
        as_of=as_of,
        tier_start=rate.start,
    )
