"""How complete the bill of each cloud is for a period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.figures import Coverage
from airflow_multicloud.core.cost.money import check_period
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A day is covered when the cloud has usage on it and every export of its month was written
# after the day was over (UTC). The day that an export was written on is therefore never
# covered: a part of a day looks like a cheap day.
COVERED_DAYS = """
SELECT DISTINCT used.Cloud, used.ChargeDate
FROM (
    SELECT DISTINCT Cloud, ChargeDate FROM rollup
    WHERE ChargeCategory = 'Usage' AND ChargeDate >= $start AND ChargeDate < $end
) AS used
JOIN (
    SELECT Cloud, BillingPeriod, min(ExportedAt) AS ExportedAt
    FROM periods GROUP BY Cloud, BillingPeriod
) AS month
  ON month.Cloud = used.Cloud AND month.BillingPeriod = date_trunc('month', used.ChargeDate)::DATE
WHERE month.ExportedAt >= (used.ChargeDate + 1)::TIMESTAMP AT TIME ZONE 'UTC'
"""

_PERIODS = """
SELECT Cloud, bool_and(Final), min(ExportedAt), count(DISTINCT BillingPeriod)
FROM periods
WHERE BillingPeriod >= date_trunc('month', $start::DATE) AND BillingPeriod < $end
GROUP BY Cloud
"""

_COUNT = f"SELECT Cloud, count(*) FROM ({COVERED_DAYS}) GROUP BY Cloud"

_PRESENT = "SELECT DISTINCT Cloud FROM rollup WHERE ChargeDate >= $start AND ChargeDate < $end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """Per cloud: how complete; a cloud without any charge in the period is in ``missing``.

    :param missing: cloud → why there is nothing.
    """

    covered: Mapping[str, Coverage]
    missing: Mapping[str, str]


def measure_completeness(
    connection: DuckDBPyConnection,
    start: date,
    end: date,
    *,
    clouds: Sequence[str] | None = None,
) -> Completeness:
    """What the bills have of a period.

    :param connection: with the views ``rollup`` and ``periods``.
    :param end: the day after the last.
    :param clouds: those asked for; ``None``: every cloud that was ever ingested.
    :raises CostAnalysisError: kind ``invalid_argument`` for an empty period or no cloud.
    """
    check_period(start, end)
    check_clouds(clouds)
    bounds = {"start": start, "end": end}
    days = dict(connection.execute(_COUNT, bounds).fetchall())
    present = {cloud for (cloud,) in connection.execute(_PRESENT, bounds).fetchall()}
    months = {row[0]: row[1:] for row in connection.execute(_PERIODS, bounds).fetchall()}
    ingested = {c for (c,) in connection.execute("SELECT DISTINCT Cloud FROM periods").fetchall()}
    covered: dict[str, Coverage] = {}
    missing: dict[str, str] = {}
    for cloud in sorted(ingested | present) if clouds is None else dict.fromkeys(clouds):
        if cloud not in present:
            missing[cloud] = (
                f"no charge from {start} to before {end}"
                if cloud in ingested
                else "no export was ever ingested"
            )
            continue
        final, exported_at, known = months.get(cloud, (False, None, 0))
        covered[cloud] = Coverage(
            final=bool(final) and known == _months(start, end),
            days_asked=(end - start).days,
            days_covered=days.get(cloud, 0),
            exported_at=exported_at,
        )
    return Completeness(covered=covered, missing=missing)


def check_clouds(clouds: Sequence[str] | None) -> None:
    """Refuse an empty choice of clouds, and a single name that was not put into a sequence.

    :raises CostAnalysisError: kind ``invalid_argument``.
    """
    if clouds is not None and (isinstance(clouds, str) or not clouds):
        raise CostAnalysisError(
            f"clouds is {clouds!r}; expected a sequence of names, or None for every cloud",
            kind=ErrorKind.INVALID_ARGUMENT,
        )


def _months(start: date, end: date) -> int:
    last = date.fromordinal(end.toordinal() - 1)
    return (last.year - start.year) * 12 + last.month - start.month + 1
