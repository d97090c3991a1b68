"""Optional capability: the cloud's own advice on spending less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol, runtime_checkable

_NO_MAPPING: Mapping[str, str] = MappingProxyType({})


class Effort(StrEnum):
    """How hard a recommendation is to follow."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One way to spend less, in one schema for every cloud.

    :param recommendation_id: the source's own id.
    :param resource_id: FOCUS ResourceId: ARN, full resource name, Azure resource id (empty
        for a commitment, which is about no single resource).
    :param action: ``rightsize, stop, delete, upgrade, migrate, purchase_commitment, other``.
    :param monthly_savings: estimated savings per month of 730 hours, positive; ``None`` where
        the source names none.
    :param source: ``cost_optimization_hub, compute_optimizer, cost_explorer, azure_advisor,
        google_recommender`` …
    :param details: the source's own words that a reader needs (from → to), short.
    """

    recommendation_id: str
    source: str
    sub_account_id: str
    resource_id: str
    resource_type: str
    region_id: str | None
    action: str
    summary: str
    monthly_savings: Decimal | None
    billing_currency: str | None
    effort: Effort = Effort.UNKNOWN
    last_refreshed: datetime | None = None
    details: Mapping[str, str] = field(default_factory=lambda: _NO_MAPPING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendations:
    """What the sources said, and which could not be asked.

    :param unavailable: source → why (not enrolled, no permission): "could not check" is not
        "nothing to save".
    :param price: what asking cost, in USD.
    """

    found: tuple[Recommendation, ...]
    unavailable: Mapping[str, str] = field(default_factory=lambda: _NO_MAPPING)
    price: Decimal = Decimal(0)


@runtime_checkable
class CostRecommendations(Protocol):
    """Capability: the cloud's own advice on spending less."""

    def list_recommendations(self) -> Recommendations:
        """Every cost recommendation of the connection's account, project or subscription.

        A source that is not enrolled or not permitted is named in ``unavailable``.
        """
        ...
