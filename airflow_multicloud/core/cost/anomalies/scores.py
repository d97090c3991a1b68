"""How far each day's cost is from what its own past explains.

As :mod:`~airflow_multicloud.core.cost.anomalies.surprises` says, for each series of the rollup; one
is in memory at a time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.anomalies.surprises import WINDOW, Limits, surprises
from airflow_multicloud.core.cost.completeness import COVERED_DAYS, covered_days
from airflow_multicloud.core.cost.dimensions import NONE
from airflow_multicloud.core.cost.fx import FX, Rates
from airflow_multicloud.core.cost.money import CostBasis
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Covered days of the window below which nothing is said: every weekday three times.
MIN_HISTORY = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """When a day is an anomaly: all three must be exceeded.

    :param score: spreads above the expected cost.
    :param min_ratio: times the expected cost.
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

    :param cost: exact.
    :param score: spreads above the expected.
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


# A day that no export covers is left out of everything; a covered one without a row cost nothing.
_SQL = f"""
WITH {FX}, covered AS MATERIALIZED ({COVERED_DAYS})
SELECT daily.Cloud, account, service, ChargeDate, cost
FROM (
    SELECT Cloud, coalesce(SubAccountId, '{NONE}') AS account,
           coalesce(ServiceName, '{NONE}') AS service, ChargeDate, sum(amount * rate) AS cost
    FROM (SELECT Cloud, SubAccountId, ServiceName, ChargeDate, BillingCurrency,
                 sum({{column}}) AS amount
          FROM rollup
          WHERE ChargeCategory = 'Usage' AND ChargeDate >= $start AND ChargeDate < $end
          GROUP BY ALL)
    JOIN fx ON fx_day = ChargeDate AND fx_currency = BillingCurrency
    GROUP BY ALL
) AS daily JOIN covered USING (Cloud, ChargeDate)
ORDER BY ALL
"""
_ROWS = 10_000


def score_days(
    connection: DuckDBPyConnection,
    start: date,
    end: date,
    *,
    basis: CostBasis,
    limits: Sensitivity,
    rates: Rates,
    judged: Mapping[str, Sequence[date]],
) -> list[ScoredDay]:
    """The anomalous days from ``start`` to before ``end``, in order, each series together.

    :param connection: with the views ``rollup`` and ``periods``.
    :param judged: of :func:`judged_days`; other clouds are left out.
    """
    plain = Limits(limits.score, limits.min_ratio, float(limits.min_excess))
    asked = {**rates.parameters, "start": start - WINDOW, "end": end}
    rows = connection.execute(_SQL.format(column=basis.column), asked)
    found: list[ScoredDay] = []
    for series, of_series in itertools.groupby(_fetched(rows), key=lambda row: row[:3]):
        cloud, account, service = series
        if cloud not in judged:
            continue
        days, costs = zip(*(row[3:] for row in of_series), strict=True)
        found.extend(
            ScoredDay(
                cloud=cloud,
                account=account,
                service=service,
                day=days[one.place],
                cost=costs[one.place],
                expected=one.expected,
                score=one.score,
                new=one.new,
            )
            for one in surprises(days, [float(cost) for cost in costs], judged[cloud][0], plain)
        )
    return found


def _fetched(rows: DuckDBPyConnection) -> Iterator[tuple[str, str, str, date, Decimal]]:
    while part := rows.fetchmany(_ROWS):
        yield from part


def judged_days(
    connection: DuckDBPyConnection,
    start: date,
    end: date,
    clouds: Sequence[str] | None,
) -> tuple[dict[str, list[date]], dict[str, str]]:
    """The days of each cloud that have enough history, and why a cloud has none."""
    covered = covered_days(connection, start - WINDOW, end)
    known = connection.execute("SELECT DISTINCT Cloud FROM periods ORDER BY Cloud").fetchall()
    judged: dict[str, list[date]] = {}
    unchecked: dict[str, str] = {}
    for cloud in [c for (c,) in known] if clouds is None else clouds:
        days = covered.get(cloud, [])
        history = sum(day < start for day in days)
        if history == len(days):
            unchecked[cloud] = f"no day from {start} to before {end} is covered"
        elif len(days) <= MIN_HISTORY:
            unchecked[cloud] = (
                f"{history} covered days in the {WINDOW.days} before {start}, "
                f"{MIN_HISTORY} are needed"
            )
        else:
            judged[cloud] = days[max(history, MIN_HISTORY) :]
    return judged, unchecked
