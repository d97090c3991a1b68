"""Cost Explorer's forecast, as botocore's model has it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from airflow_multicloud.clouds.aws.cost import queries as _cost_explorer
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import ApiForecast, CostMetric

from .stubs import Services

START, END = date(2026, 9, 20), date(2026, 11, 1)
METRICS = {
    CostMetric.BILLED_COST: "UNBLENDED_COST",
    CostMetric.EFFECTIVE_COST: "AMORTIZED_COST",
}


def month(start: str, end: str, *, mean: str, lower: str, upper: str) -> dict[str, object]:
    return {
        "TimePeriod": {"Start": start, "End": end},
        "MeanValue": mean,
        "PredictionIntervalLowerBound": lower,
        "PredictionIntervalUpperBound": upper,
    }


@pytest.mark.parametrize("metric", list(CostMetric))
def test_forecast(metric: CostMetric) -> None:
    """The 80 % interval; a period of two months has the sum of their bounds."""
    answer = {
        "Total": {"Amount": "300.25", "Unit": "USD"},
        "ForecastResultsByTime": [
            month("2026-09-20", "2026-10-01", mean="100.25", lower="90.1", upper="110.5"),
            month("2026-10-01", "2026-11-01", mean="200", lower="170.2", upper="240.75"),
        ],
    }
    with Services() as services:
        services.answer(
            "ce",
            "get_cost_forecast",
            answer,
            TimePeriod={"Start": "2026-09-20", "End": "2026-11-01"},
            Metric=METRICS[metric],
            Granularity="MONTHLY",
            PredictionIntervalLevel=80,
        )
        found = _cost_explorer.forecast_cost(services("ce"), START, END, metric)
    assert found == ApiForecast(
        start=START,
        end=END,
        mean=Decimal("300.25"),
        lower=Decimal("260.3"),
        upper=Decimal("351.25"),
        billing_currency="USD",
        requests=1,
        price=Decimal("0.01"),
    )


@pytest.mark.parametrize("code", ["DataUnavailableException", "ValidationException"])
def test_too_little_history(code: str) -> None:
    with Services() as services:
        services.refuse("ce", "get_cost_forecast", code, "Insufficient amount of historical data")
        with pytest.raises(CostAnalysisError, match=r"forecasting the costs .* Insuff") as caught:
            _cost_explorer.forecast_cost(services("ce"), START, END, CostMetric.BILLED_COST)
    assert caught.value.kind is ErrorKind.INVALID_ARGUMENT


def test_no_days() -> None:
    with Services() as services, pytest.raises(CostAnalysisError, match="end: 2026-09-20 given"):
        _cost_explorer.forecast_cost(services("ce"), START, START, CostMetric.BILLED_COST)


@pytest.mark.parametrize(
    "changes", [{"Total": {"Amount": "n/a", "Unit": "USD"}}, {"Total": {}}, {"Total": None}]
)
def test_an_answer_that_is_none(changes: dict[str, object]) -> None:
    """Text for a number, or nothing: one error, not what reading it raises."""
    answer: dict[str, object] = {"ForecastResultsByTime": [], "Total": {"Amount": "1"}}
    if changes["Total"] is None:
        del answer["Total"]
    else:
        answer |= changes
    with Services() as services:
        services.answer(
            "ce",
            "get_cost_forecast",
            answer,
            TimePeriod={"Start": "2026-09-20", "End": "2026-11-01"},
            Metric="UNBLENDED_COST",
            Granularity="MONTHLY",
            PredictionIntervalLevel=80,
        )
        with pytest.raises(CostAnalysisError, match="the answer can't be read") as caught:
            _cost_explorer.forecast_cost(services("ce"), START, END, CostMetric.BILLED_COST)
    assert (caught.value.kind, caught.value.cloud) == (ErrorKind.INTEGRITY, "aws")
