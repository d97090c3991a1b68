"""Like for like: the same workload priced on every cloud.

The customer's own unit prices come first; where the bill has none for a meter, the price
table's. All of a quote's prices are of one region. A cloud for which a part can't be priced is not
ranked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar

from airflow_multicloud.core.cost.money import exact, exact_sum
from airflow_multicloud.core.cost.prices import (
    OLD,
    Meter,
    Price,
    PriceTable,
    Refused,
    tiered,
)
from airflow_multicloud.core.cost.prices.offers import offers_of
from airflow_multicloud.core.cost.prices.own import OwnPrices
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

#: Hours of a month as all three clouds count them for monthly prices (365 × 24 / 12).
MONTH_HOURS = Decimal(730)


#: Money of one currency on a day → the report's currency.
Convert = Callable[[Decimal, str, date], Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What is to run for a month.

    :param vcpus: of one instance, at least.
    :param memory_gib: of one instance, at least.
    :param hours: each instance runs in the month.
    :param storage_gb: standard object storage, GB of 2**30 bytes, all month.
    :param egress_gb: to the internet.
    :param burstable: accept instance types with shared cores.
    """

    vcpus: Decimal = Decimal(0)
    memory_gib: Decimal = Decimal(0)
    instances: int = 1
    hours: Decimal = MONTH_HOURS
    storage_gb: Decimal = Decimal(0)
    writes: int = 0
    reads: int = 0
    egress_gb: Decimal = Decimal(0)
    burstable: bool = False

    _NUMBERS: ClassVar = (
        *("vcpus", "memory_gib", "instances", "hours", "storage_gb", "writes", "reads"),
        "egress_gb",
    )

    def __post_init__(self) -> None:
        for name in self._NUMBERS:
            value = getattr(self, name)
            if not Decimal(value).is_finite() or value < 0:
                raise CostAnalysisError(
                    f"workload: {name}: {value} given, expected 0 or more",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )
        if not any(self.quantities().values()):
            raise CostAnalysisError(
                "workload: nothing to price: give vcpus, storage_gb, writes, reads or egress_gb",
                kind=ErrorKind.INVALID_ARGUMENT,
            )

    def quantities(self) -> dict[Meter, Decimal]:
        """Units of each meter in a month."""
        computes = bool(self.vcpus or self.memory_gib)
        return {
            Meter.COMPUTE: self.instances * self.hours if computes else Decimal(0),
            Meter.STORAGE: self.storage_gb,
            Meter.WRITES: Decimal(self.writes) / 1000,
            Meter.READS: Decimal(self.reads) / 1000,
            Meter.EGRESS: self.egress_gb,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteLine:
    """One meter of one cloud, or one tier of it.

    :param amount: in the quote's currency; ``unit_price`` is in ``unit_currency``.
    """

    meter: Meter
    sku: str
    region_id: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    unit_currency: str
    amount: Decimal
    source: str
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a cloud would charge a month.

    :param region_id: the region that all prices are of; empty where there is none.
    :param missing: meters without a usable price there; such a quote is not ranked.
    """

    cloud: str
    region_id: str
    lines: tuple[QuoteLine, ...]
    total: Decimal
    currency: str
    missing: tuple[Meter, ...]

    DOCUMENT: ClassVar = Document(
        (
            *("cloud", "region_id", "complete", "missing", "total", "currency", "oldest_price"),
            "lines",
        )
    )

    @property
    def complete(self) -> bool:
        """Whether every part was priced."""
        return not self.missing

    @property
    def oldest_price(self) -> date | None:
        """The day of the oldest price in it."""
        return min((line.as_of for line in self.lines), default=None)

    def old(self, today: date) -> bool:
        """Whether a price in it is older than :data:`~airflow_multicloud.core.cost.prices.OLD`."""
        return self.oldest_price is not None and today - self.oldest_price > OLD

    def __str__(self) -> str:
        if self.missing:
            return f"{self.cloud}: no usable price of {', '.join(self.missing)}"
        return (
            f"{self.cloud}: {self.total:.2f} {self.currency} a month in {self.region_id}, by "
            f"prices of {self.oldest_price} or later"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadComparison:
    """Quotes, complete ones first and cheapest first, and the prices that were refused."""

    workload: Workload
    quotes: tuple[Quote, ...]
    refused: tuple[Refused, ...]

    @property
    def cheapest(self) -> Quote | None:
        """The cheapest complete quote; ``None`` when no cloud could be priced."""
        return next((quote for quote in self.quotes if quote.complete), None)


@operation("cost.price_workload")
def price_workload(
    workload: Workload,
    clouds: Sequence[str],
    *,
    own: OwnPrices,
    table: PriceTable,
    convert: Convert,
    currency: str,
    today: date,
    regions: Mapping[str, str] | None = None,
) -> WorkloadComparison:
    """Price one workload on several clouds.

    :param own: unit prices of the bill; preferred.
    :param table: where the bill has none.
    :param regions: cloud → region; a cloud not named takes the region where all of it can be
        priced and is cheapest.
    """
    chosen = regions or {}
    refused = [r for r in own.refused if r.price.split(" ", 1)[0] in clouds]
    ask = _Question(workload, currency, convert, refused)
    quotes = []
    with exact():
        for cloud in dict.fromkeys(clouds):
            listed: list[Price] = []
            for meter in Meter:
                good, bad = table.usable(cloud, meter, today=today, region_id=chosen.get(cloud))
                listed.extend(good)
                if workload.quantities()[meter]:
                    refused.extend(bad)
            billed = [
                p
                for p in own.prices
                if p.cloud == cloud and p.region_id == chosen.get(cloud, p.region_id)
            ]
            places = sorted({price.region_id for price in (*billed, *listed)}) or [""]
            found = [ask.quote(cloud, place, billed, listed) for place in places]
            quotes.append(min(found, key=lambda q: (len(q.missing), q.total, q.region_id)))
    quotes.sort(key=lambda q: (not q.complete, q.total, q.cloud))
    return WorkloadComparison(
        workload=workload, quotes=tuple(quotes), refused=tuple(dict.fromkeys(refused))
    )


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of every region.

    :param refused: gets the prices that can't be converted.
    """

    workload: Workload
    currency: str
    convert: Convert
    refused: list[Refused]

    def quote(
        self, cloud: str, region_id: str, billed: Sequence[Price], listed: Sequence[Price]
    ) -> Quote:
        """All of the workload in one region."""
        lines: list[QuoteLine] = []
        missing: list[Meter] = []
        for meter, quantity in self.workload.quantities().items():
            if not quantity:
                continue
            for prices in (billed, listed):
                here = [p for p in prices if (p.meter, p.region_id) == (meter, region_id)]
                found = self._cheapest(here, meter, quantity)
                if found:
                    break
            lines.extend(found)
            if not found:
                missing.append(meter)
        return Quote(
            cloud=cloud,
            region_id=region_id,
            lines=tuple(lines),
            total=exact_sum([line.amount for line in lines]),
            currency=self.currency,
            missing=tuple(missing),
        )

    def _cheapest(
        self, prices: Sequence[Price], meter: Meter, quantity: Decimal
    ) -> list[QuoteLine]:
        offers: list[list[QuoteLine]] = []
        for tiers in offers_of(prices, self.workload, meter):
            cut = tiered(tiers, quantity, Decimal(0))
            # Below the first tier there is no price: not a free one.
            if exact_sum([amount for _, amount in cut]) != quantity:
                continue
            try:
                offers.append([self._line(price, amount) for price, amount in cut])
            except CostAnalysisError as err:
                if err.kind is not ErrorKind.NOT_FOUND:
                    raise
                self.refused.append(Refused(str(tiers[0]), str(err)))
        return min(offers, key=lambda lines: exact_sum([x.amount for x in lines]), default=[])

    def _line(self, price: Price, quantity: Decimal) -> QuoteLine:
        amount = quantity * price.list_unit_price
        if price.currency != self.currency:
            amount = self.convert(amount, price.currency, price.as_of)
        return QuoteLine(
            meter=price.meter,
            sku=price.sku,
            region_id=price.region_id,
            quantity=quantity,
            unit=price.unit,
            unit_price=price.list_unit_price,
            unit_currency=price.currency,
            amount=amount,
            source=price.source,
            as_of=price.as_of,
        )
