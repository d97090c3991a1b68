"""AWS's advice on spending less: Cost Optimization Hub, else what it would have gathered.

The Hub has Compute Optimizer's and Cost Explorer's recommendations, deduplicated and priced
after discounts. Where it is not enabled, Compute Optimizer (of the connection's region) and
Cost Explorer (USD 0.01 a request) are asked themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from airflow_multicloud.clouds.aws._cost_explorer import REQUEST_PRICE
from airflow_multicloud.clouds.aws._errors import translated
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import Effort, Recommendation, Recommendations

if TYPE_CHECKING:
    from botocore.client import BaseClient

# What is refused for good: not enrolled, not opted in, not permitted, not offered here.
_NOT_ASKABLE = {
    ErrorKind.PERMISSION_DENIED,
    ErrorKind.INVALID_ARGUMENT,
    ErrorKind.NOT_FOUND,
    ErrorKind.UNSUPPORTED,
}

# Cost Optimization Hub's ActionType and ImplementationEffort (botocore's service model).
_ACTIONS = {
    "Rightsize": "rightsize",
    "Stop": "stop",
    "Upgrade": "upgrade",
    "Delete": "delete",
    "ScaleIn": "rightsize",
    "MigrateToGraviton": "migrate",
    "PurchaseSavingsPlans": "purchase_commitment",
    "PurchaseReservedInstances": "purchase_commitment",
}
_EFFORTS = {
    "VeryLow": Effort.LOW,
    "Low": Effort.LOW,
    "Medium": Effort.MEDIUM,
    "High": Effort.HIGH,
    "VeryHigh": Effort.HIGH,
}
_PAGES = 20


class Clients(Protocol):
    """Gives the client of a service."""

    def __call__(self, service: str, /) -> BaseClient:
        """The client."""
        ...


def recommendations(clients: Clients) -> Recommendations:
    """All advice that can be had."""
    unavailable: dict[str, str] = {}
    price = Decimal(0)
    found = _asked("cost_optimization_hub", lambda: _hub(clients), unavailable)
    if found is None:
        found = []
        for source, ask in (
            ("compute_optimizer", _instances),
            ("compute_optimizer_volumes", _volumes),
        ):
            found.extend(_asked(source, lambda ask=ask: ask(clients), unavailable) or ())  # type: ignore[misc]
        counted: list[None] = []
        plans = _asked("cost_explorer", lambda: _savings_plans(clients, counted), unavailable)
        found.extend(plans or ())
        price = len(counted) * REQUEST_PRICE
    return Recommendations(found=tuple(found), unavailable=unavailable, price=price)


def _asked(
    source: str, ask: Callable[[], Iterator[Recommendation]], unavailable: dict[str, str]
) -> list[Recommendation] | None:
    try:
        with translated(f"ask {source} for recommendations", area=CostAnalysisError):
            return list(ask())
    except CostAnalysisError as err:
        if err.kind not in _NOT_ASKABLE:
            raise
        unavailable[source] = str(err)
        return None


def _hub(clients: Clients) -> Iterator[Recommendation]:
    pages = clients("cost-optimization-hub").get_paginator("list_recommendations").paginate()
    for page in pages:
        for item in page["items"]:
            action = item["actionType"]
            details = {
                "from": item.get("currentResourceSummary", ""),
                "to": item.get("recommendedResourceSummary", ""),
            }
            yield Recommendation(
                recommendation_id=item["recommendationId"],
                source="cost_optimization_hub",
                sub_account_id=item.get("accountId", ""),
                resource_id=item.get("resourceArn") or item.get("resourceId") or "",
                resource_type=item.get("currentResourceType", ""),
                region_id=item.get("region"),
                action=_ACTIONS.get(action, "other"),
                summary=f"{action} {item.get('resourceId', '')}".strip(),
                monthly_savings=_money(item.get("estimatedMonthlySavings")),
                billing_currency=item.get("currencyCode"),
                effort=_EFFORTS.get(item.get("implementationEffort", ""), Effort.UNKNOWN),
                last_refreshed=item.get("lastRefreshTimestamp"),
                details={k: v for k, v in details.items() if v},
            )


def _instances(clients: Clients) -> Iterator[Recommendation]:
    client = clients("compute-optimizer")
    for page in _paged(client.get_ec2_instance_recommendations, "nextToken"):
        for item in page["instanceRecommendations"]:
            options = item.get("recommendationOptions") or [{}]
            best = min(options, key=lambda option: option.get("rank", 0))
            idle = item.get("idle") == "True"
            if item.get("finding") == "OPTIMIZED" and not idle:
                continue
            old, new = item.get("currentInstanceType", ""), best.get("instanceType", "")
            yield _optimizer(
                item,
                arn=item["instanceArn"],
                kind="Ec2Instance",
                action="stop" if idle else "rightsize",
                option=best,
                change={"from": old, "to": new},
            )


def _volumes(clients: Clients) -> Iterator[Recommendation]:
    client = clients("compute-optimizer")
    for page in _paged(client.get_ebs_volume_recommendations, "nextToken"):
        for item in page["volumeRecommendations"]:
            options = item.get("volumeRecommendationOptions") or [{}]
            best = min(options, key=lambda option: option.get("rank", 0))
            if item.get("finding") == "Optimized":
                continue
            now, then = item.get("currentConfiguration", {}), best.get("configuration", {})
            yield _optimizer(
                item,
                arn=item["volumeArn"],
                kind="EbsVolume",
                action="rightsize",
                option=best,
                change={
                    "from": f"{now.get('volumeType', '')} {now.get('volumeSize', '')} GiB",
                    "to": f"{then.get('volumeType', '')} {then.get('volumeSize', '')} GiB",
                },
            )


def _optimizer(
    item: Mapping[str, Any],
    *,
    arn: str,
    kind: str,
    action: str,
    option: Mapping[str, Any],
    change: Mapping[str, str],
) -> Recommendation:
    # What is saved after the discounts that the account has, where AWS knows them.
    saving = option.get("savingsOpportunityAfterDiscounts") or option.get("savingsOpportunity")
    monthly = (saving or {}).get("estimatedMonthlySavings", {})
    return Recommendation(
        recommendation_id=f"{arn}:{action}",
        source="compute_optimizer",
        sub_account_id=item.get("accountId", ""),
        resource_id=arn,
        resource_type=kind,
        region_id=arn.split(":")[3] or None,
        action=action,
        summary=f"{action} {arn.rpartition('/')[2]}",
        monthly_savings=_money(monthly.get("value")),
        billing_currency=monthly.get("currency"),
        effort=_EFFORTS.get(str(option.get("migrationEffort")), Effort.UNKNOWN),
        last_refreshed=item.get("lastRefreshTimestamp"),
        details=dict(change),
    )


def _savings_plans(clients: Clients, counted: list[None]) -> Iterator[Recommendation]:
    pages = _paged(
        clients("ce").get_savings_plans_purchase_recommendation,
        "NextPageToken",
        SavingsPlansType="COMPUTE_SP",
        TermInYears="ONE_YEAR",
        PaymentOption="NO_UPFRONT",
        LookbackPeriodInDays="THIRTY_DAYS",
    )
    for page in pages:
        counted.append(None)
        advice = page.get("SavingsPlansPurchaseRecommendation", {})
        for item in advice.get("SavingsPlansPurchaseRecommendationDetails", ()):
            hourly = item["HourlyCommitmentToPurchase"]
            yield Recommendation(
                recommendation_id=item["RecommendationDetailId"],
                source="cost_explorer",
                sub_account_id=item.get("AccountId", ""),
                resource_id="",
                resource_type="ComputeSavingsPlans",
                region_id=None,
                action="purchase_commitment",
                summary=f"commit {hourly} {item['CurrencyCode']} an hour for a year, no upfront",
                monthly_savings=_money(item.get("EstimatedMonthlySavingsAmount")),
                billing_currency=item["CurrencyCode"],
                effort=Effort.LOW,
                details={"hourly_commitment": hourly},
            )


def _paged(
    call: Callable[..., Mapping[str, Any]], token: str, **arguments: str
) -> Iterator[Mapping[str, Any]]:
    """By hand: botocore has no paginators for these."""
    for _ in range(_PAGES):
        page = call(**arguments)
        yield page
        if not page.get(token):
            return
        arguments[token] = page[token]


def _money(value: float | str | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))
