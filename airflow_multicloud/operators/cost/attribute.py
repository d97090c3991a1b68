"""What each DAG cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.cost.base import CostOperator, days

if TYPE_CHECKING:
    from airflow.sdk import Context


class AttributeCostOperator(CostOperator):
    """What each DAG and task cost, by the labels in the bill, and what no label explains.

    :param start: first day.
    :param end: the day after the last.
    :param dag_ids: real DAG ids, where labels could not hold them letter by letter.
    """

    template_fields: Sequence[str] = (*CostOperator.template_fields, "start", "end", "dag_ids")

    def __init__(self, *, start: str, end: str, dag_ids: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.end = end
        self.dag_ids = dag_ids

    def perform(self, context: Context) -> Outcome:
        """Attribute."""
        found = self.analyzer().attribute_costs(*days(self.start, self.end), dag_ids=self.dag_ids)
        dags = dict(list(found.by_dag().items())[:100])
        for dag, amount in dags.items():
            self.log.info("%-60s %14s %s", dag, f"{amount:.2f}", found.currency)
        self.warn_unconverted(found.unconverted)
        self.log.info(
            "unexplained usage: %.2f %s; %s %% of usage carries a DAG's label",
            found.unexplained_usage,
            found.currency,
            found.coverage_percent,
        )
        return Outcome(
            {
                "dags": {dag: str(amount) for dag, amount in dags.items()},
                "unexplained_usage": str(found.unexplained_usage),
                "coverage_percent": None
                if found.coverage_percent is None
                else str(found.coverage_percent),
                "currency": found.currency,
                "missing": dict(found.missing),
            }
        )
