"""AWS Cost Explorer: a quick look that costs money, so every request is counted.

USD 0.01 for each request that is answered, each page being one:
https://aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.cost.client import CostBase
from airflow_multicloud.clouds.aws.cost.errors import translated
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
_MAX_GROUPS = 2
# Unblended is what is invoiced; amortized spreads commitments over their use. The net metrics
# beside them exist only for accounts with negotiated discounts.
_METRICS = {CostMetric.BILLED_COST: "UnblendedCost", CostMetric.EFFECTIVE_COST: "AmortizedCost"}
_FORECAST_METRICS = {
    CostMetric.BILLED_COST: "UNBLENDED_COST",
    CostMetric.EFFECTIVE_COST: "AMORTIZED_COST",
}
_INTERVAL = 80  # percent, as the port says


class CostExplorer(CostBase):
    """``CostQueries`` and ``CostForecasts``."""

    def query_costs(self, query: CostQuery) -> CostQueryResult:
        """Cost Explorer's daily figures, at USD 0.01 a page."""
        return query_costs(self._service("ce"), query)

    def forecast_cost(self, start: date, end: date, metric: CostMetric) -> ApiForecast:
        """Cost Explorer's forecast, at USD 0.01; ``start`` may not be after today."""
        return forecast_cost(self._service("ce"), start, end, metric)


def query_costs(client: BaseClient, asked: CostQuery) -> CostQueryResult:
    """Daily costs, every page.

    :raises CostAnalysisError: as :meth:`airflow_multicloud.ports.cost.CostQueries.query_costs`.
    """
    _check_malformed(asked)
    metric = _METRICS[asked.metric]
    arguments: dict[str, Any] = {
        "TimePeriod": _period(asked.start, asked.end),
        "Granularity": "DAILY",
        "Metrics": [metric],
    }
    if asked.group_by:
        arguments["GroupBy"] = [
            {"Type": "DIMENSION", "Key": _DIMENSIONS[name]} for name in asked.group_by
        ]
    rows: list[CostQueryRow] = []
    requests = 0
    for page in capped_pages(
        client.get_cost_and_usage,
        arguments,
        doing="querying Cost Explorer",
        parameter="max_requests",
        limit=asked.max_requests,
        instead="allow more, ask for fewer days or groups, or read the export, which is free",
    ):
        requests += 1
        with well_formed("querying Cost Explorer", NAME, area=CostAnalysisError):
            for result in page["ResultsByTime"]:
                rows.extend(_rows(result, asked.group_by, metric))
    return CostQueryResult(rows=tuple(rows), requests=requests, price=requests * REQUEST_PRICE)


def forecast_cost(client: BaseClient, start: date, end: date, metric: CostMetric) -> ApiForecast:
    """Cost Explorer's own forecast.

    :raises CostAnalysisError: as
        :meth:`airflow_multicloud.ports.cost.CostForecasts.forecast_cost`.
    """
    _check_empty(start, end)
    doing = f"forecasting the costs from {start} to {end}"
    with translated(doing):
        answer = client.get_cost_forecast(
            TimePeriod=_period(start, end),
            Metric=_FORECAST_METRICS[metric],
            Granularity="MONTHLY",
            PredictionIntervalLevel=_INTERVAL,
        )
    with well_formed(doing, NAME, area=CostAnalysisError):
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


def capped_pages(
    call: Callable[..., Mapping[str, Any]],
    arguments: Mapping[str, Any],
    *,
    doing: str,
    parameter: str,
    limit: int,
    instead: str,
) -> Iterator[Mapping[str, Any]]:
    """Pages of an operation of Cost Explorer, by hand, as each costs money.

    :param parameter: what sets ``limit``, for the message.
    :param instead: what to do when it does not suffice, for the message.
    :raises CostAnalysisError: kind ``quota`` when there is a page after the last allowed.
    """
    token: dict[str, str] = {}
    for _ in range(limit):
        with translated(doing):
            page = call(**arguments, **token)
        yield page
        if not page.get("NextPageToken"):
            return
        token = {"NextPageToken": page["NextPageToken"]}
    raise CostAnalysisError(
        f"{doing}: {parameter}: {limit} requests (USD {limit * REQUEST_PRICE}) did not suffice; "
        f"{instead}",
        kind=ErrorKind.QUOTA,
        cloud=NAME,
    )


def _check_malformed(asked: CostQuery) -> None:
    _check_empty(asked.start, asked.end)
    names = asked.group_by
    if (
        len(names) > _MAX_GROUPS
        or len(set(names)) < len(names)
        or any(name not in _DIMENSIONS for name in names)
    ):
        raise _malformed(
            f"group_by: {', '.join(names)} given, expected at most {_MAX_GROUPS} different of "
            f"{', '.join(_DIMENSIONS)}"
        )
    if asked.max_requests < 1:
        raise _malformed(f"max_requests: {asked.max_requests} given, expected 1 or more")


def _check_empty(start: date, end: date) -> None:
    if start >= end:
        raise _malformed(f"end: {end} given, expected a day after start ({start})")


def _malformed(message: str) -> CostAnalysisError:
    return CostAnalysisError(message, kind=ErrorKind.INVALID_ARGUMENT, cloud=NAME)


def _period(start: date, end: date) -> dict[str, str]:
    """Cost Explorer's end is exclusive, too."""
    return {"Start": start.isoformat(), "End": end.isoformat()}


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
