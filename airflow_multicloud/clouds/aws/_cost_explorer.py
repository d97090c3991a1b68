"""AWS Cost Explorer: a quick look that costs money, so every request is counted.

USD 0.01 per paginated request: https://aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.clouds.aws._errors import CLOUD, translated
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import (
    ApiForecast,
    CostMetric,
    CostQuery,
    CostQueryResult,
    CostQueryRow,
)

if TYPE_CHECKING:
    from botocore.client import BaseClient

REQUEST_PRICE = Decimal("0.01")

_DIMENSIONS = {"ServiceName": "SERVICE", "RegionId": "REGION", "SubAccountId": "LINKED_ACCOUNT"}
# FOCUS BilledCost is what is invoiced, EffectiveCost has commitments spread over their use.
_METRICS = {CostMetric.BILLED_COST: "UnblendedCost", CostMetric.EFFECTIVE_COST: "NetAmortizedCost"}
_FORECAST_METRICS = {
    CostMetric.BILLED_COST: "UNBLENDED_COST",
    CostMetric.EFFECTIVE_COST: "NET_AMORTIZED_COST",
}
_INTERVAL = 80  # percent, as the port says


def query(client: BaseClient, asked: CostQuery) -> CostQueryResult:
    """Daily costs, every page."""
    names = _group_names(asked)
    metric = _METRICS[asked.metric]
    rows: list[CostQueryRow] = []
    requests = 0
    for requests, page in enumerate(_pages(client, asked, metric), start=1):  # noqa: B007
        for result in page["ResultsByTime"]:
            rows.extend(_rows(result, names, metric))
    return CostQueryResult(rows=tuple(rows), requests=requests, price=requests * REQUEST_PRICE)


def forecast(client: BaseClient, start: date, end: date, metric: CostMetric) -> ApiForecast:
    """Cost Explorer's own forecast."""
    with translated("forecast costs with Cost Explorer", area=CostAnalysisError):
        answer = client.get_cost_forecast(
            TimePeriod={"Start": start.isoformat(), "End": end.isoformat()},
            Metric=_FORECAST_METRICS[metric],
            Granularity="MONTHLY",
            PredictionIntervalLevel=_INTERVAL,
        )
    months = answer["ForecastResultsByTime"]
    return ApiForecast(
        start=start,
        end=end,
        mean=Decimal(answer["Total"]["Amount"]),
        lower=_total(months, "PredictionIntervalLowerBound"),
        upper=_total(months, "PredictionIntervalUpperBound"),
        billing_currency=answer["Total"]["Unit"],
        requests=1,
        price=REQUEST_PRICE,
    )


def _group_names(asked: CostQuery) -> tuple[str, ...]:
    unknown = [name for name in asked.group_by if name not in _DIMENSIONS]
    if unknown or len(asked.group_by) > 2:  # noqa: PLR2004 - the port's, and Cost Explorer's
        raise CostAnalysisError(
            f"group_by: {', '.join(asked.group_by)} given, expected at most two of "
            f"{', '.join(_DIMENSIONS)}",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=CLOUD,
        )
    return asked.group_by


def _pages(client: BaseClient, asked: CostQuery, metric: str) -> Iterator[Mapping[str, Any]]:
    """By hand: botocore has no paginator for this operation."""
    arguments: dict[str, Any] = {
        "TimePeriod": {"Start": asked.start.isoformat(), "End": asked.end.isoformat()},
        "Granularity": "DAILY",
        "Metrics": [metric],
        "GroupBy": [{"Type": "DIMENSION", "Key": _DIMENSIONS[n]} for n in asked.group_by],
    }
    for _ in range(asked.max_requests):
        with translated("query Cost Explorer", area=CostAnalysisError):
            page = client.get_cost_and_usage(**arguments)
        yield page
        token = page.get("NextPageToken")
        if not token:
            return
        arguments["NextPageToken"] = token
    raise CostAnalysisError(
        f"max_requests: {asked.max_requests} pages of Cost Explorer "
        f"(USD {asked.max_requests * REQUEST_PRICE}) did not suffice; allow more, ask for fewer "
        "days or groups, or read the export, which costs nothing",
        kind=ErrorKind.QUOTA,
        cloud=CLOUD,
    )


def _rows(result: Mapping[str, Any], names: tuple[str, ...], metric: str) -> Iterator[CostQueryRow]:
    # Without a grouping the figures stand in Total.
    groups = result["Groups"] if names else [{"Keys": [], "Metrics": result["Total"]}]
    for group in groups:
        figure = group["Metrics"][metric]
        yield CostQueryRow(
            charge_date=date.fromisoformat(result["TimePeriod"]["Start"][:10]),
            group=dict(zip(names, group["Keys"], strict=True)),
            cost=Decimal(figure["Amount"]),
            billing_currency=figure["Unit"],
            estimated=result["Estimated"],
        )


def _total(months: list[Mapping[str, Any]], name: str) -> Decimal:
    """Bounds of months are added: wider than the bound of the sum, so on the safe side."""
    return sum((Decimal(month[name]) for month in months), Decimal(0))
