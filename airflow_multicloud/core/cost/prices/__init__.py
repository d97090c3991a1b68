"""The dated price table: public list prices, each with its source and the day it was read.

The table that comes with the package is small and ages;
:mod:`airflow_multicloud.core.cost.prices.refresh` renews it through the clouds' price lists. A
price that is zero or of unknown unit is refused by :meth:`PriceTable.usable`, never ranked. An old
one is used, and its age is said, unless a limit is set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from airflow_multicloud.core.cost.money import exact

#: An older price is warned of: list prices rarely change, but they do.
OLD = timedelta(days=90)

#: The one price that may be zero: what a cloud gives away each month before the first tier.
FREE_ALLOWANCE = "free-allowance"


class Meter(StrEnum):
    """What is priced, with its unit in :data:`UNITS`."""

    COMPUTE = "compute"
    STORAGE = "storage"
    WRITES = "writes"
    READS = "reads"
    EGRESS = "egress"


#: Meter → the unit its prices are per. A GB is 2**30 bytes, as all three clouds bill it.
UNITS: Mapping[Meter, str] = {
    Meter.COMPUTE: "hour",
    Meter.STORAGE: "GB-month",
    Meter.WRITES: "1000-requests",
    Meter.READS: "1000-requests",
    Meter.EGRESS: "GB",
}
BYTES_PER_GB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One list price of one cloud in one region.

    :param sku: instance type, storage class; for egress ``internet``, ``inter-region`` or
        :data:`FREE_ALLOWANCE`.
    :param tier_start: units a month from which on the price holds.
    :param family: for compute ``standard`` or ``burstable`` (shared cores); for storage and
        its requests ``standard``, ``cool`` or ``archive``.
    :param source: where the price was read, for a reader to check it.
    """

    cloud: str
    meter: Meter
    sku: str
    region_id: str
    unit: str
    list_unit_price: Decimal
    currency: str
    tier_start: Decimal
    vcpus: Decimal | None
    memory_gib: Decimal | None
    family: str
    source: str
    as_of: date

    def refusal(self, today: date, max_age: timedelta | None = None) -> str | None:
        """Why this price must not be used, or ``None`` when it may."""
        if self.list_unit_price < 0 or (not self.list_unit_price and self.sku != FREE_ALLOWANCE):
            return f"price is {self.list_unit_price}"
        if self.unit != UNITS[self.meter]:
            return f"unit is {self.unit!r}, expected {UNITS[self.meter]!r}"
        if max_age is not None and today - self.as_of > max_age:
            return f"price is of {self.as_of}, older than {max_age.days} days"
        return None

    def __str__(self) -> str:
        return f"{self.cloud} {self.meter} {self.sku} in {self.region_id}"


@dataclass(frozen=True, slots=True)
class Refused:
    """A price that was not used, and why."""

    price: str
    reason: str


@dataclass(frozen=True, slots=True)
class PriceTable:
    """List prices, and how old one may be.

    To read and write one see :mod:`airflow_multicloud.core.cost.prices.file`.

    :param max_age: older prices are refused; ``None``: none is for its age.
    """

    prices: tuple[Price, ...]
    max_age: timedelta | None = None

    def usable(
        self, cloud: str, meter: Meter, *, today: date, region_id: str | None = None
    ) -> tuple[list[Price], list[Refused]]:
        """The prices of a cloud's meter that may be used, lowest tier first, and the others."""
        good: list[Price] = []
        refused: list[Refused] = []
        for price in self.prices:
            if (price.cloud, price.meter) != (cloud, meter):
                continue
            if region_id is not None and price.region_id != region_id:
                continue
            reason = price.refusal(today, self.max_age)
            if reason is None:
                good.append(price)
            else:
                refused.append(Refused(str(price), reason))
        return sorted(good, key=lambda p: p.tier_start), refused

    def regions(self, cloud: str) -> tuple[str, ...]:
        """The regions that the table has prices of."""
        return tuple(dict.fromkeys(p.region_id for p in self.prices if p.cloud == cloud))


def tiered(
    prices: Sequence[Price], quantity: Decimal, used: Decimal
) -> list[tuple[Price, Decimal]]:
    """Cut a quantity at the tier edges.

    :param prices: one meter's tiers, lowest ``tier_start`` first.
    :param used: units of the month consumed before.
    """
    cut: list[tuple[Price, Decimal]] = []
    upper = [price.tier_start for price in prices[1:]]
    with exact():
        for price, end in zip(prices, [*upper, None], strict=False):
            first = max(price.tier_start, used)
            last = used + quantity if end is None else min(end, used + quantity)
            if last > first:
                cut.append((price, last - first))
    return cut
