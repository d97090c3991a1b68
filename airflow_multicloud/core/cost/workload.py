"""Like for like: the same workload priced on every cloud.

The customer's own unit prices come first; where the bill has none for a meter, the price
table's. A cloud for which a part can't be priced is not ranked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from airflow_multicloud.core.cost.prices import Meter, Price, PriceTable, Refused, tiered
from airflow_multicloud.core.cost.unit_prices import OwnPrices
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

#: Hours of a month as all three clouds count them for monthly prices (365 × 24 / 12).
MONTH_HOURS = Decimal(730)

#: Money of one currency on a day → the report's currency.
Convert = Callable[[Decimal, str, date], Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What is to run for a month.

    :param vcpus: of one instance, at least. :param memory_gib: of one instance, at least.
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

    def __post_init__(self) -> None:
        for name in ("vcpus", "memory_gib", "instances", "hours", "storage_gb", "writes", "reads"):
            if getattr(self, name) < 0:
                raise CostAnalysisError(
                    f"workload: {name} is {getattr(self, name)}, must not be negative",
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

    :param missing: meters without a usable price; such a quote is not ranked.
    """

    cloud: str
    lines: tuple[QuoteLine, ...]
    total: Decimal
    currency: str
    missing: tuple[Meter, ...]

    @property
    def complete(self) -> bool:
        """Whether every part was priced."""
        return not self.missing


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

    :param own: unit prices of the bill; preferred. :param table: where the bill has none.
    :param regions: cloud → region; a cloud not named takes its cheapest region.
    :raises CostAnalysisError: when a currency has no rate.
    """
    chosen = regions or {}
    refused = [r for r in own.refused if r.price.split(" ", 1)[0] in clouds]
    quotes = []
    for cloud in dict.fromkeys(clouds):
        lines: list[QuoteLine] = []
        missing: list[Meter] = []
        for meter, quantity in workload.quantities().items():
            if not quantity:
                continue
            listed, bad = table.usable(cloud, meter, today=today, region_id=chosen.get(cloud))
            refused.extend(bad)
            billed = [
                p
                for p in own.prices
                if (p.cloud, p.meter) == (cloud, meter)
                and p.region_id == chosen.get(cloud, p.region_id)
            ]
            found = _cheapest(billed, workload, meter, quantity, currency, convert) or _cheapest(
                listed, workload, meter, quantity, currency, convert
            )
            lines.extend(found)
            if not found:
                missing.append(meter)
        quotes.append(
            Quote(
                cloud=cloud,
                lines=tuple(lines),
                total=sum((line.amount for line in lines), Decimal(0)),
                currency=currency,
                missing=tuple(missing),
            )
        )
    quotes.sort(key=lambda q: (not q.complete, q.total, q.cloud))
    return WorkloadComparison(
        workload=workload, quotes=tuple(quotes), refused=tuple(dict.fromkeys(refused))
    )


def _cheapest(
    prices: Sequence[Price],
    workload: Workload,
    meter: Meter,
    quantity: Decimal,
    currency: str,
    convert: Convert,
) -> list[QuoteLine]:
    offers = [
        [
            _line(price, amount, currency, convert)
            for price, amount in tiered(tiers, quantity, Decimal(0))
        ]
        for tiers in _offers(prices, workload, meter)
    ]
    return min(
        filter(None, offers), key=lambda lines: sum(line.amount for line in lines), default=[]
    )


def _offers(prices: Sequence[Price], workload: Workload, meter: Meter) -> list[list[Price]]:
    """What serves the workload: each offer is one SKU with its tiers, or all egress tiers."""
    offers: dict[tuple[str, str, str], list[Price]] = {}
    for price in prices:
        if meter is Meter.EGRESS:
            suits, sku = price.sku != "inter-region", price.family
        else:
            suits, sku = _suits(price, workload, meter), price.sku
        if suits:
            offers.setdefault((sku, price.region_id, price.currency), []).append(price)
    return list(offers.values())


def _suits(price: Price, workload: Workload, meter: Meter) -> bool:
    if meter is not Meter.COMPUTE:
        return price.family == "standard"
    if price.vcpus is None or price.memory_gib is None:
        return False
    enough = price.vcpus >= workload.vcpus and price.memory_gib >= workload.memory_gib
    return enough and (workload.burstable or price.family == "standard")


def _line(price: Price, quantity: Decimal, currency: str, convert: Convert) -> QuoteLine:
    amount = quantity * price.list_unit_price
    if price.currency != currency:
        amount = convert(amount, price.currency, price.as_of)
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
