"""The clouds' advice on spending less, gathered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.cost.files import write_recommendations
from airflow_multicloud.core.cost.recommendations import RankedRecommendation
from airflow_multicloud.links.pages import REPORT_LINKS
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.cost.base import CostOperator

#: Recommendations in the log; all are in the object.
_SHOWN = 50

if TYPE_CHECKING:
    from airflow.sdk import Context


class RecommendSavingsOperator(CostOperator):
    """Every cloud's advice on spending less: deduplicated, ranked, written to an object.

    Returns counts, sums and the object's URI.

    :param conn_ids: a connection per account, subscription or project.
    :param target: a directory or the URI of a prefix.
    """

    template_fields: Sequence[str] = (*CostOperator.template_fields, "conn_ids", "target")
    report_key = "savings"
    operator_extra_links = REPORT_LINKS

    def __init__(self, *, conn_ids: Sequence[str], target: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.conn_ids = conn_ids
        self.target = target

    def perform(self, context: Context) -> Outcome:
        """Ask."""
        ranked = self.analyzer().recommend(self.conn_ids)
        uri = write_recommendations(ranked, self.target)
        for item in ranked.ranked[:_SHOWN]:
            self.log.info(
                "%s: %s %s: saves %s a month, effort %s, advised by %s",
                item.cloud,
                item.recommendation.action,
                item.recommendation.resource_id or item.recommendation.resource_type,
                _saved(item, ranked.currency),
                item.recommendation.effort,
                ", ".join(item.sources),
            )
        if len(ranked.ranked) > _SHOWN:
            self.log.info("and %d more, in %s", len(ranked.ranked) - _SHOWN, uri)
        for source, why in ranked.unavailable.items():
            self.log.warning("%s could not be asked: %s", source, why)
        return Outcome(
            {
                "recommendations": len(ranked.ranked),
                "resource_savings": str(ranked.resource_savings),
                "commitment_savings": str(ranked.commitment_savings),
                "currency": ranked.currency,
                "unconverted": len(ranked.unconverted),
                "unavailable": dict(ranked.unavailable),
                "price_usd": str(ranked.price),
                "uri": uri,
            }
        )


def _saved(item: RankedRecommendation, currency: str) -> str:
    if item.monthly_savings is not None:
        return f"{item.monthly_savings:.2f} {currency}"
    if item.unconverted:
        return f"a sum that was not converted ({item.unconverted})"
    return "an unknown sum"
