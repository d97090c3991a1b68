"""Say how a database is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.api.database.instances import describe_database
from airflow_multicloud.core.database.given import check_not_nothing
from airflow_multicloud.documents import to_document
from airflow_multicloud.links.consoles import CONSOLE_LINKS
from airflow_multicloud.operators.base import CloudOperator, Outcome
from airflow_multicloud.operators.database.base import link_to_instance

if TYPE_CHECKING:
    from airflow.sdk import Context


class DatabaseStatusOperator(CloudOperator):
    """Return how an instance is now: its role, state, endpoint, and a replica's lag.

    :param conn_id: the connection of the instance's cloud.
    :param database: as the cloud writes it: ``arn:aws:rds:…:db:…``; ``projects/…/instances/…``;
        ``/subscriptions/…``; or its name, where the cloud has one in the connection's own place; or
        what a ``RestoreDatabaseOperator`` returned: its ``output``.
    :param region: in which it is; the connection's own when left out.
    """

    template_fields: Sequence[str] = ("conn_id", "database", "region")
    operator_extra_links = CONSOLE_LINKS

    def __init__(
        self,
        *,
        conn_id: str,
        database: str | Mapping[str, Any],
        region: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.database = database
        self.region = region
        self._has_region = region is not None

    def perform(self, context: Context) -> Outcome:
        """Look."""
        if self._has_region:
            check_not_nothing("region", self.region)
        instance = describe_database(self.conn_id, self.database, region=self.region)
        link_to_instance(context, instance)
        return Outcome(to_document(instance))
