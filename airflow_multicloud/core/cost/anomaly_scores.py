"""How far each day's cost is from what its own past explains.

As :mod:`~airflow_multicloud.core.cost.anomalies` says: one query of the rollup for each few days
judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.completeness import COVERED_DAYS
from airflow_multicloud.core.cost.dimensions import NONE
from airflow_multicloud.core.cost.fx import FX, Rates
from airflow_multicloud.core.cost.money import CostBasis
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Days before a day that it is compared with: every weekday six times.
WINDOW = timedelta(days=42)

#: Covered days of the window below which nothing is said: every weekday three times.
MIN_HISTORY = 21

#: How much more than expected a day may cost at one month's distance from its like.
_PRECEDENT = 1.5

# Spread of a coming day's cost per median absolute deviation of the window: 1.4826 makes a
# normal deviation of it, 1.42 undoes that the window's own weekday medians were taken out
# (measured on normal noise, six weeks).
_SPREAD_PER_MAD = 1.4826 * 1.42

# Days judged in one query: each carries its own six weeks, so this bounds the memory.
_AT_ONCE = 5

# The least spread, as a share: a series that was flat for weeks must not divide by zero.
_LEAST_SPREAD = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """When a day is an anomaly: all three must be exceeded.

    :param score: spreads above the expected cost. :param min_ratio: times the expected cost.
    :param min_excess: cost above the expected, per day, in the currency asked for.
    """

    score: float = 3.5
    min_ratio: float = 1.5
    min_excess: Decimal = Decimal(10)

    def __post_init__(self) -> None:
        for name, least in (("score", 0), ("min_ratio", 1), ("min_excess", 0)):
            if not getattr(self, name) >= least:
                raise CostAnalysisError(
                    f"{name} is {getattr(self, name)}; expected {least} or more",
                    kind=ErrorKind.INVALID_ARGUMENT,
                )


@dataclass(frozen=True, slots=True)
class ScoredDay:
    """One day of one series that exceeds what it is compared with.

    :param cost: exact. :param score: spreads above the expected.
    :param new: the series had no cost at all in the weeks before.
    """

    cloud: str
    account: str
    service: str
    day: date
    cost: Decimal
    expected: float
    score: float
    new: bool


# Weeks are rows, not dates: a day that no export covers is left out of everything. The monthly
# charge's like may fall on any day of the window, so the window's day with the same day of
# the month is taken (the last day stands for those a short month lacks).
_SQL = f"""
WITH {FX}, covered AS MATERIALIZED ({COVERED_DAYS}), daily AS (
    SELECT Cloud, coalesce(SubAccountId, '{NONE}') AS account,
           coalesce(ServiceName, '{NONE}') AS service, ChargeDate AS day,
           sum(amount * rate) AS cost
    FROM (SELECT Cloud, SubAccountId, ServiceName, ChargeDate, BillingCurrency,
                 sum({{column}}) AS amount
          FROM rollup
          WHERE ChargeCategory = 'Usage' AND ChargeDate >= $start AND ChargeDate < $end
          GROUP BY ALL)
    JOIN fx ON fx_day = ChargeDate AND fx_currency = BillingCurrency
    GROUP BY ALL
), series AS (
    SELECT DISTINCT Cloud, account, service FROM daily
), dense AS MATERIALIZED (
    SELECT series.Cloud, series.account, series.service, c.ChargeDate AS day,
           isodow(c.ChargeDate) AS weekday,
           coalesce(cost, 0) AS cost, ln(greatest(coalesce(cost, 0), 0)::DOUBLE + $offset) AS y
    FROM series JOIN covered AS c USING (Cloud)
    LEFT JOIN daily ON daily.Cloud = series.Cloud AND daily.account = series.account
                   AND daily.service = series.service AND daily.day = c.ChargeDate
), target AS (
    SELECT * FROM dense WHERE day >= $first AND day < $last AND cost >= $min_excess
), past AS (
    SELECT t.Cloud, t.account, t.service, t.day AS target, p.day, p.weekday, p.y, p.cost
    FROM target AS t JOIN dense AS p
      ON p.Cloud = t.Cloud AND p.account = t.account AND p.service = t.service
     AND p.day < t.day AND p.day >= t.day - $window
), weekdays AS (
    SELECT Cloud, account, service, target, weekday, median(y) AS usual
    FROM past GROUP BY ALL
), seasonal AS (
    SELECT *, usual - median(usual) OVER (PARTITION BY Cloud, account, service, target) AS season
    FROM weekdays
), adjusted AS (
    SELECT p.*, p.y - s.season AS z
    FROM past AS p JOIN seasonal AS s USING (Cloud, account, service, target, weekday)
), stats AS (
    SELECT Cloud, account, service, target, count(*) AS history,
           coalesce(median(z) FILTER (day >= target - 14), median(z)) AS level,
           $spread_per_mad * mad(z) AS spread, max(cost) <= 0 AS new,
           max(y) FILTER (day = (target - INTERVAL 1 MONTH)::DATE) AS precedent,
           max(z) FILTER (day = (target - INTERVAL 1 MONTH)::DATE) AS precedent_z
    FROM adjusted GROUP BY ALL
), scored AS (
    SELECT t.Cloud, t.account, t.service, t.day, t.cost, st.new, st.level, st.precedent,
           st.precedent_z, t.y, greatest(st.spread, $least_spread) AS spread,
           st.level + coalesce(s.season, 0) AS expected_y
    FROM target AS t
    JOIN stats AS st ON st.Cloud = t.Cloud AND st.account = t.account
                    AND st.service = t.service AND st.target = t.day
    LEFT JOIN seasonal AS s ON s.Cloud = t.Cloud AND s.account = t.account
                    AND s.service = t.service AND s.target = t.day AND s.weekday = t.weekday
    WHERE st.history >= $min_history
)
SELECT Cloud, account, service, day, cost, greatest(exp(expected_y) - $offset, 0) AS expected,
       (y - expected_y) / spread AS score, new
