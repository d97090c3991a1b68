"""What a transfer will cost, from its plan, before a byte moves.

Bytes leave a cloud for money twice over: from the source to where the task runs, and from
there to each destination that lies elsewhere. Writing and reading are billed by the request,
what is written by the month.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import ClassVar

from airflow_multicloud.core.cost.money import cents, exact, exact_sum
from airflow_multicloud.core.cost.prices import (
    BYTES_PER_GB,
    FREE_ALLOWANCE,
    Meter,
    Price,
    PriceTable,
    Refused,
    tiered,
)
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import CostAnalysisError, ErrorKind


@dataclass(frozen=True, slots=True)
class Place:
    """A cloud and a region of it.

    :param region_id: ``None``: unknown, or that of any other place in the cloud.
    :param priced_as: the region whose prices are taken, where the table lacks its own.
    """

    cloud: str
    region_id: str | None = None
    priced_as: str | None = None

    def __str__(self) -> str:
        return f"{self.cloud}/{self.region_id}" if self.region_id else self.cloud


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """What goes to one destination.

    :param name: how the estimate calls it (its URI).
    :param size: bytes to write.
    :param requests: writes.
    :param storage_class: the cloud's own name; ``None``: its standard class.
    """

    name: str
    place: Place
    size: int
    requests: int
    storage_class: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLine:
    """One priced quantity: of one tier, so several may share a meter.

    :param monthly: the amount recurs every month (storage) rather than once.
    """

    name: str
    meter: Meter
    sku: str
    region_id: str
    quantity: Decimal
    unit: str
    list_unit_price: Decimal
    amount: Decimal
    currency: str
    source: str
    as_of: date
    monthly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferEstimate:
    """Every line of an estimate, and what it could not price.

    :param once: the sum of what is paid once.
    :param monthly: of what recurs every month.
    :param unpriced: what no usable price was found for, and why; when there is any, the sums
        are a lower bound.
    """

    lines: tuple[TransferLine, ...]
    currency: str
    once: Decimal
    monthly: Decimal
    unpriced: tuple[Refused, ...] = field(default=())

    DOCUMENT: ClassVar = Document(
        (
            *(("once", "once_text"), ("monthly", "monthly_text"), "currency", "complete"),
            *("oldest_price", ("lines", "line_count"), ("unpriced", "unpriced_texts")),
        )
    )

    @property
    def complete(self) -> bool:
        """Whether everything was priced."""
        return not self.unpriced

    @property
    def once_text(self) -> str:
        """:attr:`once` as programs are told it, so that none makes a float of it."""
        return str(self.once)

    @property
    def monthly_text(self) -> str:
        """:attr:`monthly`, likewise."""
        return str(self.monthly)

    @property
    def line_count(self) -> int:
        """How many quantities were priced."""
        return len(self.lines)

    @property
    def unpriced_texts(self) -> tuple[str, ...]:
        """What was not priced, and why: the first ten."""
        return tuple(f"{item.price}: {item.reason}" for item in self.unpriced[:10])

    @property
    def oldest_price(self) -> date | None:
        """The day of the oldest price used."""
        return min((line.as_of for line in self.lines), default=None)

    def __str__(self) -> str:
        bound = "" if self.complete else "at least "
        text = (
            f"{bound}{cents(self.once)} {self.currency} once and "
            f"{cents(self.monthly)} {self.currency} a month"
        )
        return f"{text}, by list prices of {self.oldest_price} or later" if self.lines else text


@operation("cost.estimate_transfer")
def estimate_transfer(
    source: Place,
    shipments: Sequence[Shipment],
    table: PriceTable,
    *,
    reads: int,
    read_bytes: int,
    today: date,
    runs_in: Place | None = None,
    egress_used: Mapping[str, Decimal] | None = None,
) -> TransferEstimate:
    """Price a transfer.

    :param reads: read requests at the source.
    :param read_bytes: bytes read there, once for all destinations.
    :param runs_in: where the task runs; the source's own place by default.
    :param egress_used: cloud → GB of internet egress already used this month, which decides
        the tier.
    :raises CostAnalysisError: kind ``invalid_argument`` for a negative number.
    """
    if reads < 0 or read_bytes < 0 or any(s.size < 0 or s.requests < 0 for s in shipments):
        raise CostAnalysisError(
            "reads, read_bytes, size and requests can't be negative",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    worker = runs_in or source
    # A byte is 2**-30 GB, thirty decimals: in fewer digits what is priced would not add up to what
    # is moved, and a complete estimate would look as if it lacked something.
    with exact():
        bill = _Bill(table, today, dict(egress_used or {}))
        bill.plain("source", Meter.READS, source, None, Decimal(reads) / 1000)
        bill.egress("source", source, worker, read_bytes)
        for to in shipments:
            bill.egress(to.name, worker, to.place, to.size)
            requests = Decimal(to.requests) / 1000
            bill.plain(to.name, Meter.WRITES, to.place, to.storage_class, requests)
            size = Decimal(to.size) / BYTES_PER_GB
            bill.plain(to.name, Meter.STORAGE, to.place, to.storage_class, size)
        return bill.total()


class _Bill:
    """Collects lines; knows how much egress of each cloud the month has seen."""

    def __init__(self, table: PriceTable, today: date, used: dict[str, Decimal]) -> None:
        self.table = table
        self.today = today
        self.used = used
        self.lines: list[TransferLine] = []
        self.unpriced: list[Refused] = []

    def plain(
        self, name: str, meter: Meter, place: Place, sku: str | None, quantity: Decimal
    ) -> None:
        """Requests and storage: one price, no tiers."""
        if not quantity:
            return
        prices = self._prices(meter, place)
        chosen = [p for p in prices if (p.family == "standard" if sku is None else p.sku == sku)][
            :1
        ]
        self._add(name, meter, place, sku, [(price, quantity) for price in chosen])

    def egress(self, name: str, start: Place, end: Place, size: int) -> None:
        """Bytes from one place to another: nothing within a region."""
        quantity = Decimal(size) / BYTES_PER_GB
        unknown = start.region_id is None or end.region_id is None
        same_region = start.cloud == end.cloud and (unknown or start.region_id == end.region_id)
        if not quantity or same_region:
            return
        prices = self._prices(Meter.EGRESS, start)
        if start.cloud == end.cloud:
            within = [p for p in prices if p.sku == "inter-region"]
            self._add(name, Meter.EGRESS, start, "inter-region", [(p, quantity) for p in within])
            return
        used = self.used.get(start.cloud, Decimal(0))
        tiers = [p for p in prices if p.sku in {"internet", FREE_ALLOWANCE}]
        self.used[start.cloud] = used + quantity
        cut = tiered(tiers, quantity, used)
        self._add(name, Meter.EGRESS, start, "internet", cut)
        covered = exact_sum([amount for _, amount in cut])
        if cut and covered < quantity:
            lacking = f"{start} {Meter.EGRESS} below {tiers[0].tier_start} GB"
            self.unpriced.append(Refused(lacking, "no usable price in the table"))

    def total(self) -> TransferEstimate:
        """The sums; list prices of several currencies are refused rather than added."""
        currencies = sorted({line.currency for line in self.lines})
        if len(currencies) > 1:
            raise CostAnalysisError(
                f"the price table mixes currencies ({', '.join(currencies)}): "
                "an estimate needs prices of one",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        return TransferEstimate(
            lines=tuple(self.lines),
            currency=currencies[0] if currencies else "USD",
            once=exact_sum([line.amount for line in self.lines if not line.monthly]),
            monthly=exact_sum([line.amount for line in self.lines if line.monthly]),
            unpriced=tuple(dict.fromkeys(self.unpriced)),
        )

    def _prices(self, meter: Meter, place: Place) -> list[Price]:
        good, refused = self.table.usable(
            place.cloud, meter, today=self.today, region_id=place.priced_as or place.region_id
        )
        if not good:
            self.unpriced.extend(refused)
        return good

    def _add(
        self,
        name: str,
        meter: Meter,
        place: Place,
        sku: str | None,
        priced: Iterable[tuple[Price, Decimal]],
    ) -> None:
        lines = [
            TransferLine(
                name=name,
                meter=meter,
                sku=price.sku,
                region_id=price.region_id,
                quantity=quantity,
                unit=price.unit,
                list_unit_price=price.list_unit_price,
                amount=quantity * price.list_unit_price,
                currency=price.currency,
                source=price.source,
                as_of=price.as_of,
                monthly=meter is Meter.STORAGE,
            )
            for price, quantity in priced
        ]
        if not lines:
            wanted = f"{place} {meter}" + (f" {sku}" if sku else "")
            self.unpriced.append(Refused(wanted, "no usable price in the table"))
        self.lines.extend(lines)
