"""A period beside the one before it: a month so far beside the same days of the month before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from airflow_multicloud.core.cost.compare import CostComparison, CostLine, CostReport
from airflow_multicloud.core.cost.focus import ChargeCategory
from airflow_multicloud.core.cost.forecast import Forecast, month_of
from airflow_multicloud.core.cost.money import exact_sum

#: Charges that are no use of a day: bought, levied or given for weeks and months at once.
NOT_DAILY = frozenset(
    {
        ChargeCategory.PURCHASE,
        ChargeCategory.TAX,
        ChargeCategory.CREDIT,
        ChargeCategory.ADJUSTMENT,
    }
)

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class BesideLast:
    """One cloud, or all of them: every amount rounded, ``None`` where it is not known.

    :param so_far: of the period. :param same_days: of as many days of the period before.
    :param before: of all of the period before.
    :param expected: of the whole month, as forecast; it will lie from ``lower`` to ``upper``.
    """

    name: str
    so_far: Decimal
    same_days: Decimal | None
    before: Decimal | None
    expected: Decimal | None = None
    lower: Decimal | None = None
    upper: Decimal | None = None

    @property
    def change(self) -> Decimal | None:
        """Against the same days; positive is dearer."""
        return None if self.same_days is None else self.so_far - self.same_days

    @property
    def percent(self) -> Decimal | None:
        """The change in percent of the same days, where these cost something."""
        if self.change is None or self.same_days is None or self.same_days <= 0:
            return None
        return (100 * self.change / self.same_days).quantize(Decimal("0.1"))


def is_month(start: date, end: date) -> bool:
    """Whether a period is a calendar month from its first day on, or all of it."""
    first, following = month_of(start)
    return start == first and end <= following


def period_before(start: date, end: date) -> tuple[date, date]:
    """The whole month before one, else as many days before as the period has."""
    if is_month(start, end):
        return month_of(start - timedelta(days=1))
    return start - (end - start), start


def beside_last(
    daily: CostComparison, before: CostComparison, forecast: Forecast | None
) -> tuple[BesideLast, ...]:
    """Each cloud of a period, and then all of them; the last adds up what is shown above it.

    :param daily: the period by charge day. :param before: :func:`period_before`, likewise.
    """
    found = {report.cloud: report for report in before.reports}
    forecasts = {cloud.cloud: cloud for cloud in forecast.clouds} if forecast else {}
    rows: list[BesideLast] = []
    for report in daily.reports:
        old, coming = found.get(report.cloud), forecasts.get(report.cloud)
        rows.append(
            BesideLast(
                name=report.cloud,
                so_far=report.total.rounded(),
                same_days=None if old is None else _same_days(report, old, before),
                before=None if old is None else old.total.rounded(),
                expected=None if coming is None else coming.expected.quantize(_CENT),
                lower=None if coming is None else coming.lower.quantize(_CENT),
                upper=None if coming is None else coming.upper.quantize(_CENT),
            )
        )
    if not rows:
        return ()
    for name in sorted({*forecasts} - {row.name for row in rows} if rows else ()):
        coming, old = forecasts[name], found.get(name)
        # Without any charge yet, as on the first of a month, but in the forecast.
        rows.append(
            BesideLast(
                name=name,
                so_far=Decimal("0.00"),
                same_days=None,
                before=None if old is None else old.total.rounded(),
                expected=coming.expected.quantize(_CENT),
                lower=coming.lower.quantize(_CENT),
                upper=coming.upper.quantize(_CENT),
            )
        )
    all_forecast = forecast is not None and {*forecasts} >= {row.name for row in rows}
    return (
        *rows,
        BesideLast(
            name="all clouds",
            so_far=exact_sum([row.so_far for row in rows]),
            same_days=_sum(row.same_days for row in rows),
            before=_sum(row.before for row in rows),
            expected=_sum(row.expected for row in rows),
            # Not the sums of the clouds' ends: not all clouds will be dear at once.
            lower=forecast.lower.quantize(_CENT) if forecast and all_forecast else None,
            upper=forecast.upper.quantize(_CENT) if forecast and all_forecast else None,
        ),
    )


def daily_amount(line: CostLine, report: CostReport) -> Decimal:
    """What a day's use cost: without what is bought, levied or given for longer."""
    kept = [costs for category, costs in line.by_category.items() if category not in NOT_DAILY]
    return exact_sum([costs.on(report.basis) for costs in kept])


def last_day(report: CostReport) -> date:
    """The last day with use; a fee for the month may be dated later."""
    used = [line for line in report.lines if set(line.by_category) - NOT_DAILY] or report.lines
    days = [date.fromisoformat(line.group[0]) for line in used]
    return max(days, default=report.end - timedelta(days=1))


def _same_days(report: CostReport, old: CostReport, before: CostComparison) -> Decimal:
    """The days of the period before up to where the bill of this one reaches."""
    reaches = last_day(report) + timedelta(days=1)
    if reaches >= report.end and is_month(report.start, report.end) and report.end.day == 1:
        until = before.end
    else:
        until = min(before.start + (reaches - report.start), before.end)
    lines = [line for line in old.lines if date.fromisoformat(line.group[0]) < until]
    return exact_sum([line.costs.on(old.basis) for line in lines]).quantize(_CENT)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """``None`` when one of them is not known: less than all is no total."""
    known: Sequence[Decimal | None] = list(amounts)
    given = [amount for amount in known if amount is not None]
    return exact_sum(given) if len(given) == len(known) else None
