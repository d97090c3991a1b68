"""AWS Compute Optimizer's advice: idle resources, instances, volumes and functions.

https://docs.aws.amazon.com/compute-optimizer/latest/APIReference/: each operation speaks of
the region that is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.clouds.aws.cost.figures import EFFORTS, in_utc, savings
from airflow_multicloud.ports.cost import Effort, Recommendation

if TYPE_CHECKING:
    from botocore.client import BaseClient

SOURCE = "compute_optimizer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of Compute Optimizer.

    :param of: what it advises on, for messages.
    :param call: the client's method.
    :param answers: where its answer has the recommendations.
    :param read: one of them as ours; ``None`` when it saves nothing.
    """

    of: str
    call: str
    answers: str
    read: Callable[[Mapping[str, Any]], Recommendation | None]


def advice_of(
    client: BaseClient, operation: Operation, note: Callable[[str, str], None]
) -> Iterator[Recommendation]:
    """All that one operation says, page by page: botocore has no paginators for most.

    :param note: is told of accounts that could not be looked at.
    """
    token: dict[str, str] = {}
    while True:
        page = getattr(client, operation.call)(**token)
        for error in page.get("errors", ()):
            which = f"{operation.of} of {error.get('identifier')}"
            note(SOURCE, f"{which}: {error.get('code')}: {error.get('message')}")
        for item in page[operation.answers]:
            found = operation.read(item)
            if found is not None:
                yield found
        if not page.get("nextToken"):
            return
        token = {"nextToken": page["nextToken"]}


def _idle(item: Mapping[str, Any]) -> Recommendation | None:
    return _recommendation(
        item,
        arn=item["resourceArn"],
        resource_type=item["resourceType"],
        action="delete" if item.get("finding") in ("Unattached", "Unused") else "stop",
        saving=_saving(item),
        details={"finding": item.get("findingDescription", "")},
    )


def _instance(item: Mapping[str, Any]) -> Recommendation | None:
    best = _best(item.get("recommendationOptions", ()))
    idle = item.get("idle") == "True"
    old, new = item.get("currentInstanceType", ""), best.get("instanceType", "")
    return _recommendation(
        item,
        arn=item["instanceArn"],
        resource_type="EC2Instance",
        action="stop" if idle else "rightsize",
        saving=_saving(best),
        details={"from": old} if idle else {"from": old, "to": new},
        effort=EFFORTS.get(best.get("migrationEffort", ""), Effort.UNKNOWN),
    )


def _volume(item: Mapping[str, Any]) -> Recommendation | None:
    best = _best(item.get("volumeRecommendationOptions", ()))
    return _recommendation(
        item,
        arn=item["volumeArn"],
        resource_type="EBSVolume",
        action="rightsize",
        saving=_saving(best),
        details={
            "from": _volume_text(item.get("currentConfiguration", {})),
            "to": _volume_text(best.get("configuration", {})),
        },
    )


def _function(item: Mapping[str, Any]) -> Recommendation | None:
    best = _best(item.get("memorySizeRecommendationOptions", ()))
    return _recommendation(
        item,
        arn=item["functionArn"],
        resource_type="LambdaFunction",
        action="rightsize",
        saving=_saving(best),
        details={
            "from": f"{item.get('currentMemorySize', '?')} MB",
            "to": f"{best.get('memorySize', '?')} MB",
        },
    )


#: What is asked, in this order.
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        of="idle resources",
        call="get_idle_recommendations",
        answers="idleRecommendations",
        read=_idle,
    ),
    Operation(
        of="instances",
        call="get_ec2_instance_recommendations",
        answers="instanceRecommendations",
        read=_instance,
    ),
    Operation(
        of="volumes",
        call="get_ebs_volume_recommendations",
        answers="volumeRecommendations",
        read=_volume,
    ),
    Operation(
        of="functions",
        call="get_lambda_function_recommendations",
        answers="lambdaFunctionRecommendations",
        read=_function,
    ),
)


def _best(options: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The best-ranked option that saves: the first may only be faster."""
    saving = [option for option in options if _saving(option) is not None]
    return min(saving, key=lambda option: option.get("rank", 0), default={})


def _saving(option: Mapping[str, Any]) -> tuple[Decimal, str | None] | None:
    """What is saved a month, after the account's discounts where AWS knows them."""
    opportunity = option.get("savingsOpportunityAfterDiscounts") or option.get("savingsOpportunity")
    monthly = (opportunity or {}).get("estimatedMonthlySavings", {})
    amount = savings(monthly.get("value"))
    return None if amount is None else (amount, monthly.get("currency"))


def _recommendation(
    item: Mapping[str, Any],
    *,
    arn: str,
    resource_type: str,
    action: str,
    saving: tuple[Decimal, str | None] | None,
    details: Mapping[str, str],
    effort: Effort = Effort.UNKNOWN,
) -> Recommendation | None:
    if saving is None:
        return None  # it is optimal, or advised to cost more
    amount, currency = saving
    return Recommendation(
        recommendation_id=f"{arn}:{action}",
        source=SOURCE,
        sub_account_id=item.get("accountId", ""),
        resource_id=arn,
        resource_type=resource_type,
        region_id=arn.split(":")[3] or None,
        action=action,
        summary=f"{action} {arn.rpartition('/')[2].rpartition(':')[2]}",
        monthly_savings=amount,
        billing_currency=currency,
        effort=effort,
        last_refreshed=in_utc(item.get("lastRefreshTimestamp")),
        details=details,
    )


def _volume_text(configuration: Mapping[str, Any]) -> str:
    return f"{configuration.get('volumeType', '?')} {configuration.get('volumeSize', '?')} GiB"
