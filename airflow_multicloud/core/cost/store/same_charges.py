"""Which export counts where several have an account: the rules.

An export *carries* an account on the days of its own regular use: from the first to the last day
of a run of days without a gap (days on which no export has use apart), at the level that it
usually has or another one has too. Of the exports that carry an account on a day the newest
counts. Outside of that an export has single rows: corrections and late charges of days that it
began after. They are another export's as well (then they are left out), or they are not (then they
are added). What can't be told is counted once, from the export that has more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.money import exact_sum
from airflow_multicloud.core.cost.store.charges import charges
from airflow_multicloud.core.cost.store.files import Files
from airflow_multicloud.core.cost.store.snapshot import Period

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Reason(StrEnum):
    """Why an export's charges of an account and day are left out."""

    LATER = "later"
    SAME = "same"
    MORE = "more"

    @property
    def text(self) -> str:
        """As a sentence about the export that counts."""
        return _TEXTS[self]


_TEXTS = {
    Reason.LATER: "it has the same accounts' charges of these days and was exported later",
    Reason.SAME: "it has these very charges too",
    Reason.MORE: "it has more of the same accounts' charges of these days, and whether these are "
    "among them can't be told",
}


# The usual level: of days that are not a quarter of what the account usually has.
_LEVEL = "median(amount) FILTER (amount >= typical / 4)"

#: The table ``carried``: per export, account and day of ``held``, whether it carries the account.
CARRIED = f"""
CREATE TABLE carried AS
WITH sums AS (
    SELECT Cloud, BillingPeriod, Account, Export, ChargeDate, place,
           greatest(sum(BilledCost) FILTER (Used), sum(EffectiveCost) FILTER (Used),
                    sum(ListCost) FILTER (Used)) AS used,
           sum(abs(BilledCost)) AS everything
    FROM held GROUP BY ALL
), amounts AS (
    -- An account without any use, of taxes or purchases alone, is judged by what it has.
    SELECT *, CASE WHEN coalesce(max(used) OVER account, 0) > 0 THEN coalesce(used, 0)
                   ELSE everything END AS amount
    FROM sums WINDOW account AS (PARTITION BY Cloud, BillingPeriod, Account)
), days AS (
    SELECT *, row_number() OVER (PARTITION BY Cloud, BillingPeriod, Account ORDER BY ChargeDate)
              AS number
    FROM (SELECT Cloud, BillingPeriod, Account, ChargeDate, max(amount) AS most
          FROM amounts WHERE amount > 0 GROUP BY ALL)
), accounts AS (
    SELECT Cloud, BillingPeriod, Account, median(most) AS typical, count(*) AS total
    FROM days GROUP BY ALL
), active AS (
    SELECT Cloud, BillingPeriod, Account, Export, ChargeDate, amount, number, typical, total,
           amount >= most / 20 AS present,
           coalesce(lag(amount) OVER day >= 0.9 * amount, false)
           OR coalesce(amount >= 0.9 * lead(amount) OVER day, false) AS alike
    FROM amounts JOIN days USING (Cloud, BillingPeriod, Account, ChargeDate)
    JOIN accounts USING (Cloud, BillingPeriod, Account)
    WINDOW day AS (PARTITION BY Cloud, BillingPeriod, Account, ChargeDate ORDER BY amount)
), judged AS (
    SELECT *, alike OR amount >= 0.8 * {_LEVEL} OVER export AS usual,
           number - row_number() OVER (export ORDER BY number) AS piece
    FROM active WINDOW export AS (PARTITION BY Cloud, BillingPeriod, Account, Export)
), gaps AS (
    -- A few days of nothing within are days that were told again, as nothing.
    SELECT *, number - lag(number) OVER piece > 4 AS breaks FROM judged WHERE present
    WINDOW piece AS (PARTITION BY Cloud, BillingPeriod, Account, Export, piece ORDER BY number)
), pieces AS (
    SELECT *, count(*) FILTER (breaks) OVER piece AS run FROM gaps
    WINDOW piece AS (PARTITION BY Cloud, BillingPeriod, Account, Export, piece ORDER BY number)
), runs AS (
    SELECT Cloud, BillingPeriod, Account, Export,
           CASE WHEN min(number) FILTER (usual) = 1 THEN DATE '0001-01-01'
                ELSE min(ChargeDate) FILTER (usual) END AS since,
           CASE WHEN max(number) FILTER (usual) = any_value(total) THEN DATE '9999-12-31'
                ELSE max(ChargeDate) FILTER (usual) END AS until
    FROM pieces GROUP BY Cloud, BillingPeriod, Account, Export, piece, run
    HAVING count(*) FILTER (usual) >= least(2, any_value(total))
)
SELECT Cloud, BillingPeriod, Account, Export, ChargeDate, place,
       coalesce(used, 0) > 0 AS used,
       EXISTS (
           SELECT 1 FROM runs AS r
           WHERE r.Cloud = s.Cloud AND r.BillingPeriod = s.BillingPeriod
             AND r.Account = s.Account AND r.Export = s.Export
             AND s.ChargeDate BETWEEN r.since AND r.until
       ) AS carries
FROM sums AS s
"""

