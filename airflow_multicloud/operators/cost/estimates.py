"""How an estimate is told in a task's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

    from airflow_multicloud.core.cost.prices.transfer import TransferEstimate


def tell_estimate(operator: BaseOperator, estimate: TransferEstimate) -> None:
    """Write an estimate to the task's log, line by line."""
    operator.log.info("this will cost %s", estimate)
    for line in estimate.lines:
        operator.log.info(
            "  %s: %s %s: %s %s at %s %s in %s (%s, %s) = %s",
            line.name,
            line.meter,
            line.sku,
            f"{line.quantity:.3f}",
            line.unit,
            line.list_unit_price,
            line.currency,
            line.region_id,
            line.source,
            line.as_of,
            f"{line.amount:.4f}",
        )
    for lacking in estimate.unpriced:
        operator.log.warning("not priced: %s: %s", lacking.price, lacking.reason)