FROM scored
WHERE (y - expected_y) / spread > $score
  AND cost::DOUBLE > $min_ratio * greatest(exp(expected_y) - $offset, 0)
  AND cost::DOUBLE - greatest(exp(expected_y) - $offset, 0) > $min_excess::DOUBLE
  AND NOT coalesce((precedent_z - level) / spread > $score AND y <= precedent + ln($precedent),
                   false)
"""


def score_days(
    connection: DuckDBPyConnection,
    start: date,
    end: date,
    *,
    basis: CostBasis,
    limits: Sensitivity,
    rates: Rates,
) -> list[ScoredDay]:
    """The anomalous days from ``start`` to before ``end``, in order, each series together.

    :param connection: with the views ``rollup`` and ``periods``.
    """
    query = _SQL.format(column=basis.column)
    parameters = {
        **rates.parameters,
        "start": start - WINDOW,
        "end": end,
        "window": WINDOW.days,
        "min_history": MIN_HISTORY,
        # Makes days without cost finite, and trifles equal.
        "offset": float(max(limits.min_excess, Decimal("0.01"))) / 10,
        "min_excess": limits.min_excess,
        "min_ratio": limits.min_ratio,
        "spread_per_mad": _SPREAD_PER_MAD,
        "least_spread": _LEAST_SPREAD,
        "score": limits.score,
        "precedent": _PRECEDENT,
    }
    found = [
        ScoredDay(*row)
        for first in range(start.toordinal(), end.toordinal(), _AT_ONCE)
        for row in connection.execute(
            query,
            {
                **parameters,
                "first": date.fromordinal(first),
                "last": date.fromordinal(first + _AT_ONCE),
            },
        ).fetchall()
    ]
    # The days of a series together, whichever part of the period they were found in.
    return sorted(
        found, key=lambda scored: (scored.cloud, scored.account, scored.service, scored.day)
    )


def judged_days(
    connection: DuckDBPyConnection,
    start: date,
    end: date,
    clouds: Sequence[str] | None,
) -> tuple[dict[str, int], dict[str, str]]:
    """How many days of each cloud have enough history, and why a cloud has none."""
    rows = connection.execute(
        f"SELECT Cloud, count(*) FILTER (ChargeDate < $first), "
        f"count(*) FILTER (ChargeDate >= $first) FROM ({COVERED_DAYS}) GROUP BY Cloud",
        {"start": start - WINDOW, "end": end, "first": start},
    ).fetchall()
    counts = {cloud: (history, days) for cloud, history, days in rows}
    known = connection.execute("SELECT DISTINCT Cloud FROM periods ORDER BY Cloud").fetchall()
    checked: dict[str, int] = {}
    unchecked: dict[str, str] = {}
    for cloud in [c for (c,) in known] if clouds is None else clouds:
        history, days = counts.get(cloud, (0, 0))
        if not days:
            unchecked[cloud] = f"no day from {start} to before {end} is covered"
        elif history + days <= MIN_HISTORY:
            unchecked[cloud] = (
                f"{history} covered days in the {WINDOW.days} before {start}, "
                f"{MIN_HISTORY} are needed"
            )
        else:
            checked[cloud] = min(days, history + days - MIN_HISTORY)
    return checked, unchecked