# Of each account and day that several exports have: those beside the one that counts.
_SHARED = """
SELECT *, min(place) FILTER (carries) OVER same AS best, count(*) OVER same AS exports
FROM carried
WINDOW same AS (PARTITION BY Cloud, BillingPeriod, Account, ChargeDate)
"""

#: The table ``decided``: what is left out, for which export, and why.
DECIDED = f"""
CREATE TABLE decided AS
SELECT shared.Cloud, shared.BillingPeriod, shared.Account, shared.ChargeDate, shared.Export,
       newest.Export AS CountedExport, '{Reason.LATER}' AS Reason
FROM ({_SHARED}) AS shared JOIN carried AS newest
  ON newest.Cloud = shared.Cloud AND newest.BillingPeriod = shared.BillingPeriod
 AND newest.Account = shared.Account AND newest.ChargeDate = shared.ChargeDate
 AND newest.place = shared.best
WHERE shared.place > shared.best
"""

#: The table ``unclear``: what is to be told by the rows.
UNCLEAR = f"""
CREATE TABLE unclear AS
SELECT Cloud, BillingPeriod, Account, ChargeDate, Export, place, carries
FROM ({_SHARED}) WHERE exports > 1 AND (best IS NULL OR place <= best)
QUALIFY count(*) OVER (PARTITION BY Cloud, BillingPeriod, Account, ChargeDate) > 1
"""


@dataclass(frozen=True, slots=True)
class _Part:
    """What one export has of an account and day.

    :param rows: a charge as all exports tell it → how often it is there.
    :param sizes: service and category → how much, whatever the sign.
    """

    export: str
    place: int
    carries: bool
    rows: dict[tuple[object, ...], int]
    sizes: dict[tuple[object, ...], Decimal]

    @property
    def size(self) -> Decimal:
        return exact_sum(tuple(self.sizes.values()))


def settle(
    engine: DuckDBPyConnection, files: Files, periods: Sequence[Period], account: str
) -> None:
    """Decide on the table ``unclear``, by the rows of its days, and add to ``decided``.

    :param account: what an account is, as SQL.
    """
    asked = engine.execute("SELECT * FROM unclear").fetchall()
    if not asked:
        return
    dates = {(row[0], row[4], row[1], row[3]) for row in asked}
    days = [day for p in periods for day in p.days() if (*p.key, day.day) in dates]
    # What exports of different versions say alike. Texts differ in small ways.
    found = engine.execute(f"""
        SELECT u.Cloud, u.BillingPeriod, u.Account, u.ChargeDate, u.Export,
               ServiceName, ChargeCategory, epoch_us(ChargePeriodStart), BilledCost,
               EffectiveCost, BillingCurrency, lower(ResourceId), count(*),
               sum(greatest(abs(BilledCost), abs(EffectiveCost), abs(ListCost)))
        FROM (SELECT *, {account} AS Account FROM ({charges(files, days)})) AS c
        JOIN unclear AS u USING (Cloud, Export, BillingPeriod, Account, ChargeDate)
        GROUP BY ALL
    """).fetchall()
    rows: dict[tuple[object, ...], dict[tuple[object, ...], int]] = defaultdict(dict)
    sizes: dict[tuple[object, ...], dict[tuple[object, ...], Decimal]] = defaultdict(
        lambda: defaultdict(Decimal)
    )
    for row in found:
        rows[row[:5]][row[5:12]] = row[12]
        sizes[row[:5]][row[5:7]] += row[13]
    shared: dict[tuple[str, date, str, date], list[_Part]] = defaultdict(list)
    for cloud, month, owner, day, export, place, carries in asked:
        key = (cloud, month, owner, day, export)
        part = _Part(export, place, carries, rows[key], sizes[key])
        shared[cloud, month, owner, day].append(part)
    out = [
        [*key, left.export, counted.export, reason.value]
        for key, parts in shared.items()
        for left, counted, reason in _settled(parts)
    ]
    if out:
        engine.executemany("INSERT INTO decided VALUES (?, ?, ?, ?, ?, ?, ?)", out)


def _settled(parts: Iterable[_Part]) -> list[tuple[_Part, _Part, Reason]]:
    """What of these is left out, each with the one that counts instead."""
    kept: list[_Part] = []
    out: list[tuple[_Part, _Part, Reason]] = []
    for part in sorted(parts, key=lambda p: (not p.carries, -p.size, p.place)):
        for other in kept:
            reason = _reason(part, other)
            if reason is None:
                continue
            if part.size > other.size:
                kept[kept.index(other)] = part
                out = [(a, part if b is other else b, r) for a, b, r in out]
                out.append((other, part, reason))
            else:
                out.append((part, other, reason))
            break
        else:
            kept.append(part)
    return out


def _reason(part: _Part, other: _Part) -> Reason | None:
    """Why only one of the two can count; ``None``: both do."""
    less, more = sorted((part, other), key=lambda p: p.size)
    if all(count <= more.rows.get(row, 0) for row, count in less.rows.items()):
        return Reason.SAME
    common = less.sizes.keys() & more.sizes.keys()
    if less.rows.keys() & more.rows.keys():
        return Reason.MORE
    of_one, of_all = sorted(sum(p.sizes[key] for key in common) for p in (less, more))
    # A late row is small beside the service's day. A larger one may be that day, or a part of it.
    return None if not common or of_one * 4 < of_all else Reason.MORE
