"""The same charges in two exports: found, told, and counted once.

An account is exported twice when an export is replaced by another (of a later FOCUS version, or
under another name) and when both an organisation and one of its accounts export. For each account
and charge day of a billing period the export counts that the cloud wrote last; the others' rows of
that account and day are left out of every question. A day that only one of them has counts, so
that an export which began within a month adds to the one that ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.focus import literal
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.rollups import rollups
from airflow_multicloud.core.cost.store.snapshot import Period

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: The columns of the table ``left_out``, in the order of :class:`Overlap`'s fields.
TABLE = """
    Cloud VARCHAR, BillingPeriod DATE, Export VARCHAR, CountedExport VARCHAR, Accounts BIGINT,
    FirstDay DATE, LastDay DATE, Charges BIGINT, BillingCurrency VARCHAR,
    BilledCost DECIMAL(38, 10)
"""

# Exports write an account's id alone or at the end of a path, in capitals or not.
_ID = "regexp_replace(lower(coalesce({}, '')), '^.*/', '')"
_ACCOUNT = f"{_ID.format('BillingAccountId')} || ' ' || {_ID.format('SubAccountId')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """What of an export is left out, because another one has the same accounts' charges.

    :param export: the one left out. :param counted: the one that counts instead.
    :param accounts: how many accounts both have. :param charges: rows left out.
    :param billed_cost: what they add up to, in ``billing_currency``.
    """

    cloud: str
    billing_period: date
    export: str
    counted: str
    accounts: int
    first_day: date
    last_day: date
    charges: int
    billing_currency: str
    billed_cost: Decimal

    def __str__(self) -> str:
        whose = "account's" if self.accounts == 1 else "accounts'"
        return (
            f"{self.cloud} {self.billing_period:%Y-%m}: {self.charges} charges of {self.export}, "
            f"{self.billed_cost:.2f} {self.billing_currency} billed, are not counted: "
            f"{self.counted} has the same {whose} charges of "
            f"{self.first_day} to {self.last_day} and was exported later"
        )


@dataclass(frozen=True, slots=True)
class Marked:
    """Periods by their keys.

    :param several: those of months that several exports of a cloud have.
    :param idle: those of them of which no row counts.
    """

    several: frozenset[tuple[str, str, date]] = frozenset()
    idle: frozenset[tuple[str, str, date]] = frozenset()


def mark(engine: DuckDBPyConnection, files: Files, periods: Sequence[Period]) -> Marked:
    """Find what several exports have.

    Makes the table ``doubled`` of accounts and days that are not to be counted, which
    :func:`counted` and :func:`tell` ask. Without any such period nothing is read.
    """
    by_month: dict[tuple[str, date], list[Period]] = defaultdict(list)
    for period in periods:
        if period.rollup:
            by_month[period.cloud, period.billing_period].append(period)
    several = [p for group in by_month.values() if len(group) > 1 for p in group]
    if not several:
        return Marked()
    names = [p.rollup for p in several if p.rollup]
    ordered = sorted(
        several, key=lambda p: (p.exported_at, p.batches[-1].ingested_at, p.export), reverse=True
    )
    ranks = ", ".join(
        f"({literal(p.cloud)}, {literal(p.export)}, DATE '{p.billing_period}', {rank})"
        for rank, p in enumerate(ordered)
    )
    engine.execute(f"""
        CREATE TABLE doubled AS
        WITH ranked(Cloud, Export, BillingPeriod, place) AS (VALUES {ranks}),
        held AS (
            SELECT Cloud, Export, BillingPeriod, ChargeDate, {_ACCOUNT} AS Account,
                   BillingCurrency, sum(BilledCost) AS BilledCost, sum(Charges) AS Charges
            FROM ({rollups(files, names)}) GROUP BY ALL
        )
        SELECT * EXCLUDE place, place > min(place) OVER same AS left_out,
               first_value(Export) OVER (same ORDER BY place) AS CountedExport
        FROM held JOIN ranked USING (Cloud, Export, BillingPeriod)
        WINDOW same AS (PARTITION BY Cloud, BillingPeriod, ChargeDate, Account)
    """)
    idle = engine.execute(
        "SELECT Cloud, Export, BillingPeriod FROM doubled GROUP BY ALL HAVING bool_and(left_out)"
    ).fetchall()
    engine.execute("DELETE FROM doubled WHERE NOT left_out")
    return Marked(frozenset(p.key for p in several), frozenset(idle))


def counted(query: str) -> str:
    """The rows of a query that are to be counted."""
    return f"""
        SELECT * FROM ({query}) AS r WHERE NOT EXISTS (
            SELECT 1 FROM doubled AS d
            WHERE d.Cloud = r.Cloud AND d.Export = r.Export AND d.BillingPeriod = r.BillingPeriod
              AND d.ChargeDate = r.ChargeDate
              AND d.Account = {
        _ACCOUNT.replace("BillingAccountId", "r.BillingAccountId").replace(
            "SubAccountId", "r.SubAccountId"
        )
    }
        )
    """


def tell(engine: DuckDBPyConnection, where: str) -> None:
    """Make the table ``left_out``.

    :param where: a condition on the days or billing periods, as SQL.
    """
    engine.execute(f"CREATE TABLE left_out ({TABLE})")
    tables = engine.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    if ("doubled",) in tables:
        condition = f"WHERE {where}" if where else ""
        engine.execute(f"""
            INSERT INTO left_out
            SELECT Cloud, BillingPeriod, Export, CountedExport, count(DISTINCT Account),
                   min(ChargeDate), max(ChargeDate), sum(Charges), BillingCurrency,
                   sum(BilledCost)
            FROM doubled {condition} GROUP BY ALL
        """)


def read_overlaps(engine: DuckDBPyConnection) -> tuple[Overlap, ...]:
    """The table ``left_out`` of a connection."""
    rows = engine.execute("SELECT * FROM left_out ORDER BY ALL").fetchall()
    names = Overlap.__dataclass_fields__
    return tuple(Overlap(**dict(zip(names, row, strict=True))) for row in rows)
