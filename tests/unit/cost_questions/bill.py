"""Small bills in the store's exact types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import duckdb

from airflow_multicloud.core.cost.focus import COLUMNS, COSTS, ROLLUP
from airflow_multicloud.core.cost.store import overlaps


@dataclass(frozen=True)
class Charge:
    """One row; ``costs`` are billed, effective, list and contracted, or one for all."""

    cloud: str
    day: date
    billed: str | Decimal
    effective: str | Decimal | None = None
    list: str | Decimal | None = None
    contracted: str | Decimal | None = None
    currency: str = "USD"
    service: str | None = "Compute"
    account: str | None = "account-1"
    category: str = "Usage"
    region: str | None = "region-1"
    frequency: str = "Usage-Based"
    export: str | None = None
    tags: Mapping[str, str] | None = field(default=None)

    def on(self, day: date) -> Charge:
        return replace(self, day=day)


@dataclass(frozen=True)
class Month:
    """One exported month."""

    cloud: str
    month: date
    exported_at: datetime
    final: bool = False
    export: str | None = None


def days(first: date, number: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(number)]


def after(day: date) -> datetime:
    """A moment at which that day is over."""
    return datetime.combine(day + timedelta(days=1), time(4), UTC)


def bill(charges: Iterable[Charge], months: Iterable[Month] = ()) -> duckdb.DuckDBPyConnection:
    """A connection with the store's views; other months are exported after their last charge."""
    rows = list(charges)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    columns = ", ".join(f'"{c.name}" {c.type}' for c in COLUMNS)
    connection.execute(
        f"CREATE TABLE costs (Cloud VARCHAR, Export VARCHAR, BillingPeriod DATE, "
        f"ChargeDate DATE, {columns})"
    )
    if rows:
        _insert(connection, rows)
    sums = ", ".join(f"sum({c}) AS {c}" for c in COSTS)
    connection.execute(
        f"CREATE VIEW rollup AS SELECT {', '.join(ROLLUP)}, {sums}, count(*) AS Charges "
        "FROM costs GROUP BY ALL"
    )
    connection.execute(
        "CREATE TABLE periods (Cloud VARCHAR, Export VARCHAR, BillingPeriod DATE, Version VARCHAR,"
        " Style VARCHAR, ExportedAt TIMESTAMPTZ, IngestedAt TIMESTAMPTZ, Final BOOLEAN,"
        " FirstDay DATE, LastDay DATE, Rows BIGINT)"
    )
    connection.execute(f"CREATE TABLE left_out ({overlaps.TABLE})")
    given = {(m.cloud, m.month, m.export or m.cloud): m for m in months}
    last: dict[tuple[str, date, str], date] = {}
    for row in rows:
        key = (row.cloud, row.day.replace(day=1), row.export or row.cloud)
        last[key] = max(last.get(key, row.day), row.day)
    for cloud, month, export in {**last, **given}:
        exported = given.get((cloud, month, export))
        connection.execute(
            "INSERT INTO periods VALUES (?, ?, ?, 'v1', 'replace', ?, ?, ?, ?, ?, 0)",
            [
                cloud,
                export,
                month,
                exported.exported_at if exported else after(last[cloud, month, export]),
                after(month),
                exported.final if exported else False,
                month,
                month,
            ],
        )
    return connection


def _insert(connection: duckdb.DuckDBPyConnection, rows: list[Charge]) -> None:
    def or_billed(row: Charge, value: str | Decimal | None) -> str:
        return str(row.billed if value is None else value)

    connection.execute(
        """INSERT INTO costs BY NAME
        SELECT Cloud, Export, date_trunc('month', ChargeDate)::DATE AS BillingPeriod, ChargeDate,
               BilledCost::DECIMAL(28, 10) AS BilledCost,
               EffectiveCost::DECIMAL(28, 10) AS EffectiveCost,
               ListCost::DECIMAL(28, 10) AS ListCost,
               ContractedCost::DECIMAL(28, 10) AS ContractedCost,
               BillingCurrency, ServiceName, SubAccountId, ChargeCategory, RegionId,
               ChargeFrequency, ChargeDate::TIMESTAMP AS ChargePeriodStart,
               CASE WHEN keys IS NOT NULL THEN map(keys, vals) END AS Tags
        FROM (SELECT unnest($cloud::VARCHAR[]) AS Cloud, unnest($export::VARCHAR[]) AS Export,
                     unnest($day::DATE[]) AS ChargeDate,
                     unnest($billed::VARCHAR[]) AS BilledCost,
                     unnest($effective::VARCHAR[]) AS EffectiveCost,
                     unnest($list::VARCHAR[]) AS ListCost,
                     unnest($contracted::VARCHAR[]) AS ContractedCost,
                     unnest($currency::VARCHAR[]) AS BillingCurrency,
                     unnest($service::VARCHAR[]) AS ServiceName,
                     unnest($account::VARCHAR[]) AS SubAccountId,
                     unnest($category::VARCHAR[]) AS ChargeCategory,
                     unnest($region::VARCHAR[]) AS RegionId,
                     unnest($frequency::VARCHAR[]) AS ChargeFrequency,
                     unnest($keys::VARCHAR[][]) AS keys, unnest($vals::VARCHAR[][]) AS vals)""",
        {
            "cloud": [r.cloud for r in rows],
            "export": [r.export or r.cloud for r in rows],
            "day": [r.day for r in rows],
            "billed": [str(r.billed) for r in rows],
            "effective": [or_billed(r, r.effective) for r in rows],
            "list": [or_billed(r, r.list) for r in rows],
            "contracted": [or_billed(r, r.contracted) for r in rows],
            "currency": [r.currency for r in rows],
            "service": [r.service for r in rows],
            "account": [r.account for r in rows],
            "category": [r.category for r in rows],
            "region": [r.region for r in rows],
            "frequency": [r.frequency for r in rows],
            "keys": [None if r.tags is None else list(r.tags) for r in rows],
            "vals": [None if r.tags is None else list(r.tags.values()) for r in rows],
        },
    )
