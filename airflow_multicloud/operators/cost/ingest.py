"""Bring a cost store up to date with the clouds' exports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.documents import to_document
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.cost.base import CostOperator, day_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class IngestCostOperator(CostOperator):
    """Ingest one cloud's billing export: what is new of it, and nothing twice.

    Returns a summary per billing period: whether it changed, whether it is final, rows, days
    written, services restated. A task that is killed leaves the store as it was before the period
    it was at. A period that can't be read fails the task once the others are ingested.

    :param export: ``s3://conn@bucket/prefix/name`` (AWS Data Exports),
        ``abfs://conn@container/directory/name`` (Azure exports) or
        ``bigquery://conn@project/dataset/table`` (Google).
    :param first: a day of the oldest billing period wanted.
    :param last: of the newest.
    :param until_final: read earlier months again too that the store has and that are not final:
        a bill changes for days after its month.
    """

    template_fields: Sequence[str] = (*CostOperator.template_fields, "export", "first", "last")

    def __init__(
        self,
        *,
        export: str,
        first: str = "{{ ds }}",
        last: str = "{{ ds }}",
        until_final: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.export = export
        self.first = first
        self.last = last
        self.until_final = until_final

    def perform(self, context: Context) -> Outcome:
        """Ingest."""
        first, last = day_of("first", self.first), day_of("last", self.last)
        found = self.analyzer().ingest(
            self.export, first=first, last=last, until_final=self.until_final
        )
        for period in found:
            held = period.change.period
            self.log.info(
                "%s %s: %s, %d rows, %s",
                period.cloud,
                f"{period.billing_period:%Y-%m}",
                period.change.reason,
                period.change.rows,
                "final" if held and held.final else "not final yet",
            )
            for restated in period.change.restatements:
                self.log.warning(
                    "restated: %s %s to %s: billed %s -> %s %s",
                    restated.service_name,
                    restated.first_day,
                    restated.last_day,
                    f"{restated.old_billed_cost:.2f}",
                    f"{restated.new_billed_cost:.2f}",
                    restated.billing_currency,
                )
        return Outcome([to_document(period) for period in found])

    def asset_facts(self, facts: Any) -> Any:
        """What was ingested."""
        return {"ingested": facts}
