"""Anomalies: planted spikes are found, seasons and fees are not, and it is measured."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from airflow_multicloud.core.cost.anomalies import (
    MIN_HISTORY,
    WINDOW,
    Anomalies,
    Anomaly,
    Sensitivity,
    find_anomalies,
)
from airflow_multicloud.errors import CostAnalysisError
from tests.unit.cost_questions.bill import Charge, Month, bill, days
from tests.unit.cost_questions.seeded import seeded_bill

FIRST = date(2026, 7, 1)
DAY = date(2026, 9, 10)
NEXT = DAY + timedelta(days=1)


def steady(cloud: str = "aws", amount: str = "100", until: date = DAY) -> list[Charge]:
    """Ten weeks, weekends at a half."""
    return [
        Charge(cloud, d, Decimal(amount) / (2 if d.weekday() >= 5 else 1))
        for d in days(FIRST, (until - FIRST).days + 1)
    ]


def found(rows: list[Charge], months: list[Month] | None = None, **options: object) -> Anomalies:
    return find_anomalies(bill(rows, months or ()), DAY, NEXT, currency="USD", **options)  # type: ignore[arg-type]


def _days(anomaly: Anomaly) -> set[tuple[str, str, str, date]]:
    length = (anomaly.last_day - anomaly.first_day).days + 1
    series = (anomaly.cloud, anomaly.sub_account_id, anomaly.service_name)
    return {(*series, day) for day in days(anomaly.first_day, length)}


def test_recall_and_false_alarms_on_seeded_bills() -> None:
    """300 series of three kinds of season, noise of 3 to 20 %, trends, fees; four weeks each."""
    weeks, judged = 4, FIRST + WINDOW
    hits = planted = false = series = 0
    for seed in (11, 12):
        seeded = seeded_bill(
            seed, FIRST, WINDOW.days + 7 * weeks, series=150, judged=judged, spiked=0.5
        )
        end = judged + timedelta(weeks=weeks)
        result = find_anomalies(bill(seeded.charges), judged, end, currency="USD")
        caught = set().union(*(_days(a) for a in result.found)) & seeded.spikes
        hits, planted = hits + len(caught), planted + len(seeded.spikes)
        false += sum(not _days(a) & seeded.spikes for a in result.found)
        series += seeded.series
    recall, alarms = hits / planted, false / weeks / (series / 100)
    print(f"recall {recall:.3f} of {planted}; {alarms:.2f} false alarms/week/100 series")  # noqa: T201  # for the documentation
    assert planted > 100
    assert recall >= 0.95
    assert alarms <= 1


def test_a_spike_is_named_with_what_was_expected() -> None:
    rows = [*steady(), Charge("aws", DAY, "150.5")]
    (anomaly,) = found(rows).found
    assert (anomaly.actual, anomaly.expected, anomaly.new) == (Decimal("250.5"), 100, False)
    assert anomaly.excess == Decimal("150.5")
    assert str(anomaly) == (
        "aws Compute (account-1) 2026-09-10: 250.50 USD where 100.00 were expected"
    )


def test_weekends_are_expected_to_differ() -> None:
    rows = [c for c in steady(until=date(2026, 9, 13)) if c.day != date(2026, 9, 12)]
    saturday = Charge("aws", date(2026, 9, 12), "100")  # twice a Saturday's, once a weekday's
    result = find_anomalies(bill([*rows, saturday]), DAY, date(2026, 9, 14), currency="USD")
    assert [a.first_day for a in result.found] == [saturday.day]


@pytest.mark.parametrize("category", ["Purchase", "Tax", "Credit", "Adjustment"])
def test_only_usage_alarms(category: str) -> None:
    assert not found([*steady(), Charge("aws", DAY, "5000", category=category)]).found


def test_a_monthly_charge_is_known_by_its_like() -> None:
    monthly = [Charge("aws", date(2026, m, 10), "900") for m in (7, 8, 9)]
    assert not found([*steady(), *monthly]).found
    doubled = [*monthly[:2], Charge("aws", date(2026, 9, 10), "1900")]
    assert len(found([*steady(), *doubled]).found) == 1


def test_a_day_that_was_not_over_is_not_judged() -> None:
    rows = [*steady(), Charge("aws", DAY, "900")]
    at = datetime(2026, 9, 10, 20, tzinfo=UTC)
    result = found(rows, [Month("aws", date(2026, 9, 1), at)])
    assert result.found == ()
    assert "no day from 2026-09-10" in result.unchecked["aws"]


def test_too_little_history_is_said() -> None:
    rows = [c for c in steady() if (DAY - c.day).days < MIN_HISTORY]
    result = found(rows)
    assert result.unchecked == {"aws": "20 covered days in the 98 before 2026-09-10, 21 are needed"}


def test_a_service_that_was_never_there_is_new() -> None:
    rows = [*steady(), Charge("aws", DAY, "80", service="Bedrock")]
    (anomaly,) = found(rows).found
    assert (anomaly.service_name, anomaly.new, anomaly.expected) == ("Bedrock", True, 0)


def test_small_money_does_not_alarm() -> None:
    rows = [*steady(amount="2"), Charge("aws", DAY, "9")]
    assert not found(rows).found
    assert found(rows, sensitivity=Sensitivity(min_excess=Decimal(1))).found


def test_days_in_a_row_are_one_anomaly() -> None:
    rows = [*steady(), *(Charge("aws", d, "400") for d in days(DAY - timedelta(days=2), 3))]
    result = find_anomalies(bill(rows), DAY - timedelta(days=5), NEXT, currency="USD")
    (anomaly,) = result.found
    assert (anomaly.first_day, anomaly.last_day) == (DAY - timedelta(days=2), DAY)
    assert anomaly.actual == 1500


def test_days_an_export_lacks_are_not_free_days() -> None:
    rows = [c for c in steady() if not date(2026, 8, 3) <= c.day < date(2026, 8, 10)]
    result = found(rows)
    assert (result.found, result.days_checked) == ((), {"aws": 1})


def test_other_currencies_are_converted() -> None:
    rows = [
        Charge("aws", c.day, c.billed, currency="EUR") for c in [*steady(), Charge("aws", DAY, 300)]
    ]
    (anomaly,) = found(rows).found
    assert anomaly.actual > 400
    assert anomaly.currency == "USD"


def test_clouds_not_asked_for_are_not_looked_at() -> None:
    rows = [*steady(), Charge("aws", DAY, 300), *steady("gcp"), Charge("gcp", DAY, 300)]
    rows.append(Charge("azure", DAY, 300, currency="VND"))
    assert {a.cloud for a in found(rows, clouds=["gcp"]).found} == {"gcp"}


@pytest.mark.parametrize(
    "changes", [{"score": -1}, {"min_ratio": 0.5}, {"min_excess": Decimal(-1)}]
)
def test_bad_sensitivity_is_refused(changes: dict[str, Decimal]) -> None:
    with pytest.raises(CostAnalysisError, match=next(iter(changes))):
        Sensitivity(**changes)  # type: ignore[arg-type]
