"""The dated price table: public list prices, each with its source and the day it was read.

The table that comes with the package is small and ages; :func:`refresh` renews it through the
clouds' price lists. A price that is zero, too old or of unknown unit is refused by
:meth:`PriceTable.usable`, never ranked.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Self

from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import PriceLists, PriceQuery
from airflow_multicloud.text import from_csv_cell, write_csv

#: How old a price may be to be ranked against another.
MAX_AGE = timedelta(days=90)

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

    def refusal(self, today: date, max_age: timedelta) -> str | None:
        """Why this price must not be used, or ``None`` when it may."""
        if self.list_unit_price < 0 or (not self.list_unit_price and self.sku != FREE_ALLOWANCE):
            return f"price is {self.list_unit_price}"
        if self.unit != UNITS[self.meter]:
            return f"unit is {self.unit!r}, expected {UNITS[self.meter]!r}"
        if today - self.as_of > max_age:
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

    :param max_age: older prices are refused.
    """

    prices: tuple[Price, ...]
    max_age: timedelta = MAX_AGE

    @classmethod
    def bundled(cls, *, max_age: timedelta = MAX_AGE) -> Self:
        """The table that comes with the package: one region per cloud."""
        with files(__package__).joinpath("prices.csv").open(encoding="utf-8") as lines:
            return cls(_parsed(lines, "prices.csv"), max_age)

    @classmethod
    def load(cls, path: Path, *, max_age: timedelta = MAX_AGE) -> Self:
        """A table of your own, in the same columns.

        :raises CostAnalysisError: kind ``invalid_argument``, naming file, line and column.
        """
        with path.open(encoding="utf-8", newline="") as lines:
            return cls(_parsed(lines, str(path)), max_age)

    def save(self, path: Path) -> None:
        """Write it so that :meth:`load` reads it."""
        with path.open("w", encoding="utf-8", newline="") as out:
            names = [f.name for f in fields(Price)]
            write_csv(out, names, ({n: getattr(p, n) for n in names} for p in self.prices))

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


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A renewed table; ``kept`` are the prices that no list answered for, still of old date."""

    table: PriceTable
    changed: tuple[Price, ...]
    kept: tuple[Price, ...]


def refresh(table: PriceTable, lists: Mapping[str, PriceLists]) -> Refreshed:
    """Ask each cloud's price list for the table's first-tier prices again.

    :param lists: cloud → its hook with the power to list prices.
    """
    renewed: list[Price] = []
    changed: list[Price] = []
    kept: list[Price] = []
    for cloud in dict.fromkeys(price.cloud for price in table.prices):
        mine = [price for price in table.prices if price.cloud == cloud]
        asked = [p for p in mine if p.sku != FREE_ALLOWANCE] if cloud in lists else []
        answers = {
            (a.meter, a.sku, a.region_id, a.unit, a.tier_start): a
            for a in (lists[cloud].list_prices(_queries(asked)) if asked else ())
        }
        for old in mine:
            key = (str(old.meter), old.sku, old.region_id, old.unit, old.tier_start)
            answer = answers.get(key)
            if answer is None:
                kept.append(old)
                renewed.append(old)
                continue
            new = replace(
                old,
                list_unit_price=answer.list_unit_price,
                currency=answer.currency,
                source=answer.source,
                as_of=answer.as_of,
            )
            renewed.append(new)
            if new.list_unit_price != old.list_unit_price:
                changed.append(new)
    return Refreshed(replace(table, prices=tuple(renewed)), tuple(changed), tuple(kept))


def tiered(
    prices: Sequence[Price], quantity: Decimal, used: Decimal
) -> list[tuple[Price, Decimal]]:
    """Cut a quantity at the tier edges.

    :param prices: one meter's tiers, lowest ``tier_start`` first.
    :param used: units of the month consumed before.
    """
    cut: list[tuple[Price, Decimal]] = []
    upper = [price.tier_start for price in prices[1:]]
    for price, end in zip(prices, [*upper, None], strict=False):
        first = max(price.tier_start, used)
        last = used + quantity if end is None else min(end, used + quantity)
        if last > first:
            cut.append((price, last - first))
    return cut


def _queries(prices: Iterable[Price]) -> list[PriceQuery]:
    unique = dict.fromkeys((str(p.meter), p.sku, p.region_id) for p in prices)
    return [PriceQuery(meter=m, sku=s, region_id=r) for m, s, r in unique]


def _parsed(lines: Iterable[str], name: str) -> tuple[Price, ...]:
    reader = csv.DictReader(lines)
    expected = [f.name for f in fields(Price)]
    missing = sorted(set(expected) - set(reader.fieldnames or ()))
    if missing:
        raise CostAnalysisError(
            f"price table {name}: columns missing: {', '.join(missing)}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return tuple(
        _price({n: from_csv_cell(row[n] or "") for n in expected}, f"{name} line {reader.line_num}")
        for row in reader
    )


def _price(row: Mapping[str, str], where: str) -> Price:
    try:
        return Price(
            cloud=row["cloud"],
            meter=Meter(row["meter"]),
            sku=row["sku"],
            region_id=row["region_id"],
            unit=row["unit"],
            list_unit_price=Decimal(row["list_unit_price"]),
            currency=row["currency"],
            tier_start=Decimal(row["tier_start"]),
            vcpus=Decimal(row["vcpus"]) if row["vcpus"] else None,
            memory_gib=Decimal(row["memory_gib"]) if row["memory_gib"] else None,
            family=row["family"],
            source=row["source"],
            as_of=date.fromisoformat(row["as_of"]),
        )
    except (ValueError, InvalidOperation) as err:
        raise CostAnalysisError(
            f"price table {where}: {err}", kind=ErrorKind.INVALID_ARGUMENT
        ) from err
