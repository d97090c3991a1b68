"""AWS's advice on spending less: Cost Optimization Hub, else what it would have gathered.

The Hub has Compute Optimizer's and Cost Explorer's recommendations of every account and
region, deduplicated and priced after discounts. Where it can't be asked, Compute Optimizer
(of the connection's region alone) and Cost Explorer (for money) are asked themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.cost.client import CostBase
from airflow_multicloud.clouds.aws.cost.errors import translated
from airflow_multicloud.clouds.aws.cost.explorer_advice import (
    PaidRequests,
    rightsizing,
    savings_plans,
)
from airflow_multicloud.clouds.aws.cost.figures import EFFORTS, in_utc, savings
from airflow_multicloud.clouds.aws.cost.optimizer_advice import OPERATIONS, advice_of
from airflow_multicloud.clouds.aws.cost.queries import REQUEST_PRICE
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import Effort, Recommendation, Recommendations

if TYPE_CHECKING:
    from botocore.client import BaseClient

# What is refused for good: not enrolled, not opted in, not permitted, not offered here, or
# more of it than may be paid for.
_NOT_ASKABLE = {
    ErrorKind.PERMISSION_DENIED,
    ErrorKind.INVALID_ARGUMENT,
    ErrorKind.NOT_FOUND,
    ErrorKind.UNSUPPORTED,
    ErrorKind.QUOTA,
}

_HUB = "cost_optimization_hub"
_OPTIMIZER = "compute_optimizer"
_EXPLORER = "cost_explorer"

# Cost Optimization Hub's ActionType (botocore's service model).
_PURCHASE = "purchase_commitment"
_ACTIONS = {
    "Rightsize": "rightsize",
    "Stop": "stop",
    "Upgrade": "upgrade",
    "Delete": "delete",
    "ScaleIn": "rightsize",
    "MigrateToGraviton": "migrate",
    "PurchaseSavingsPlans": _PURCHASE,
    "PurchaseReservedInstances": _PURCHASE,
}
_HUB_DETAILS = {
    "from": "currentResourceSummary",
    "to": "recommendedResourceSummary",
    "restart_needed": "restartNeeded",
    "rollback_possible": "rollbackPossible",
}


class SavingAdvice(CostBase):
    """``CostRecommendations``."""

    def list_recommendations(self) -> Recommendations:
        """Cost Optimization Hub's advice, or Compute Optimizer's and Cost Explorer's."""
        return recommendations(self._service)


class Clients(Protocol):
    """Gives the client of a service."""

    def __call__(self, service: str, /) -> BaseClient:
        """The client."""
        ...


def recommendations(clients: Clients) -> Recommendations:
    """All advice that can be had, each resource's once.

    :raises CostAnalysisError: when a source that can be asked failed.
    """
    survey = _Survey()
    paid = PaidRequests()
    if not survey.ask(_HUB, _hub(clients("cost-optimization-hub"))):
        optimizer = clients("compute-optimizer")
        for operation in OPERATIONS:
            advice = advice_of(optimizer, operation, survey.note)
            asked = survey.ask(_OPTIMIZER, advice, part=operation.of)
            # Without the opt-in no other operation has an answer, either.
            if not asked and survey.code == "OptInRequiredException":
                break
        explorer = clients("ce")
        survey.ask(_EXPLORER, rightsizing(explorer, paid), part="rightsizing")
        survey.ask(_EXPLORER, savings_plans(explorer, paid), part="Savings Plans")
    return Recommendations(
        found=tuple(survey.found),
        unavailable={source: "; ".join(why) for source, why in survey.refused.items()},
        price=paid.count * REQUEST_PRICE,
    )


@dataclass(slots=True)
class _Survey:
    """What the sources said so far; of those that advise on a resource the first counts.

    :param code: AWS's code of the last refusal.
    """

    found: list[Recommendation] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)
    code: str | None = None
    _advised: dict[str, str] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)

    def ask(self, source: str, advice: Iterable[Recommendation], *, part: str = "") -> bool:
        """Take what a source says; whether it could be asked.

        :param part: of the source, for the reason when it could not.
        """
        try:
            with translated(f"asking {source} for {part or 'advice'}"):
                for item in advice:
                    self._take(item)
        except CostAnalysisError as err:
            if err.kind not in _NOT_ASKABLE:
                raise
            self.code = err.code
            self.note(source, str(err))
            return False
        return True

    def note(self, source: str, why: str) -> None:
        """A part of a source that could not be asked."""
        self.refused.setdefault(source, []).append(why)

    def _take(self, item: Recommendation) -> None:
        resource = item.resource_id
        # One source may advise two things on a resource: that is the reader's choice.
        if resource and self._advised.setdefault(resource, item.source) != item.source:
            return
        # Two operations of one source may say the same.
        if item.recommendation_id not in self._ids:
            self._ids.add(item.recommendation_id)
            self.found.append(item)


def _hub(client: BaseClient) -> Iterator[Recommendation]:
    some = False
    for page in client.get_paginator("list_recommendations").paginate():
        for item in page["items"]:
            some = True
            kind = item.get("actionType", "")
            action = _ACTIONS.get(kind, "other")
            arn = item.get("resourceArn") or item.get("resourceId") or ""
            yield Recommendation(
                recommendation_id=item["recommendationId"],
                source=_HUB,
                sub_account_id=item.get("accountId", ""),
                resource_id="" if action == _PURCHASE else arn,
                resource_type=item.get("currentResourceType", ""),
                region_id=item.get("region"),
                action=action,
                summary=f"{kind} {item.get('resourceId', '')}".strip(),
                monthly_savings=savings(item.get("estimatedMonthlySavings")),
                billing_currency=item.get("currencyCode"),
                effort=EFFORTS.get(item.get("implementationEffort", ""), Effort.UNKNOWN),
                last_refreshed=in_utc(item.get("lastRefreshTimestamp")),
                details={
                    name: str(item[field]) for name, field in _HUB_DETAILS.items() if field in item
                },
            )
    if not some:
        _check_unenrolled(client)


def _check_unenrolled(client: BaseClient) -> None:
    """An empty answer may mean that there is nothing to save, or that nobody looked.

    :raises CostAnalysisError: kind ``permission_denied`` when no account is enrolled.
    """
    pages = client.get_paginator("list_enrollment_statuses").paginate()
    if not any(item.get("status") == "Active" for page in pages for item in page["items"]):
        raise CostAnalysisError(
            "the account is not enrolled in Cost Optimization Hub",
            kind=ErrorKind.PERMISSION_DENIED,
            cloud=NAME,
        )
