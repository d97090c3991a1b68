"""What a cost store holds at one moment: which files are the bill.

A snapshot is immutable; the store's pointer names the current one. Everything else in the
store is reached through it, so what it does not name does not exist.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import CorrectionStyle

_FORMAT = 1

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one ingested version brought: a whole period, or rows to add to it."""

    version: str
    exported_at: datetime
    ingested_at: datetime
    raw: tuple[str, ...]
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One billing period of one export."""

    cloud: str
    export: str
    billing_period: date
    style: CorrectionStyle
    batches: tuple[Batch, ...]
    rollup: str

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
    def invoiced(self) -> bool:
        """Whether every row is on an invoice, so that the cloud calls the period final."""
        return not any(day.uninvoiced for day in self.days())

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
            named.add(period.rollup)
            for batch in period.batches:
                named.update(batch.raw)
            for day in period.days():
                named.update(day.files)
        return named

    def to_json(self) -> bytes:
        """As it is kept."""
        doc = {"format": _FORMAT, **asdict(self)}
        return json.dumps(doc, default=_plain, indent=1).encode()

    @classmethod
    def from_json(cls, text: bytes, name: str) -> Snapshot:
        """From its kept form.

        :raises CostAnalysisError: kind ``integrity`` when it is damaged or of a later format.
        """
        try:
            doc = json.loads(text)
            known = doc["format"] == _FORMAT
            snapshot = known and cls(
                sequence=doc["sequence"],
                periods=tuple(_period(p) for p in doc["periods"]),
                restatements=doc["restatements"],
            )
        except (ValueError, KeyError, TypeError) as err:
            raise CostAnalysisError(
                f"cost store: snapshot {name} can't be read: {err}", kind=ErrorKind.INTEGRITY
            ) from err
        if not snapshot:
            raise CostAnalysisError(
                f"cost store: snapshot {name} has format {doc['format']}, this version reads "
                f"{_FORMAT}",
                kind=ErrorKind.UNSUPPORTED,
            )
        return snapshot


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

    @property
    def billed_change(self) -> Decimal:
        """By how much the bill grew."""
        return self.new_billed_cost - self.old_billed_cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an ingestion did.

    :param changed: whether the store's content is another now.
    :param rows: of the period after it. :param days_written: charge days written anew.
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


def _period(doc: dict[str, Any]) -> Period:
    return Period(
        cloud=doc["cloud"],
        export=doc["export"],
        billing_period=date.fromisoformat(doc["billing_period"]),
        style=CorrectionStyle(doc["style"]),
        batches=tuple(_batch(b) for b in doc["batches"]),
        rollup=doc["rollup"],
    )


def _batch(doc: dict[str, Any]) -> Batch:
    return Batch(
        version=doc["version"],
        exported_at=datetime.fromisoformat(doc["exported_at"]),
        ingested_at=datetime.fromisoformat(doc["ingested_at"]),
        raw=tuple(doc["raw"]),
        days=tuple(_day(d) for d in doc["days"]),
    )


def _day(doc: dict[str, Any]) -> Day:
    return Day(
        day=date.fromisoformat(doc["day"]),
        content=doc["content"],
        files=tuple(doc["files"]),
        rows=doc["rows"],
        uninvoiced=doc["uninvoiced"],
        totals={c: tuple(Decimal(v) for v in sums) for c, sums in doc["totals"].items()},  # type: ignore[misc]
        # Snapshots of before these columns were kept do not say; their files have none.
        later=tuple(doc.get("later", ())),
    )
