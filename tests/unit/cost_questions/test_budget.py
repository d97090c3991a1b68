"""The budget gate's verdicts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from airflow_multicloud.core.cost.budget import (
    Budget,
    BudgetPeriod,
    BudgetState,
    BudgetVerdict,
    ForecastBound,
    StalePolicy,
    assess_budget,
)
from airflow_multicloud.core.cost.figures import Coverage, Figure
from airflow_multicloud.core.cost.forecast import CloudForecast, Forecast, forecast_costs
from airflow_multicloud.core.cost.money import CostBasis
from airflow_multicloud.errors import CostAnalysisError
from tests.unit.cost_questions.bill import Charge, Month, bill, days

NOW = datetime(2026, 9, 15, 12, tzinfo=UTC)


def forecast(
    exported_at: datetime | None = NOW - timedelta(hours=10), **changes: object
) -> Forecast:
    """400 so far, 900 expected, up to 1,000."""
    coverage = Coverage(final=False, days_asked=30, days_covered=14, exported_at=exported_at)
    actual = Figure(
        amount=Decimal(400), currency="USD", basis=CostBasis.EFFECTIVE, coverage=coverage
    )
    cloud = CloudForecast(
        cloud="aws",
        actual=actual,
        usage_left=Decimal(500),
        recurring_left=Decimal(0),
        days_left=16,
        lower=Decimal(800),
        upper=Decimal(1000),
    )
    asked: dict[str, object] = {
        "start": date(2026, 9, 1),
        "end": date(2026, 10, 1),
        "currency": "USD",
        "basis": CostBasis.EFFECTIVE,
        "confidence": 0.8,
        "clouds": (cloud,),
        "lower": Decimal(800),
        "upper": Decimal(1000),
        "unavailable": {},
    }
    return Forecast(**{**asked, **changes})  # type: ignore[arg-type]


def budget(amount: str = "950", period: BudgetPeriod = BudgetPeriod.MONTH) -> Budget:
    return Budget(name="data", amount=Decimal(amount), currency="USD", period=period)


def test_forecast_and_this_run_are_held_against_the_budget() -> None:
    within = assess_budget(budget(), forecast(), now=NOW, run_estimate=Decimal(50))
    assert (within.allowed, within.headroom, within.reasons) == (True, 0, ())
    over = assess_budget(budget(), forecast(), now=NOW, run_estimate=Decimal("50.01"))
    assert (over.allowed, over.headroom) == (False, Decimal("-0.01"))
    assert over.reasons == (
        "950.01 USD (expected of the month 900.00, this run 50.01) exceed 950 USD",
    )
    assert (over.actual, over.expected) == (400, 900)


def test_the_upper_bound_is_stricter() -> None:
    assert assess_budget(budget(), forecast(), now=NOW).allowed
    assert not assess_budget(budget(), forecast(), now=NOW, bound=ForecastBound.UPPER).allowed


@pytest.mark.parametrize(
    ("policy", "allowed", "reasons", "warnings"),
    [
        (StalePolicy.FAIL_CLOSED, False, 1, 0),
        (StalePolicy.WARN, True, 0, 1),
        (StalePolicy.IGNORE, True, 0, 0),
    ],
)
@pytest.mark.parametrize(
    "stale",
    [
        forecast(exported_at=NOW - timedelta(hours=49)),
        forecast(exported_at=None),
        forecast(unavailable={"gcp": "0 days of history, 14 are needed"}),
        forecast(clouds=(), unavailable={}),
    ],
    ids=["old", "no export", "a cloud lacks", "no cloud"],
)
def test_stale_data(
    stale: Forecast, policy: StalePolicy, allowed: bool, reasons: int, warnings: int
) -> None:
    verdict = assess_budget(budget("1000000"), stale, now=NOW, stale_policy=policy)
    assert (verdict.allowed, verdict.stale) == (allowed, True)
    assert verdict.state is (BudgetState.WITHIN if allowed else BudgetState.UNKNOWN)
    assert (len(verdict.reasons), len(verdict.warnings)) == (reasons, warnings)


@pytest.mark.parametrize("policy", StalePolicy)
def test_what_is_billed_without_a_forecast_counts(policy: StalePolicy) -> None:
    """A cloud of nine days may be over its budget already."""
    rows = [Charge("gcp", day, "1000") for day in days(date(2026, 9, 1), 9)]
    found = forecast_costs(bill(rows), date(2026, 9, 1), date(2026, 10, 1), currency="USD")
    at = datetime(2026, 9, 10, 7, tzinfo=UTC)
    verdict = assess_budget(budget("4000"), found, now=at, stale_policy=policy)
    assert (verdict.state, verdict.actual) == (BudgetState.OVER, 9000)


def _on_the_first(hour: int, *, exported: datetime, day: int = 1) -> BudgetVerdict:
    rows = [Charge("aws", day, "50") for day in days(date(2026, 6, 1), 92)]
    months = [Month("aws", date(2026, 8, 1), exported)]
    found = forecast_costs(bill(rows, months), date(2026, 9, 1), date(2026, 10, 1), currency="USD")
    return assess_budget(budget("1600"), found, now=datetime(2026, 9, day, hour, tzinfo=UTC))


def test_a_month_that_just_began_is_judged_by_the_months_before() -> None:
    fresh = _on_the_first(6, exported=datetime(2026, 9, 1, 3, tzinfo=UTC))
    assert (fresh.state, fresh.expected, fresh.stale) == (BudgetState.WITHIN, 1500, False)
    # The month is under way, and nothing of it was exported: August's export is no excuse.
    late = _on_the_first(6, exported=datetime(2026, 9, 4, 3, tzinfo=UTC), day=4)
    assert str(late) == "budget 'data': unknown: the bill of aws is 78 hours old, 48 are allowed"


def test_a_quiet_cloud_does_not_close_the_gate() -> None:
    rows = [Charge("aws", day, "50") for day in days(date(2026, 6, 1), 106)]
    rows += [Charge("gcp", day, "1") for day in days(date(2026, 5, 1), 31)]
    exported = datetime(2026, 9, 15, 4, tzinfo=UTC)
    months = [Month("gcp", date(2026, month, 1), exported) for month in (6, 7, 8, 9)]
    found = forecast_costs(bill(rows, months), date(2026, 9, 1), date(2026, 10, 1), currency="USD")
    verdict = assess_budget(budget("1600"), found, now=NOW)
    assert (verdict.state, verdict.expected, verdict.stale) == (BudgetState.WITHIN, 1500, False)


def test_the_age_is_said() -> None:
    verdict = assess_budget(budget(), forecast(NOW - timedelta(hours=60)), now=NOW)
    assert str(verdict) == (
        "budget 'data': unknown: the bill of aws is 60 hours old, 48 are allowed"
    )


def test_ignoring_stale_data_still_judges_the_figures() -> None:
    verdict = assess_budget(
        budget("100"), forecast(exported_at=None), now=NOW, stale_policy=StalePolicy.IGNORE
    )
    assert not verdict.allowed
    assert verdict.state is BudgetState.OVER


def test_what_is_over_by_an_old_bill_is_over() -> None:
    verdict = assess_budget(budget("100"), forecast(NOW - timedelta(hours=60)), now=NOW)
    assert verdict.state is BudgetState.OVER
    assert len(verdict.reasons) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"forecast": forecast(currency="EUR")}, "forecast is in EUR, budget 'data' in USD"),
        ({"forecast": forecast(end=date(2026, 9, 30))}, "budget 'data' of 2026-09-01"),
        ({"now": NOW.replace(tzinfo=None)}, "aware"),
        ({"run_estimate": Decimal(-1)}, "run_estimate is -1"),
        ({"run_estimate": Decimal("NaN")}, "run_estimate is NaN"),
        ({"max_age": timedelta(0)}, "max_age"),
        ({"now": datetime(2026, 10, 1, tzinfo=UTC)}, "of 2026-10-01 to before 2026-11-01"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, object], message: str) -> None:
    asked: dict[str, object] = {"forecast": forecast(), "now": NOW, **changes}
    with pytest.raises(CostAnalysisError, match=message):
        assess_budget(budget(), **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity"])
def test_a_budget_must_be_positive(amount: str) -> None:
    with pytest.raises(CostAnalysisError, match="amount is"):
        budget(amount)


@pytest.mark.parametrize(
    ("period", "first", "end"),
    [
        (BudgetPeriod.MONTH, date(2026, 12, 1), date(2027, 1, 1)),
        (BudgetPeriod.QUARTER, date(2026, 10, 1), date(2027, 1, 1)),
        (BudgetPeriod.YEAR, date(2026, 1, 1), date(2027, 1, 1)),
    ],
)
def test_periods(period: BudgetPeriod, first: date, end: date) -> None:
    assert period.bounds(date(2026, 12, 31)) == (first, end)
    assert period.bounds(first) == (first, end)


def quarter(*loaded: Month) -> BudgetVerdict:
    """A quarter's budget in its last days; 1 a day, in the months that were loaded."""
    now = datetime(2026, 9, 28, 12, tzinfo=UTC)
    charges = [
        Charge("aws", day, "1")
        for day in days(date(2026, 5, 1), 149)
        if any((day.year, day.month) == (month.month.year, month.month.month) for month in loaded)
        and day < date(2026, 9, 27)
    ]
    period = BudgetPeriod.QUARTER
    coming = forecast_costs(bill(charges, loaded), *period.bounds(now.date()), currency="USD")
    return assess_budget(budget("100", period), coming, now=now)


