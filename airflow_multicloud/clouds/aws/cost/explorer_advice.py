"""AWS Cost Explorer's advice: instances to resize or end, Savings Plans to buy.

Every page costs money, as a query's does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_multicloud.clouds.aws.cost.figures import savings
from airflow_multicloud.clouds.aws.cost.queries import capped_pages
from airflow_multicloud.ports.cost import Effort, Recommendation

if TYPE_CHECKING:
    from botocore.client import BaseClient

SOURCE = "cost_explorer"

_MAX_REQUESTS = 20
_PAGE_SIZE = 100
_INSTEAD = "the rest was not read; Cost Optimization Hub, once enabled, has it all for nothing"
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


@dataclass(slots=True)
class PaidRequests:
    """How many requests were answered, and are charged."""

    count: int = 0


def rightsizing(client: BaseClient, paid: PaidRequests) -> Iterator[Recommendation]:
    """EC2 instances of every region that are idle or too large, net of commitments."""
    arguments = {
        "Service": "AmazonEC2",
        "Configuration": {
            "RecommendationTarget": "SAME_INSTANCE_FAMILY",
            "BenefitsConsidered": True,
        },
        "PageSize": _PAGE_SIZE,
    }
    for page in capped_pages(
        client.get_rightsizing_recommendation,
        arguments,
        doing="asking Cost Explorer which instances to resize",
        parameter="its limit",
        limit=_MAX_REQUESTS,
        instead=_INSTEAD,
    ):
        paid.count += 1
        for item in page["RightsizingRecommendations"]:
            yield _instance(item, client.meta.partition)


def savings_plans(client: BaseClient, paid: PaidRequests) -> Iterator[Recommendation]:
    """Compute Savings Plans for a year without upfront payment, by thirty days' use."""
    arguments = {
        "SavingsPlansType": "COMPUTE_SP",
        "TermInYears": "ONE_YEAR",
        "PaymentOption": "NO_UPFRONT",
        "LookbackPeriodInDays": "THIRTY_DAYS",
        "PageSize": _PAGE_SIZE,
    }
    for page in capped_pages(
        client.get_savings_plans_purchase_recommendation,
        arguments,
        doing="asking Cost Explorer which Savings Plans to buy",
        parameter="its limit",
        limit=_MAX_REQUESTS,
        instead=_INSTEAD,
    ):
        paid.count += 1
        advice = page.get("SavingsPlansPurchaseRecommendation", {})
        for item in advice.get("SavingsPlansPurchaseRecommendationDetails", ()):
            yield _plan(item)


def _instance(item: Mapping[str, Any], partition: str) -> Recommendation:
    now = item["CurrentInstance"]
    described = _described(now)
    account, instance = item["AccountId"], now["ResourceId"]
    details = {"from": described.get("InstanceType", "")}
    if item["RightsizingType"] == "TERMINATE":
        action, target = "delete", item.get("TerminateRecommendationDetail", {})
    else:
        targets = item.get("ModifyRecommendationDetail", {}).get("TargetInstances", [])
        default = (target for target in targets if target.get("DefaultTargetInstance"))
        action, target = "rightsize", next(default, targets[0] if targets else {})
        details["to"] = _described(target).get("InstanceType", "")
    region = described.get("Region", "")
    # Some answers name the region for people ("US East (N. Virginia)"); no ARN has that.
    coded = _REGION.fullmatch(region) is not None
    arn = f"arn:{partition}:ec2:{region}:{account}:instance/{instance}"
    return Recommendation(
        recommendation_id=f"{account}:{instance}:{action}",
        source=SOURCE,
        sub_account_id=account,
        resource_id=arn if coded else instance,
        resource_type="EC2Instance",
        region_id=region if coded else None,
        action=action,
        summary=f"{action} {instance}",
        monthly_savings=savings(target.get("EstimatedMonthlySavings")),
        billing_currency=target.get("CurrencyCode"),
        details=details,
    )


def _described(instance: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = instance.get("ResourceDetails", {}).get("EC2ResourceDetails", {})
    return found


def _plan(item: Mapping[str, Any]) -> Recommendation:
    hourly, currency = item["HourlyCommitmentToPurchase"], item["CurrencyCode"]
    account = item.get("AccountId", "")
    return Recommendation(
        recommendation_id=item.get("RecommendationDetailId") or f"{account}:COMPUTE_SP:{hourly}",
        source=SOURCE,
        sub_account_id=account,
        resource_id="",
        resource_type="ComputeSavingsPlans",
        region_id=None,
        action="purchase_commitment",
        summary=f"commit {hourly} {currency} an hour for a year, no upfront",
        monthly_savings=savings(item.get("EstimatedMonthlySavingsAmount")),
        billing_currency=currency,
        effort=Effort.LOW,
        details={"hourly_commitment": hourly},
    )
