"""Small bills: rows as dataclasses, written as the clouds would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from airflow_multicloud.core.cost.focus import COLUMNS, TAGS, literal, quoted
from airflow_multicloud.ports.cost import (
    CorrectionStyle,
    ExportedPeriod,
    FetchedPeriod,
    FileFormat,
)

MONTH = date(2026, 10, 1)


@dataclass(frozen=True, slots=True)
class Row:
    """One charge; the four costs differ, so that mixing them up shows."""

    day: date
    service: str
    billed: Decimal
    currency: str = "USD"
    category: str = "Usage"
    charge_class: str | None = None
    tags: str | None = '{"team": "data"}'
    invoice: str | None = None
    account: str = "sub"

    @property
    def effective(self) -> Decimal:
        return self.billed * 2

    def values(self) -> dict[str, str]:
        end = (MONTH + timedelta(days=31)).replace(day=1)
        values = {
            "BilledCost": str(self.billed),
            "EffectiveCost": str(self.effective),
            "ListCost": str(self.billed * 3),
            "ContractedCost": str(self.billed * 4),
            "BillingAccountId": "account",
            "BillingCurrency": self.currency,
            "BillingPeriodStart": f"{MONTH}T00:00:00Z",
            "BillingPeriodEnd": f"{end}T00:00:00Z",
            "ChargePeriodStart": f"{self.day}T00:00:00Z",
            "ChargePeriodEnd": f"{self.day + timedelta(days=1)}T00:00:00Z",
            "ChargeCategory": self.category,
            "ServiceCategory": "Compute",
            "ServiceName": self.service,
            "SubAccountId": self.account,
            "ProviderName": "AWS",
        }
        optional = {"ChargeClass": self.charge_class, "Tags": self.tags, "InvoiceId": self.invoice}
        return values | {k: v for k, v in optional.items() if v is not None}


def write(path: Path, rows: Sequence[Row], *, drop: Sequence[str] = (), **extra: str) -> Path:
    """Write rows as Parquet (typed) or CSV (text), by the path's suffix.

    :param extra: values that are the same in every row; columns newer than FOCUS 1.2 are
        there when they are named.
    """
    names = [c for c in COLUMNS if c.name not in drop and (c.since is None or c.name in extra)]
    parquet = path.suffix == ".parquet"
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        kinds = ", ".join(
            f"{quoted(c.name)} {'VARCHAR' if c.type == TAGS or not parquet else c.type}"
            for c in names
        )
        db.execute(f"CREATE TABLE bill ({kinds})")
        for row in rows:
            values = row.values() | extra
            db.execute(
                f"INSERT INTO bill VALUES ({', '.join('?' * len(names))})",
                [values.get(c.name) for c in names],
            )
        kind = "parquet" if parquet else "csv, HEADER"
        db.execute(f"COPY bill TO {literal(str(path))} (FORMAT {kind})")
    return path


def fetched(
    file: Path,
    version: str,
    *,
    style: CorrectionStyle = CorrectionStyle.REPLACE,
    rows: int | None = None,
    exported_at: datetime | None = None,
) -> FetchedPeriod:
    """As a cloud's hook would give it."""
    at = exported_at or datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=int(version))
    period = ExportedPeriod(
        export="bucket/export",
        billing_period=MONTH,
        version=version,
        style=style,
        exported_at=at,
        rows=rows,
    )
    suffix = FileFormat.PARQUET if file.suffix == ".parquet" else FileFormat.CSV
    return FetchedPeriod(period=period, format=suffix, files=(file,))
