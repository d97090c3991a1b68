"""Optional capability: the cloud's public price list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceQuery:
    """Which list price is wanted.

    :param meter: ``compute`` (an instance type by the hour), ``storage`` (GB-month), ``writes``
        and ``reads`` (per 1,000 requests), ``egress`` (GB; sku ``internet``).
    :param sku: the cloud's own name: instance type, storage class.
    :param region_id: the cloud's own region.
    """

    meter: str
    sku: str
    region_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPrice:
    """One public price, with where and when it was read.

    :param unit: ``hour, GB-month, GB, 1000-requests``.
    :param tier_start: the price holds from this many units a month on (0: from the first).
    """

    meter: str
    sku: str
    region_id: str
    unit: str
    list_unit_price: Decimal
    currency: str
    source: str
    as_of: date
    tier_start: Decimal = Decimal(0)


@runtime_checkable
class PriceLists(Protocol):
    """Capability: the cloud's public price list."""

    def list_prices(self, queries: Sequence[PriceQuery]) -> Sequence[ListPrice]:
        """On-demand, shared-tenancy Linux list prices; a query without an answer has no row."""
        ...
