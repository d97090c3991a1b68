"""What a replication will cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.cost.transfers import estimate_transfer_cost
from airflow_multicloud.api.object_store.destinations import Destination
from airflow_multicloud.documents import to_document
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.cost.estimates import tell_estimate
from airflow_multicloud.operators.object_store.destinations import DestinationsOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class EstimateTransferCostOperator(DestinationsOperator):
    """Plan a replication and price the plan, before a byte moves.

    Returns what is paid once and what recurs every month, by dated list prices; with
    ``complete`` false the sums are a lower bound.

    :param source: URI of an object or prefix.
    :param destinations: URIs.
    :param runs_in: where the replication will run, ``cloud`` or ``cloud/region``; beside the
        source by default.
    :param egress_used: cloud → GB that left it this month already, which decides the tier.
    :param prices: path or URI of the list prices, as a
        :class:`~airflow_multicloud.operators.cost.refresh.RefreshPricesOperator` writes it; the
        packaged ones by default.
    """

    template_fields: Sequence[str] = ("prices", "source", "destinations", "runs_in")

    def __init__(
        self,
        *,
        source: str,
        destinations: Sequence[str | Destination],
        runs_in: str | None = None,
        egress_used: Mapping[str, float] | None = None,
        prices: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.destinations = destinations
        self.runs_in = runs_in
        self.egress_used = egress_used
        self.prices = prices

    def perform(self, context: Context) -> Outcome:
        """Estimate."""
        used = {cloud: Decimal(str(gb)) for cloud, gb in (self.egress_used or {}).items()}
        found = estimate_transfer_cost(
            self.source,
            self.destinations,
            runs_in=self.runs_in,
            prices=self.prices or None,
            egress_used=used,
        )
        tell_estimate(self, found)
        return Outcome(to_document(found))
