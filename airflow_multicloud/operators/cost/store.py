"""Keep a cost store in order: take an export out of it, delete old versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from airflow_multicloud.documents import to_document
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.cost.base import CostOperator, day_of

if TYPE_CHECKING:
    from airflow.sdk import Context

#: File names in XCom; all are in the log.
_SHOWN = 100


class RemoveCostExportOperator(CostOperator):
    """Take an export out of a cost store, as when another one has the same account's bill.

    Returns the months that are gone. Their files stay until ``PruneCostStoreOperator`` deletes
    them.

    :param export: its URI, or its name in the store (``bucket/prefix/name``).
    :param cloud: only of this cloud, where several have an export of that name.
    :param month: a day of the only billing period meant; all by default.
    """

    template_fields: Sequence[str] = (*CostOperator.template_fields, "export", "cloud", "month")

    def __init__(
        self, *, export: str, cloud: str | None = None, month: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.export = export
        self.cloud = cloud
        self.month = month

    def perform(self, context: Context) -> Outcome:
        """Remove."""
        month: date | None = day_of("month", self.month) if self.month else None
        gone = self.analyzer().remove_export(self.export, cloud=self.cloud or None, month=month)
        for period in gone:
            self.log.info(
                "removed: %s %s %s, %d rows",
                period.cloud,
                period.export,
                f"{period.billing_period:%Y-%m}",
                period.rows,
            )
        return Outcome([to_document(period) for period in gone])


class PruneCostStoreOperator(CostOperator):
    """Delete what the last states of a cost store no longer need.

    What was current within the last day stays, so that no reader loses its files.

    Returns how many files were deleted, and the first hundred of their names.

    :param keep: how many states stay, to go back to by hand.
    """

    def __init__(self, *, keep: int = 7, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.keep = keep

    def perform(self, context: Context) -> Outcome:
        """Prune."""
        names = self.analyzer().prune_store(keep=self.keep)
        for name in names:
            self.log.info("deleted: %s", name)
        return Outcome({"deleted": len(names), "files": list(names[:_SHOWN])})
