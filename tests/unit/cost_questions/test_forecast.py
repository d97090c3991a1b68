"""Forecasts: exact where nothing is uncertain, and the interval holds as often as it says."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from airflow_multicloud.core.cost.forecast import Forecast, forecast_costs
from airflow_multicloud.errors import CostAnalysisError
from tests.unit.cost_questions.bill import Charge, Month, bill, days
from tests.unit.cost_questions.seeded import CLOUDS, random_walk

SEP, OCT = date(2026, 9, 1), date(2026, 10, 1)
CUT = date(2026, 9, 15)


def steady(until: date = CUT, cloud: str = "aws") -> list[Charge]:
    """From 1 July; weekends at a half."""
    first = date(2026, 7, 1)
    return [
        Charge(cloud, d, "50" if d.weekday() >= 5 else "100")
        for d in days(first, (until - first).days)
    ]


def forecast(rows: list[Charge], months: list[Month] | None = None, **options: object) -> Forecast:
    return forecast_costs(bill(rows, months or ()), SEP, OCT, currency="USD", **options)  # type: ignore[arg-type]


def test_the_interval_holds_as_often_as_it_says() -> None:
    """Wandering level, correlated noise of 7 %, weekends; 11 to 25 days ahead; 80 % asked for."""
    held: Counter[str] = Counter()
    months = 40
    error = width = 0.0
    for seed in range(months):
        source = random.Random(seed)
        calendar = days(date(2026, 7, 1), 92)
        cut = SEP + timedelta(days=source.choice((5, 12, 19)))
        rows, true = [], dict.fromkeys(CLOUDS, 0.0)
        for cloud in CLOUDS:
            for day, cost in zip(
                calendar, random_walk(source, calendar, 1000 * source.uniform(0.5, 2)), strict=True
            ):
                true[cloud] += cost if day >= SEP else 0
                if day < cut:
                    rows.append(Charge(cloud, day, f"{cost:.4f}"))
        result = forecast(rows)
        for part in result.clouds:
            held["cloud"] += part.lower <= Decimal(true[part.cloud]) <= part.upper
        total = sum(true.values())
        held["total"] += result.lower <= Decimal(total) <= result.upper
        error += abs(float(result.expected) / total - 1) / months
        width += float((result.upper - result.lower) / result.expected) / months
    clouds, totals = held["cloud"] / months / len(CLOUDS), held["total"] / months
    print(f"held: {clouds:.2f} of clouds, {totals:.2f} of totals; {error=:.3f} {width=:.3f}")  # noqa: T201  # for the documentation
    assert 0.65 <= clouds <= 0.95
    assert 0.65 <= totals <= 0.95
    assert error < 0.03
    assert width < 0.08


def test_what_always_costs_the_same_is_foreseen_exactly() -> None:
    result = forecast(steady())
    exact = sum(c.effective or Decimal(c.billed) for c in steady(OCT) if c.day >= SEP)
    assert result.actual == sum(Decimal(c.billed) for c in steady() if c.day >= SEP)
    assert (result.expected, result.lower, result.upper) == (exact, exact, exact)
    assert result.clouds[0].days_left == 16


def test_the_same_data_gives_the_same_interval() -> None:
    source = random.Random(1)
    rows = [Charge("aws", c.day, f"{source.uniform(50, 150):.2f}") for c in steady()]
    first, second = forecast(rows), forecast(rows)
    assert first == second
    assert first.lower < first.expected < first.upper
    wider = forecast(rows, confidence=0.95)
    assert (wider.lower < first.lower, wider.upper > first.upper) == (True, True)


def test_purchases_are_not_usage() -> None:
    once = Charge("aws", date(2026, 9, 3), "5000", category="Purchase", frequency="One-Time")
    result = forecast([*steady(), once])
    assert result.expected == forecast(steady()).expected + 5000


def test_recurring_purchases_come_again() -> None:
    def fee(day: date) -> Charge:
        return Charge("aws", day, "30", category="Purchase", frequency="Recurring")

    plain = forecast(steady()).expected
    assert forecast([*steady(), fee(date(2026, 8, 20))]).clouds[0].recurring_left == 30
    # Billed this month already, long ago, or only once: not expected again.
    assert forecast([*steady(), fee(date(2026, 9, 2))]).expected == plain + 30
    assert forecast([*steady(), fee(date(2026, 7, 20))]).expected == plain
    assert forecast([*steady(), fee(date(2026, 8, 31))]).expected == plain + 30


def test_a_recurring_charge_already_billed_ahead_is_not_added() -> None:
    fees = [
        Charge("aws", date(2026, m, 20), "30", category="Purchase", frequency="Recurring")
        for m in (8, 9)
    ]
    months = [Month("aws", SEP, datetime(2026, 9, 15, 4, tzinfo=UTC))]
    assert forecast([*steady(), *fees], months).expected == forecast(steady()).expected + 30


def test_a_part_of_a_day_is_replaced_by_the_whole_day() -> None:
    months = [Month("aws", SEP, datetime(2026, 9, 15, 6, tzinfo=UTC))]
    for seen, more in (("25", 0), ("180", 80)):
        result = forecast([*steady(), Charge("aws", CUT, seen)], months)
        assert result.clouds[0].days_left == 16
        assert result.expected == forecast(steady()).expected + more


def test_a_period_that_is_over_is_what_it_cost() -> None:
    result = forecast(steady(OCT))
    assert result.expected == result.actual == result.lower == result.upper


def test_a_cloud_with_too_little_history_is_named_and_left_out() -> None:
    short = [c for c in steady(cloud="gcp") if (CUT - c.day).days <= 5]
    result = forecast([*steady(), *short], clouds=["aws", "gcp", "azure"])
    assert [c.cloud for c in result.clouds] == ["aws"]
    assert result.unavailable == {
        "gcp": "5 days of history, 14 are needed",
        "azure": "0 days of history, 14 are needed",
    }
    assert not result.complete


def at(day: date, hour: int = 3) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def known(result: Forecast, cloud: str = "aws") -> tuple[Decimal, Decimal, Decimal, int]:
    found = next(c for c in result.clouds if c.cloud == cloud)
    return found.expected, found.lower, found.upper, found.days_left


def every_day(until: date, cost: str = "50", cloud: str = "aws") -> list[Charge]:
    first = date(2026, 6, 1)
    return [Charge(cloud, day, cost) for day in days(first, (until - first).days)]


def test_what_was_shut_down_costs_nothing_any_more() -> None:
    """The last charge is of the 5th; exported on the 21st, days until the 18th are known."""
    rows = every_day(date(2026, 9, 6))
    assert known(forecast(rows, [Month("aws", SEP, at(date(2026, 9, 21)))])) == (250, 250, 250, 12)


def test_a_final_month_has_no_days_left() -> None:
    rows = every_day(date(2026, 9, 6))
    final = [Month("aws", SEP, at(date(2026, 10, 12)), final=True)]
    assert known(forecast(rows, final)) == (250, 250, 250, 0)


def test_a_month_exported_without_charges_costs_nothing() -> None:
    rows = [*every_day(SEP), *every_day(date(2026, 9, 20), "100", "gcp")]
    months = [Month(cloud, SEP, at(date(2026, 9, 21))) for cloud in ("aws", "gcp")]
    months.append(Month("aws", date(2026, 8, 1), at(date(2026, 9, 21))))
    result = forecast(rows, months)
    assert known(result) == (0, 0, 0, 12)
    assert result.expected == 3000
    assert result.complete


def test_a_cloud_that_never_cost_anything_is_not_missing() -> None:
    months = [Month("gcp", SEP, at(CUT)), Month("aws", SEP, at(CUT, 4))]
    result = forecast(steady(), months)
    assert known(result, "gcp")[:3] == (0, 0, 0)
    assert result.complete


def test_a_job_rests_as_long_as_it_did_before() -> None:
    """On the first ten days of each month; known until the 23rd."""
    rows = [c for c in every_day(date(2026, 9, 26), "100") if c.day.day <= 10]
    months = [Month("aws", SEP, at(date(2026, 9, 26)))]
    assert known(forecast(rows, months)) == (1000, 1000, 1000, 7)


def test_a_rest_ends_as_it_did_before() -> None:
    """On and off for ten days: the rest's last three days, and then the job again."""
    first = date(2026, 5, 24)
    rows = [Charge("aws", day, "100") for n, day in enumerate(days(first, 117)) if n // 10 % 2 == 0]
    assert rows[-1].day == date(2026, 9, 10)
    expected, lower, upper, left = known(forecast(rows, [Month("aws", SEP, at(date(2026, 9, 20)))]))
    assert left == 13
    assert (expected, lower, upper) == (10 * 100 + 10 * 100, expected, expected)


def test_what_gives_money_back_goes_on() -> None:
    result = forecast(every_day(CUT, "-5"), [Month("aws", SEP, at(CUT, 4))])
    assert known(result)[0] == -150


def test_what_is_billed_counts_without_a_forecast() -> None:
    """Nine days of a cloud are no history; but they were billed."""
    new = [Charge("gcp", day, "1000") for day in days(SEP, 9)]
    result = forecast([*steady(), *new])
    alone = forecast(steady())
    assert result.unavailable == {"gcp": "9 days of history, 14 are needed"}
    assert result.only_billed["gcp"].amount == 9000
    assert result.actual == alone.actual + 9000
    assert result.expected == alone.expected + 9000
    assert (result.lower, result.upper) == (alone.lower + 9000, alone.upper + 9000)


@pytest.mark.parametrize(
    ("exported", "as_of"),
    [
        (at(SEP, 3), at(SEP, 0)),
        (at(date(2026, 8, 31), 20), at(date(2026, 8, 31), 20)),
        (at(date(2026, 9, 12)), at(SEP, 0)),
    ],
    ids=["on the 1st", "the evening before", "long after, without September"],
)
def test_a_month_that_began_is_as_old_as_the_bill_before(
    exported: datetime, as_of: datetime
) -> None:
    result = forecast(every_day(SEP), [Month("aws", date(2026, 8, 1), exported)])
    assert result.clouds[0].actual.coverage.exported_at == as_of
    assert result.expected == 1500


def test_the_total_is_the_clouds_together() -> None:
    source = random.Random(2)
    rows = [
        Charge(cloud, c.day, f"{source.uniform(50, 150):.2f}") for cloud in CLOUDS for c in steady()
    ]
    result = forecast(rows)
    assert result.expected == sum(c.expected for c in result.clouds)
    assert result.upper - result.lower <= sum(c.upper - c.lower for c in result.clouds)


def test_bad_confidence_is_refused() -> None:
    with pytest.raises(CostAnalysisError, match="confidence is 80"):
        forecast(steady(), confidence=80)
