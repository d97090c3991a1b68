"""Whether a budget still holds: the bill so far, the forecast, and what this run will add."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from airflow_multicloud.core.cost.forecast import Forecast
from airflow_multicloud.core.cost.money import cents, checked_currency, exact_difference, exact_sum
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.months import months_later


class BudgetPeriod(StrEnum):
    """Which calendar period a budget is for."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    def bounds(self, day: date) -> tuple[date, date]:
        """The period that a day is in: its first day, and the day after its last."""
        months = {BudgetPeriod.MONTH: 1, BudgetPeriod.QUARTER: 3, BudgetPeriod.YEAR: 12}[self]
        first = months_later(day, -((day.month - 1) % months))
        return first, months_later(first, months)


class StalePolicy(StrEnum):
    """What to do when the bill is too old, or lacks a cloud, to judge by.

    ``FAIL_CLOSED``: refuse. ``WARN``: judge by what is there, and say so. ``IGNORE``: judge.
    """

    FAIL_CLOSED = "fail_closed"
    WARN = "warn"
    IGNORE = "ignore"


class ForecastBound(StrEnum):
    """Which end of the forecast is held against the budget."""

    EXPECTED = "expected"
    UPPER = "upper"


class BudgetState(StrEnum):
    """What is known of a budget.

    ``WITHIN``: it holds. ``OVER``: what is projected exceeds it. ``UNKNOWN``: the bill is too
    old, or lacks a cloud, to say that it holds; that is no reason to say that it does not.
    """

    WITHIN = "within"
    OVER = "over"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may be spent in a period.

    :raises CostAnalysisError: kind ``invalid_argument`` for an amount that is not positive,
        or no currency code.
    """

    name: str
    amount: Decimal
    currency: str
    period: BudgetPeriod = BudgetPeriod.MONTH

    DOCUMENT: ClassVar = Document(("name", "amount", "currency", "period"))

    def __post_init__(self) -> None:
        checked_currency("budget currency", self.currency)
        if not self.amount.is_finite() or self.amount <= 0:
            raise CostAnalysisError(
                f"budget {self.name!r}: amount is {self.amount}; expected more than 0",
                kind=ErrorKind.INVALID_ARGUMENT,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetVerdict:
    """Whether this run may go on.

    :param actual: billed so far.
    :param expected: of the whole period, without this run.
    :param run_estimate: what this run adds.
    :param projected: what is held against the budget.
    :param stale: the bill is too old or incomplete to judge by.
    :param reasons: why it is refused; empty when allowed.
    :param warnings: what a reader should know either way.
    """

    budget: Budget
    allowed: bool
    actual: Decimal
    expected: Decimal
    run_estimate: Decimal
    projected: Decimal
    stale: bool
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]

    DOCUMENT: ClassVar = Document(
        (
            *("state", "allowed", "actual", "expected", "run_estimate", "projected", "headroom"),
            *("stale", "reasons", "warnings"),
        )
    )

    @property
    def state(self) -> BudgetState:
        """What is known of the budget. A run is allowed only within it."""
        if self.projected > self.budget.amount:
            return BudgetState.OVER
        return BudgetState.WITHIN if self.allowed else BudgetState.UNKNOWN

    @property
    def headroom(self) -> Decimal:
        """What is left of the budget; negative when it is exceeded."""
        return exact_difference(self.budget.amount, self.projected)

    def __str__(self) -> str:
        why = "; ".join((*self.reasons, *self.warnings))
        return f"budget {self.budget.name!r}: {self.state}{f': {why}' if why else ''}"


@operation("cost.assess_budget")
def assess_budget(
    budget: Budget,
    forecast: Forecast,
    *,
    now: datetime,
    run_estimate: Decimal = Decimal(0),
    max_age: timedelta = timedelta(hours=48),
    stale_policy: StalePolicy = StalePolicy.FAIL_CLOSED,
    bound: ForecastBound = ForecastBound.EXPECTED,
) -> BudgetVerdict:
    """Hold actual + forecast + this run against the budget.

    :param forecast: of the budget's period that ``now`` is in, in the budget's currency.
    :param now: aware.
    :param run_estimate: in the budget's currency.
    :param max_age: how old the oldest export may be. The clouds export at least once a day
        and up to a day late.
    :raises CostAnalysisError: kind ``invalid_argument`` when the forecast is of another
        currency or period, or a parameter is out of range.
    """
    _check(budget, forecast, now, run_estimate, max_age)
    warnings: list[str] = []
    reasons: list[str] = []
    old = _stale(forecast, now, max_age)
    if old and stale_policy is StalePolicy.FAIL_CLOSED:
        reasons.extend(old)
    elif old and stale_policy is StalePolicy.WARN:
        warnings.extend(old)
    warnings.extend(
        f"no export of {cloud.cloud} before {cloud.known_since} was loaded: what it charged from "
        f"{forecast.start} on is in no sum"
        for cloud in forecast.clouds
        if cloud.known_since is not None and cloud.known_since > forecast.start
    )
    whole = forecast.upper if bound is ForecastBound.UPPER else forecast.expected
    projected = exact_sum([whole, run_estimate])
    if projected > budget.amount:
        currency = budget.currency
        reasons.append(
            f"{cents(projected)} {currency} ({bound} of the {budget.period} "
            f"{cents(whole)}, this run {cents(run_estimate)}) exceed "
            f"{budget.amount} {currency}"
        )
    return BudgetVerdict(
        budget=budget,
        allowed=not reasons,
        actual=forecast.actual,
        expected=forecast.expected,
        run_estimate=run_estimate,
        projected=projected,
        stale=bool(old),
        reasons=tuple(reasons),
        warnings=tuple(warnings),
    )


def _stale(forecast: Forecast, now: datetime, max_age: timedelta) -> list[str]:
    found = [
        f"{cloud} is not in the forecast: {why}" for cloud, why in forecast.unavailable.items()
    ]
    found += [
        f"{apart.on(forecast.basis)} of {apart.cloud} are in no sum: {apart.reason}"
        for apart in forecast.unconverted
    ]
    if not forecast.clouds and not found:
        found.append("no cloud has a bill")
    for cloud in forecast.clouds:
        exported_at = cloud.actual.coverage.exported_at
        if exported_at is None:
            found.append(f"{cloud.cloud} has no export of the period")
        elif cloud.days_unknown:
            found.append(
                f"{cloud.days_unknown} days of {cloud.cloud} since {cloud.known_since} are in no "
                "export that was loaded, and in no sum"
            )
        elif now - exported_at > max_age:
            hours = (now - exported_at) // timedelta(hours=1)
            limit = max_age // timedelta(hours=1)
            found.append(f"the bill of {cloud.cloud} is {hours} hours old, {limit} are allowed")
    return found


def _check(
    budget: Budget, forecast: Forecast, now: datetime, run_estimate: Decimal, max_age: timedelta
) -> None:
    if now.tzinfo is None:
        raise _invalid(f"now is {now}; expected an aware datetime")
    if forecast.currency != budget.currency:
        raise _invalid(
            f"the forecast is in {forecast.currency}, budget {budget.name!r} in {budget.currency}; "
            "forecast in the budget's currency"
        )
    first, end = budget.period.bounds(now.date())
    if (forecast.start, forecast.end) != (first, end):
        raise _invalid(
            f"the forecast is of {forecast.start} to before {forecast.end}, budget "
            f"{budget.name!r} of {first} to before {end}"
        )
    if not run_estimate.is_finite() or run_estimate < 0:
        raise _invalid(f"run_estimate is {run_estimate}; expected 0 or more")
    if max_age <= timedelta(0):
        raise _invalid(f"max_age is {max_age}; expected more than 0")


def _invalid(message: str) -> CostAnalysisError:
    return CostAnalysisError(message, kind=ErrorKind.INVALID_ARGUMENT)
