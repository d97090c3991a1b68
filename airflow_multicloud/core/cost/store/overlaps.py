"""The same charges in two exports: found, told, and counted once.

An account is exported twice when an export is replaced by another (of a later FOCUS version, or
under another name) and when both an organisation and one of its accounts export. For each account
and charge day of a billing period one export counts, by the rules of
:mod:`~airflow_multicloud.core.cost.store.same_charges`; the others' rows of that account and day
are left out of every question. A day that only one of them has counts, so that an export which
began within a month adds to the one that ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.focus import literal
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.rollups import rollups
from airflow_multicloud.core.cost.store.same_charges import (
    CARRIED,
    DECIDED,
    UNCLEAR,
    Reason,
    settle,
)
from airflow_multicloud.core.cost.store.snapshot import Period

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: The columns of the table ``left_out``, in the order of :class:`Overlap`'s fields.
TABLE = """
    Cloud VARCHAR, BillingPeriod DATE, Export VARCHAR, CountedExport VARCHAR, Reason VARCHAR,
    Accounts BIGINT, FirstDay DATE, LastDay DATE, Charges BIGINT, BillingCurrency VARCHAR,
    BilledCost DECIMAL(38, 10)
"""

# Exports write an account's id alone or at the end of a path, in capitals or not.
_ID = "regexp_replace(lower(coalesce({}, '')), '^.*/', '')"
_ACCOUNT = f"{_ID.format('BillingAccountId')} || ' ' || {_ID.format('SubAccountId')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """What of an export is left out, because another one has the same accounts' charges.

    :param export: the one left out.
    :param counted: the one that counts instead.
    :param reason: why.
    :param accounts: how many accounts both have.
    :param charges: rows left out.
    :param billed_cost: what they add up to, in ``billing_currency``.
    """

    cloud: str
    billing_period: date
    export: str
    counted: str
    reason: Reason
    accounts: int
    first_day: date
    last_day: date
    charges: int
    billing_currency: str
    billed_cost: Decimal

    def __str__(self) -> str:
        return (
            f"{self.cloud} {self.billing_period:%Y-%m}: {self.charges} charges of {self.export} "
            f"of {self.first_day} to {self.last_day}, "
            f"{self.billed_cost:.2f} {self.billing_currency} billed, are not counted: "
            f"{self.counted} counts instead, {self.reason.text}"
        )


# An export ended when a newer one carries each account that it had use of in its last days. A row
# that names no account is of the billing account, which the newer one has too.
_ENDED = """
WITH uses AS (
    SELECT Cloud, BillingPeriod, Export, place, Account, max(ChargeDate) AS last
    FROM carried WHERE used GROUP BY ALL
), latest AS (
    SELECT * FROM uses
    QUALIFY last >= max(last) OVER (PARTITION BY Cloud, BillingPeriod, Export) - 3
), newer AS (
    SELECT Cloud, BillingPeriod, Account, Export, place, max(ChargeDate) AS last
    FROM carried WHERE carries GROUP BY ALL
)
SELECT u.Cloud, u.Export, u.BillingPeriod, max(successor) FROM (
    SELECT u.Cloud, u.Export, u.BillingPeriod, u.Account, min(n.place) AS successor
    FROM latest AS u LEFT JOIN newer AS n
      ON n.Cloud = u.Cloud AND n.BillingPeriod = u.BillingPeriod AND n.place < u.place
     AND n.last >= u.last - 3
     AND (n.Account = u.Account
          OR (ends_with(u.Account, ' ') AND starts_with(n.Account, u.Account)))
    GROUP BY ALL
) AS u GROUP BY ALL HAVING bool_and(successor IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Marked:
    """Periods by their keys.

    :param several: those of months that several exports of a cloud have.
    :param idle: those of them of which no row counts.
    :param ended: those whose charges another export tells from some day on → that one's.
    """

    several: frozenset[tuple[str, str, date]] = frozenset()
    idle: frozenset[tuple[str, str, date]] = frozenset()
    ended: Mapping[tuple[str, str, date], Period] = field(default_factory=dict)


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
        CREATE TABLE held AS
        WITH ranked(Cloud, Export, BillingPeriod, place) AS (VALUES {ranks}),
        sums AS (
            SELECT Cloud, Export, BillingPeriod, ChargeDate, {_ACCOUNT} AS Account,
                   BillingCurrency, coalesce(ChargeCategory = 'Usage', false) AS Used,
                   sum(BilledCost) AS BilledCost, sum(EffectiveCost) AS EffectiveCost,
                   sum(ListCost) AS ListCost, sum(Charges) AS Charges
            FROM ({rollups(files, names)}) GROUP BY ALL
        )
        SELECT * FROM sums JOIN ranked USING (Cloud, Export, BillingPeriod)
    """)
    for statement in (CARRIED, DECIDED, UNCLEAR):
        engine.execute(statement)
    settle(engine, files, several, _ACCOUNT)
    engine.execute("""
        CREATE TABLE doubled AS SELECT * FROM held
        JOIN decided USING (Cloud, BillingPeriod, Account, ChargeDate, Export)
    """)
    idle = engine.execute("""
        SELECT Cloud, Export, BillingPeriod FROM held LEFT JOIN decided AS d
        USING (Cloud, BillingPeriod, Account, ChargeDate, Export)
        GROUP BY ALL HAVING bool_and(d.Reason IS NOT NULL)
    """).fetchall()
    ended = {
        (cloud, export, month): ordered[successor]
        for cloud, export, month, successor in engine.execute(_ENDED).fetchall()
    }
    for table in ("held", "carried", "decided", "unclear"):
        engine.execute(f"DROP TABLE {table}")
    return Marked(frozenset(p.key for p in several), frozenset(idle), ended)


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


def tell(engine: DuckDBPyConnection, marked: Marked, where: str) -> None:
    """Make the table ``left_out``.

    :param marked: what :func:`mark` found.
    :param where: a condition on the days or billing periods, as SQL.
    """
    engine.execute(f"CREATE TABLE left_out ({TABLE})")
    if marked.several:
        condition = f"WHERE {where}" if where else ""
        engine.execute(f"""
            INSERT INTO left_out
            SELECT Cloud, BillingPeriod, Export, CountedExport, Reason, count(DISTINCT Account),
                   min(ChargeDate), max(ChargeDate), sum(Charges), BillingCurrency,
                   sum(BilledCost)
            FROM doubled {condition} GROUP BY ALL
        """)


def read_overlaps(engine: DuckDBPyConnection) -> tuple[Overlap, ...]:
    """The table ``left_out`` of a connection."""
    rows = engine.execute("SELECT * FROM left_out ORDER BY ALL").fetchall()
    names = Overlap.__dataclass_fields__
    found = (dict(zip(names, row, strict=True)) for row in rows)
    return tuple(Overlap(**{**row, "reason": Reason(row["reason"])}) for row in found)
