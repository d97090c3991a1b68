"""Azure Advisor's cost recommendations.

https://learn.microsoft.com/azure/advisor/advisor-reference-cost-recommendations; what is saved
stands in ``extendedProperties`` as text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from azure.mgmt.advisor import AdvisorManagementClient

from airflow_multicloud.clouds.azure.cost.client import CostBase
from airflow_multicloud.clouds.azure.cost.errors import translated
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import Effort, Recommendation, Recommendations

if TYPE_CHECKING:
    from azure.mgmt.advisor.models import ResourceRecommendationBase

    from airflow_multicloud.clouds.azure.resource_manager import ResourceManager

_SOURCE = "azure_advisor"
_NOT_ASKABLE = {ErrorKind.PERMISSION_DENIED, ErrorKind.NOT_FOUND, ErrorKind.UNSUPPORTED}
_MONTHS = 12
# Advisor has no field for the kind of action, only sentences; the first that matches counts.
_ACTIONS = (
    ("purchase_commitment", re.compile(r"reserved|reservation|savings? plan", re.IGNORECASE)),
    ("rightsize", re.compile(r"right-?size|resize", re.IGNORECASE)),
    ("delete", re.compile(r"delete|remove|unattached|unused", re.IGNORECASE)),
    ("stop", re.compile(r"shut ?down|stop|deallocate", re.IGNORECASE)),
    ("migrate", re.compile(r"migrate|move", re.IGNORECASE)),
    ("upgrade", re.compile(r"upgrade", re.IGNORECASE)),
)
_SUBSCRIPTION = re.compile(r"/subscriptions/[^/]+", re.IGNORECASE)
_DETAILS = {"currentSku": "from", "targetSku": "to", "term": "term", "lookbackPeriod": "lookback"}


class AdvisorAdvice(CostBase):
    """The port's ``CostRecommendations``."""

    def list_recommendations(self) -> Recommendations:
        """Azure Advisor's, of category Cost, for the connection's subscription: every page."""
        manager = self._manager
        client = self._azure.client("advisor", lambda: _client(manager))
        try:
            with translated("asking Azure Advisor for recommendations"):
                found = list(client.recommendations.list(filter="Category eq 'Cost'"))
        except CostAnalysisError as err:
            if err.kind not in _NOT_ASKABLE:
                raise
            return Recommendations(found=(), unavailable={_SOURCE: str(err)})
        return Recommendations(found=tuple(_recommendation(item) for item in found))


def _client(manager: ResourceManager) -> AdvisorManagementClient:
    credential, subscription = manager.require_credential(), manager.require_subscription()
    return AdvisorManagementClient(credential, subscription, **manager.client_options())


def _recommendation(item: ResourceRecommendationBase) -> Recommendation:
    extended = item.extended_properties or {}
    about = item.short_description
    summary = ((about and (about.solution or about.problem)) or item.description or "").strip()
    action = next((name for name, words in _ACTIONS if words.search(summary)), "other")
    metadata = item.resource_metadata
    resource = (metadata.resource_id if metadata else None) or ""
    account = _SUBSCRIPTION.match(item.id or resource)
    savings = _monthly(extended)
    return Recommendation(
        recommendation_id=item.name or item.id or "",
        source=_SOURCE,
        sub_account_id=account[0] if account else "",
        resource_id="" if action == "purchase_commitment" else resource,
        resource_type=item.impacted_field or "",
        region_id=extended.get("regionId") or extended.get("region"),
        action=action,
        summary=summary,
        monthly_savings=savings,
        billing_currency=extended.get("savingsCurrency") if savings is not None else None,
        effort=Effort.UNKNOWN,  # Advisor's impact says what it brings, not what it takes
        last_refreshed=item.last_updated,
        details={ours: extended[name] for name, ours in _DETAILS.items() if extended.get(name)},
    )


def _monthly(extended: Mapping[str, str]) -> Decimal | None:
    """A twelfth of the year's savings: ``savingsAmount`` covers whatever the type looks at."""
    annual = _amount(extended.get("annualSavingsAmount"))
    if annual is not None:
        return annual / _MONTHS
    return _amount(extended.get("savingsAmount"))


def _amount(text: str | None) -> Decimal | None:
    try:
        value = Decimal(text or "")
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
