"""A period beside the one before it: a month so far beside the same days of the month before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar

from airflow_multicloud.core.cost.compare.comparison import CostComparison, CostLine, CostReport
from airflow_multicloud.core.cost.focus import ChargeCategory
from airflow_multicloud.core.cost.forecast import CloudForecast, Forecast
from airflow_multicloud.core.cost.money import (
    CostPeriod,
    cents,
    exact_difference,
    exact_sum,
    percent,
)
from airflow_multicloud.documents import Document
from airflow_multicloud.months import (
    are_whole_months,
    first_of_month,
    months_between,
    months_later,
    next_month,
    previous_month,
)

#: Charges that are no use of a day: bought, levied or given for weeks and months at once.
NOT_DAILY = frozenset(
    {
        ChargeCategory.PURCHASE,
        ChargeCategory.TAX,
        ChargeCategory.CREDIT,
        ChargeCategory.ADJUSTMENT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BesideLast:
    """One cloud, or all of them: every amount rounded, ``None`` where it is not known.

    :param so_far: of the period.
    :param same_days: of as many days of the period before.
    :param before: of all of the period before.
    :param expected: of the whole month, as forecast; it will lie from ``lower`` to ``upper``.
    :param at_least: of all clouds where not every one has a forecast: what is expected of those
        that have one, and what the others were charged so far.
    """

    name: str
    so_far: Decimal
    same_days: Decimal | None
    before: Decimal | None
    expected: Decimal | None = None
    lower: Decimal | None = None
    upper: Decimal | None = None
    at_least: Decimal | None = None

    DOCUMENT: ClassVar = Document(
        (
            *("name", "so_far", ("same_days_before", "same_days"), "before", "expected"),
            *(("expected_at_least", "at_least"), "lower", "upper"),
        )
    )

    @property
    def change(self) -> Decimal | None:
        """Against the same days; positive is dearer."""
        return None if self.same_days is None else exact_difference(self.so_far, self.same_days)

    @property
    def percent(self) -> Decimal | None:
        """The change in percent of the same days, where these cost something."""
        if self.change is None or self.same_days is None:
            return None
        return percent(self.change, self.same_days)


def is_month(start: date, end: date) -> bool:
    """Whether a period is a calendar month from its first day on, or all of it."""
    return start == first_of_month(start) and end <= next_month(start)


def period_before(start: date, end: date) -> tuple[date, date]:
    """As many whole months before whole ones or one under way, else as many days before."""
    if is_month(start, end):
        return previous_month(start), start
    if are_whole_months(start, end):
        return months_later(start, -months_between(start, end)), start
    return start - (end - start), start


def beside_last(
    daily: CostComparison, before: CostComparison, forecast: Forecast | None
) -> tuple[BesideLast, ...]:
    """Each cloud of a period, and then all of them; the last adds up what is shown above it.

    :param daily: the period, day by day.
    :param before: :func:`period_before`, likewise.
    """
    found = {report.cloud: report for report in before.reports}
    forecasts = {cloud.cloud: cloud for cloud in forecast.clouds} if forecast else {}
    reports = {report.cloud: report for report in daily.reports}
    if not reports:
        return ()
    # A cloud may be without any charge yet, as on the first of a month, but in the forecast.
    names = (*reports, *sorted(forecasts.keys() - reports.keys()))
    rows = [
        _beside(name, reports.get(name), found.get(name), forecasts.get(name), before)
        for name in names
    ]
    all_forecast = forecast is not None and {*forecasts} >= {row.name for row in rows}
    known = [row.so_far if row.expected is None else row.expected for row in rows]
    return (
        *rows,
        BesideLast(
            name="all clouds",
            so_far=exact_sum([row.so_far for row in rows]),
            same_days=_sum(row.same_days for row in rows),
            before=_sum(row.before for row in rows),
            expected=_sum(row.expected for row in rows) if all_forecast else None,
            at_least=exact_sum(known) if forecast and not all_forecast else None,
            # Not the sums of the clouds' ends: not all clouds will be dear at once.
            lower=cents(forecast.lower) if forecast and all_forecast else None,
            upper=cents(forecast.upper) if forecast and all_forecast else None,
        ),
    )


def _beside(
    name: str,
    report: CostReport | None,
    old: CostReport | None,
    coming: CloudForecast | None,
    before: CostComparison,
) -> BesideLast:
    return BesideLast(
        name=name,
        so_far=Decimal("0.00") if report is None else report.total.rounded(),
        same_days=None if report is None or old is None else _same_days(report, old, before),
        before=None if old is None else old.total.rounded(),
        expected=None if coming is None else cents(coming.expected),
        lower=None if coming is None else cents(coming.lower),
        upper=None if coming is None else cents(coming.upper),
    )


def on_the_bill(forecast: Forecast, bill: CostComparison, days: CostComparison) -> Forecast:
    """A forecast of the days of a month as one of its bill.

    What is on the bill and of other days is added, what is of these days and on another bill is
    not in it; the days left are expected as they were.

    :param bill: so far.
    :param days: what was charged for its days so far.
    """
    billed = {report.cloud: report.total for report in bill.reports}
    charged = {report.cloud: report.total for report in days.reports}

    def shift(cloud: str) -> Decimal:
        more, less = billed.get(cloud), charged.get(cloud)
        return exact_difference(
            more.amount if more else Decimal(0), less.amount if less else Decimal(0)
        )

    shifted = replace(
        forecast,
        clouds=tuple(_shifted(cloud, shift(cloud.cloud)) for cloud in forecast.clouds),
        only_billed={name: total for name, total in billed.items() if name in forecast.unavailable},
        unconverted=bill.unconverted,
    )
    together = exact_difference(shifted.expected, forecast.expected)
    return replace(
        shifted,
        lower=exact_sum([forecast.lower, together]),
        upper=exact_sum([forecast.upper, together]),
    )


def _shifted(cloud: CloudForecast, shift: Decimal) -> CloudForecast:
    amount = exact_sum([cloud.actual.amount, shift])
    return replace(
        cloud,
        actual=replace(cloud.actual, amount=amount, by=CostPeriod.BILLING_PERIOD),
        lower=exact_sum([cloud.lower, shift]),
        upper=exact_sum([cloud.upper, shift]),
    )


def daily_amount(line: CostLine, report: CostReport) -> Decimal:
    """What a day's use cost: without what is bought, levied or given for longer."""
    kept = [costs for category, costs in line.by_category.items() if category not in NOT_DAILY]
    return exact_sum([costs.on(report.basis) for costs in kept])


def last_day(report: CostReport) -> date:
    """The last day with use; a fee for the month may be dated later.

    What is on the bill of the period and of other days says nothing of how far it reaches.
    """
    own = [line for line in report.lines if report.start <= day_of(line) < report.end]
    used = [line for line in own if set(line.by_category) - NOT_DAILY] or own
    return max(map(day_of, used), default=report.end - timedelta(days=1))


def day_of(line: CostLine) -> date:
    """The day of a line that is broken down by days."""
    return date.fromisoformat(line.group[0])


def _same_days(report: CostReport, old: CostReport, before: CostComparison) -> Decimal:
    """The days of the period before up to where the bill of this one reaches."""
    reaches = last_day(report) + timedelta(days=1)
    if reaches >= report.end and are_whole_months(report.start, report.end):
        return old.total.rounded()
    until = min(before.start + (reaches - report.start), before.end)
    lines = [line for line in old.lines if day_of(line) < until]
    return cents(exact_sum([line.costs.on(old.basis) for line in lines]))


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """``None`` when one of them is not known: less than all is no total."""
    known: Sequence[Decimal | None] = list(amounts)
    given = [amount for amount in known if amount is not None]
    return exact_sum(given) if len(given) == len(known) else None
