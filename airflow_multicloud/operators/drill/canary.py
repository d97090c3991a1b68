"""Write what a drill looks for afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.drill.canary import write_canary
from airflow_multicloud.documents import to_document
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.operators.base import CloudOperator, Outcome
from airflow_multicloud.operators.run_ids import run_id_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class WriteCanaryOperator(CloudOperator):
    """Write an object with the time in it below the primary's prefix.

    :param primary: URI of the prefix that is replicated.
    """

    template_fields: Sequence[str] = ("primary",)

    def __init__(self, *, primary: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.primary = primary

    def perform(self, context: Context) -> Outcome:
        """Write it; returns the drill's id, the time and the SHA-256."""
        primary = open_endpoint(self.primary, parameter="primary")
        canary = to_document(write_canary(primary, run_id_of(context, self.task_id)))
        self.log.info("canary %s written at %s", canary["drill_id"], canary["written_at"])
        return Outcome(canary)
