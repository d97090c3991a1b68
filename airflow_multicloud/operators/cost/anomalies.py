"""Services whose cost jumped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.cost import documents
from airflow_multicloud.links.pages import REPORT_LINKS
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.cost.base import CostOperator, days

if TYPE_CHECKING:
    from airflow.sdk import Context


class FindCostAnomaliesOperator(CostOperator):
    """Services whose daily cost jumped above what their past weeks explain.

    Returns ``anomaly_count``, the ``anomalies`` as the report's JSON has them, largest first (at
    most a hundred), and which clouds could not be checked.

    :param start: first day judged.
    :param end: the day after the last.
    """

    template_fields: Sequence[str] = (*CostOperator.template_fields, "start", "end")
    report_key = "anomalies"
    operator_extra_links = REPORT_LINKS

    def __init__(self, *, start: str, end: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.end = end

    def perform(self, context: Context) -> Outcome:
        """Look."""
        found = self.analyzer().find_anomalies(*days(self.start, self.end))
        for anomaly in found.found:
            self.log.warning("anomaly: %s", anomaly)
        for cloud, why in found.unchecked.items():
            self.log.warning("%s was not checked: %s", cloud, why)
        self.warn_unconverted(found.unconverted)
        return Outcome(
            {
                "anomaly_count": len(found.found),
                **documents.anomalies(found, limit=100),
            }
        )