def month(number: int, exported_at: datetime, *, final: bool = True) -> Month:
    return Month("aws", date(2026, number, 1), exported_at, final=final)


CLOSED = datetime(2026, 7, 5, 4, tzinfo=UTC)
TODAY = month(9, datetime(2026, 9, 28, 4, tzinfo=UTC), final=False)


def test_final_months_do_not_make_a_bill_old() -> None:
    held = [month(number, CLOSED + timedelta(days=31 * (number - 6))) for number in (6, 7, 8)]
    verdict = quarter(*held, TODAY)
    assert (verdict.state, verdict.stale, verdict.warnings) == (BudgetState.WITHIN, False, ())
    assert verdict.expected == 92


def test_a_month_that_was_never_loaded_is_no_month_without_cost() -> None:
    verdict = quarter(month(6, CLOSED), month(7, CLOSED + timedelta(days=31)), TODAY)
    assert (verdict.state, verdict.actual) == (BudgetState.UNKNOWN, 57)
    assert verdict.reasons == (
        "31 days of aws since 2026-07-01 are in no export that was loaded, and in no sum",
    )


def test_a_month_that_was_not_loaded_again_lacks_its_last_days() -> None:
    early = month(8, datetime(2026, 8, 20, 4, tzinfo=UTC))
    early = Month("aws", early.month, early.exported_at, final=False)
    verdict = quarter(month(6, CLOSED), month(7, CLOSED + timedelta(days=31)), early, TODAY)
    assert verdict.state is BudgetState.UNKNOWN
    assert verdict.reasons[0].startswith("12 days of aws since 2026-07-01 are in no export")


def test_what_was_charged_before_the_first_export_is_told() -> None:
    """An account that is new can't have older exports: a warning, not a refusal."""
    verdict = quarter(month(8, CLOSED + timedelta(days=62)), TODAY)
    assert verdict.state is BudgetState.WITHIN
    assert verdict.warnings == (
        "no export of aws before 2026-08-01 was loaded: what it charged from 2026-07-01 on is in "
        "no sum",
    )
