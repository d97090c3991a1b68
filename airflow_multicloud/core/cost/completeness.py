"""How complete the bill of each cloud is for a period."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from airflow_multicloud.core.cost.figures import Coverage
from airflow_multicloud.core.cost.money import CostPeriod, check_period
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.months import first_of_month, months_between, previous_month

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A day is covered when the cloud has usage on it and every export of its month was written
# after the day was over (UTC). The day that an export was written on is therefore never
# covered: a part of a day looks like a cheap day.
_CHARGED_DAYS = """
SELECT day.Cloud, day.ChargeDate, day.BillingCurrency,
       coalesce(day.Used AND day.ChargeDate >= $start AND day.ChargeDate < $end
                AND month.ExportedAt
                >= (day.ChargeDate + 1)::TIMESTAMP AT TIME ZONE 'UTC', false) AS Covered
FROM (
    SELECT Cloud, ChargeDate, BillingCurrency, bool_or(ChargeCategory = 'Usage') AS Used
    FROM rollup WHERE {column} >= $start AND {column} < $end GROUP BY ALL
) AS day
LEFT JOIN (
    SELECT Cloud, BillingPeriod, min(ExportedAt) AS ExportedAt
    FROM periods GROUP BY Cloud, BillingPeriod
) AS month
  ON month.Cloud = day.Cloud AND month.BillingPeriod = date_trunc('month', day.ChargeDate)::DATE
"""

#: The covered days of each cloud from ``$start`` to before ``$end``.
COVERED_DAYS = (
    "SELECT DISTINCT Cloud, ChargeDate "
    f"FROM ({_CHARGED_DAYS.format(column=CostPeriod.CHARGE_DAY.column)}) WHERE Covered"
)

# Microseconds: to fetch the engine's times with a zone takes a late import of zones.
_PERIODS = "SELECT Cloud, BillingPeriod, Final, epoch_us(ExportedAt) FROM periods"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: How late the clouds' usage may come: a day without any is believed to have had none after this.
_LATE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class _Period:
    """One export's billing period."""

    month: date
    final: bool
    exported_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """Per cloud: how complete; a cloud without any charge in the period is in ``missing``.

    :param missing: cloud → why there is nothing.
    :param billed_in: cloud → its days with charges, each with a currency that they are in.
    :param open_days: cloud → days with charges that are not
        :attr:`~airflow_multicloud.core.cost.figures.Coverage.days_counted`.
    :param quiet: of clouds in ``missing`` that were ingested: how complete this nothing is.
    """

    covered: Mapping[str, Coverage]
    missing: Mapping[str, str]
    billed_in: Mapping[str, Collection[tuple[date, str | None]]]
    open_days: Mapping[str, Collection[date]]
    quiet: Mapping[str, Coverage]


def measure_completeness(
    connection: DuckDBPyConnection,
    start: date,
    end: date,
    *,
    clouds: Sequence[str] | None = None,
    by: CostPeriod = CostPeriod.CHARGE_DAY,
) -> Completeness:
    """What the bills have of a period.

    :param connection: with the views ``rollup`` and ``periods``.
    :param by: whether the period is charge days or billing periods.
    :param end: the day after the last.
    :param clouds: those asked for; ``None``: every cloud that was ever ingested.
    :raises CostAnalysisError: kind ``invalid_argument`` for an empty period or no cloud.
    """
    check_period(start, end)
    check_clouds(clouds)
    bounds = {"start": start, "end": end}
    billed_in: dict[str, set[tuple[date, str | None]]] = {}
    days: dict[str, set[date]] = {}
    for cloud, day, currency, is_covered in connection.execute(
        _CHARGED_DAYS.format(column=by.column), bounds
    ).fetchall():
        billed_in.setdefault(cloud, set()).add((day, currency))
        if is_covered:
            days.setdefault(cloud, set()).add(day)
    ingested = _ingested(connection)
    quiet: dict[str, Coverage] = {}
    covered: dict[str, Coverage] = {}
    missing: dict[str, str] = {}
    open_days: dict[str, list[date]] = {}
    for cloud in sorted({*ingested, *billed_in}) if clouds is None else dict.fromkeys(clouds):
        if cloud not in billed_in:
            missing[cloud] = (
                f"no charge from {start} to before {end}"
                if cloud in ingested
                else "no export was ever ingested"
            )
            if cloud in ingested:
                quiet[cloud] = _quiet(ingested[cloud], start, end)
            continue
        asked = _asked(ingested.get(cloud, ()), start, end)
        counted = _counted(asked, start, end, max(days.get(cloud, ()), default=None))
        charged = {day for day, _ in billed_in[cloud]}
        # Also the days of other months that are on a bill: no day of it has their charges.
        open_days[cloud] = sorted(charged - counted)
        covered[cloud] = _coverage(
            asked,
            start,
            end,
            exported=_as_of(asked),
            days_covered=len(days.get(cloud, ())),
            days_counted=len(counted),
        )
    return Completeness(
        covered=covered,
        missing=missing,
        billed_in={cloud: billed_in[cloud] for cloud in covered},
        open_days=open_days,
        quiet=quiet,
    )


