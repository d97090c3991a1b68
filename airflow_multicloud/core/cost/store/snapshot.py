"""What a cost store holds at one moment: which files are the bill.

A snapshot is immutable; the store's pointer names the current one. Everything else in the
store is reached through it, so what it does not name does not exist.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from airflow_multicloud.core.cost.money import exact_difference
from airflow_multicloud.documents import Document
from airflow_multicloud.months import next_month
from airflow_multicloud.ports.cost import CorrectionStyle

#: Of the kept form, which :mod:`~airflow_multicloud.core.cost.store.decode` reads. The first had
#: no digests in names, and no account in rollups.
FORMAT = 2

#: Months whose rows name no invoice count as final when they were exported so long after their
#: end: by then AWS, Azure and Google have added what comes late (support, tax, corrections).
SETTLED = timedelta(days=9)

#: Currency → sums of BilledCost, EffectiveCost, ListCost and ContractedCost.
Totals = dict[str, tuple[Decimal, Decimal, Decimal, Decimal]]

_NO_TOTALS: tuple[Decimal, Decimal, Decimal, Decimal] = (Decimal(0),) * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The rows of one charge day in one batch.

    :param content: a hash of the rows as exported; the same hash, the same rows.
    :param uninvoiced: rows without an InvoiceId.
    :param later: the columns of FOCUS 1.3 and 1.4 that its files have.
    """

    day: date
    content: str
    files: tuple[str, ...]
    rows: int
    uninvoiced: int
    totals: Totals
    later: tuple[str, ...] = ()


def totals_of(days: Iterable[Day]) -> Totals:
    """The days' sums by currency."""
    summed: dict[str, tuple[Decimal, Decimal, Decimal, Decimal]] = {}
    for day in days:
        for currency, values in day.totals.items():
            old = summed.get(currency, _NO_TOTALS)
            billed, effective, listed, contracted = (
                a + b for a, b in zip(old, values, strict=True)
            )
            summed[currency] = (billed, effective, listed, contracted)
    return summed


#: A day outside of these is a damaged or forged one; Python's dates end soon after.
YEARS = range(1990, 2200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one ingested version brought: a whole period, some days of it, or rows to add to it.

    :param scope: the first and the last day that it has, when it is not the whole period.
    :param invoices: whether its files say of each row on which invoice it is.
    """

    version: str
    exported_at: datetime
    ingested_at: datetime
    raw: tuple[str, ...]
    days: tuple[Day, ...]
    scope: tuple[date, date] | None = None
    invoices: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One billing period of one export.

    :param batches: at least one.
    :param rollup: the file of its daily sums; ``None`` when it has no rows.
    """

    cloud: str
    export: str
    billing_period: date
    style: CorrectionStyle
    batches: tuple[Batch, ...]
    rollup: str | None

    @property
    def key(self) -> tuple[str, str, date]:
        """What identifies it in a snapshot."""
        return (self.cloud, self.export, self.billing_period)

    @property
    def version(self) -> str:
        """The export's version that was ingested last."""
        return self.batches[-1].version

    @property
    def exported_at(self) -> datetime:
        """When the cloud wrote that version."""
        return self.batches[-1].exported_at

    @property
    def rows(self) -> int:
        """Rows in all batches."""
        return sum(day.rows for day in self.days())

    @property
    def complete_at(self) -> datetime:
        """The moment up to which all of it is known.

        Rows are added to what was there before; days that were exported by themselves say
        nothing of the others.
        """
        if self.style is not CorrectionStyle.REPLACE:
            return self.exported_at
        return min(batch.exported_at for batch in self.batches)

    @property
    def whole(self) -> bool:
        """Whether the batches have every day of the month in them."""
        scopes = [batch.scope for batch in self.batches]
        if None in scopes:
            return True
        length = (self.following - self.billing_period).days
        month = (self.billing_period + timedelta(days=n) for n in range(length))
        return all(any(s and s[0] <= day <= s[1] for s in scopes) for day in month)

    @property
    def following(self) -> date:
        """The first day after it."""
        return next_month(self.billing_period)

    @property
    def final(self) -> bool:
        """Whether it was exported after its end, and all of it is on an invoice.

        FOCUS 1.0 has no InvoiceId, and some exports of later versions leave it empty in every
        row: such a period is final some days after its end.
        """
        if not self.whole:
            return False
        exported = self.complete_at.date()
        uninvoiced = sum(day.uninvoiced for day in self.days())
        never = uninvoiced > 0 and uninvoiced == self.rows
        if never or not all(batch.invoices for batch in self.batches):
            return exported >= self.following + SETTLED
        return exported >= self.following and not uninvoiced

    def days(self) -> Iterable[Day]:
        """The days of all batches."""
        for batch in self.batches:
            yield from batch.days


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every period, and the log of restatements.

    :param sequence: grows by one with every change.
    :param restatements: the file of the log, if anything was ever restated.
    """

    sequence: int = 0
    periods: tuple[Period, ...] = ()
    restatements: str | None = None

    def period(self, cloud: str, export: str, billing_period: date) -> Period | None:
        """One period, if it was ever ingested."""
        key = (cloud, export, billing_period)
        return next((p for p in self.periods if p.key == key), None)

    def without(self, periods: Iterable[Period]) -> Snapshot:
        """The next snapshot, without these."""
        gone = {period.key for period in periods}
        return replace(
            self,
            sequence=self.sequence + 1,
            periods=tuple(period for period in self.periods if period.key not in gone),
        )

    def with_period(self, period: Period, restatements: str | None) -> Snapshot:
        """The next snapshot."""
        others = [p for p in self.periods if p.key != period.key]
        return replace(
            self,
            sequence=self.sequence + 1,
            periods=tuple(sorted([*others, period], key=lambda p: p.key)),
            restatements=restatements,
        )

    def files(self) -> set[str]:
        """The names of all files that the snapshot needs."""
        named = {self.restatements} if self.restatements else set()
        for period in self.periods:
            if period.rollup:
                named.add(period.rollup)
            for batch in period.batches:
                named.update(batch.raw)
            for day in period.days():
                named.update(day.files)
        return named

    def to_json(self) -> bytes:
        """As it is kept."""
        doc = {"format": FORMAT, **asdict(self)}
        return json.dumps(doc, default=_plain, indent=1).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement:
    """How a service's known charges changed with a new version.

    Only days that an earlier version already had count; new days are news, not restatements.
    """

    cloud: str
    export: str
    billing_period: date
    service_name: str
    billing_currency: str
    first_day: date
    last_day: date
    old_version: str
    new_version: str
    old_billed_cost: Decimal
    new_billed_cost: Decimal
    old_effective_cost: Decimal
    new_effective_cost: Decimal
    seen_at: datetime

    DOCUMENT: ClassVar = Document(
        (
            *("cloud", "billing_period", "service_name", "first_day", "last_day"),
            *("billing_currency", "old_billed_cost", "new_billed_cost", "seen_at"),
        )
    )

    @property
    def billed_change(self) -> Decimal:
        """By how much the bill grew."""
        return exact_difference(self.new_billed_cost, self.old_billed_cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an ingestion did.

    :param changed: whether the store's content is another now.
    :param rows: of the period after it.
    :param days_written: charge days that were written.
    """

    changed: bool
    reason: str
    period: Period | None = None
    rows: int = 0
    days_written: tuple[date, ...] = ()
    restatements: tuple[Restatement, ...] = field(default=())


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value))