def covered_days(connection: DuckDBPyConnection, start: date, end: date) -> dict[str, list[date]]:
    """Cloud → its covered days of a period, ascending."""
    found: dict[str, list[date]] = {}
    for cloud, day in connection.execute(
        f"SELECT Cloud, ChargeDate FROM ({COVERED_DAYS}) ORDER BY ALL", {"start": start, "end": end}
    ).fetchall():
        found.setdefault(cloud, []).append(day)
    return found


def days_exported(
    connection: DuckDBPyConnection, start: date, end: date
) -> dict[str, tuple[list[date], list[date]]]:
    """Cloud → the days of a period that its exports speak of, and those of them with usage.

    A day that is over and was exported has cost nothing when no charge is of it: that is known.
    """
    used = covered_days(connection, start, end)
    return {
        cloud: (
            sorted(_counted(periods, start, end, max(used.get(cloud, ()), default=None))),
            used.get(cloud, []),
        )
        for cloud, periods in _ingested(connection).items()
    }


def _ingested(connection: DuckDBPyConnection) -> dict[str, list[_Period]]:
    found: dict[str, list[_Period]] = {}
    for cloud, month, final, exported_us in connection.execute(_PERIODS).fetchall():
        period = _Period(month, final, _EPOCH + timedelta(microseconds=exported_us))
        found.setdefault(cloud, []).append(period)
    return found


def _quiet(periods: Sequence[_Period], start: date, end: date) -> Coverage:
    """Of a period without charges.

    Where no export of it is there yet, the bill is as old as the last month's export, and as the
    period: what began since is not in it.
    """
    asked = _asked(periods, start, end)
    exported = _as_of(asked)
    before = max((p.month for p in periods if p.month < start), default=None)
    if not asked and before == previous_month(start):
        exported = [p.exported_at for p in periods if p.month == before]
        exported.append(datetime.combine(start, time(), UTC))
    counted = _counted(asked, start, end, None)
    return _coverage(
        asked, start, end, exported=exported, days_covered=0, days_counted=len(counted)
    )


def _coverage(
    asked: Sequence[_Period],
    start: date,
    end: date,
    *,
    exported: Sequence[datetime],
    days_covered: int,
    days_counted: int,
) -> Coverage:
    months = months_between(start, end - timedelta(days=1)) + 1
    complete = len({period.month for period in asked}) == months
    return Coverage(
        final=complete and all(period.final for period in asked),
        days_asked=(end - start).days,
        days_covered=days_covered,
        exported_at=min(exported, default=None),
        days_counted=days_counted,
    )


def _asked(periods: Sequence[_Period], start: date, end: date) -> list[_Period]:
    return [period for period in periods if first_of_month(start) <= period.month < end]


def _as_of(periods: Sequence[_Period]) -> list[datetime]:
    """When these were exported; final months, which nothing changes any more, where all are."""
    return [p.exported_at for p in periods if not p.final] or [p.exported_at for p in periods]


def _counted(
    periods: Sequence[_Period], start: date, end: date, last_used: date | None
) -> set[date]:
    """The days that these exports speak of."""
    by_month: dict[date, list[_Period]] = {}
    for period in periods:
        by_month.setdefault(period.month, []).append(period)
    counted = set()
    for number in range((end - start).days):
        day = start + timedelta(days=number)
        month = by_month.get(first_of_month(day))
        if not month:
            continue
        since = min(p.exported_at for p in month) - datetime.combine(
            day + timedelta(days=1), time(), UTC
        )
        used = last_used is not None and day <= last_used
        if all(p.final for p in month) or since >= (timedelta(0) if used else _LATE):
            counted.add(day)
    return counted


def check_clouds(clouds: Sequence[str] | None) -> None:
    """Refuse an empty choice of clouds, and a single name that was not put into a sequence.

    :raises CostAnalysisError: kind ``invalid_argument``.
    """
    if clouds is not None and (isinstance(clouds, str) or not clouds):
        raise CostAnalysisError(
            f"clouds is {clouds!r}; expected a sequence of names, or None for every cloud",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
