"""What Azure costs: exports in Blob Storage, Cost Management, Advisor, the price list."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.microsoft.azure.hooks.base_azure import AzureBaseHook

from airflow_multicloud.clouds.azure.cost import advice as _cost_advice
from airflow_multicloud.clouds.azure.cost import exports as _cost_exports
from airflow_multicloud.clouds.azure.cost import prices as _cost_prices
from airflow_multicloud.clouds.azure.cost import queries as _cost_query
from airflow_multicloud.clouds.azure.credentials import CredentialForm
from airflow_multicloud.clouds.azure.object_store import BlobObjectStoreHook
from airflow_multicloud.clouds.azure.resource_manager import ResourceManager, read_connection
from airflow_multicloud.ports.cost import (
    Cost,
    CostQueries,
    CostQuery,
    CostQueryResult,
    CostRecommendations,
    ExportedPeriod,
    FetchedPeriod,
    ListPrice,
    PriceLists,
    PriceQuery,
    Recommendations,
)


class CostManagementHook(AzureBaseHook):
    """The bill and the cost services of an Azure connection.

    Exports are read with a connection of type ``wasb``; the services are asked with one of type
    ``azure``, or with a ``wasb`` one whose credentials are a Microsoft Entra application's.

    :param conn_id: the connection; its extra may name ``cost_scope`` (a billing account, resource
        group…) for queries, by default the subscription.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """

    def __init__(self, conn_id: str = AzureBaseHook.default_conn_name) -> None:
        super().__init__(conn_id=conn_id)
        # As Airflow's own Azure hooks do: else every request fills a page of the task's log.
        if "AZURE_HTTP_LOGGING_LEVEL" not in os.environ:
            requests = logging.getLogger("azure.core.pipeline.policies.http_logging_policy")
            requests.setLevel(logging.WARNING)
        # The connection is read now, on the thread that may ask Airflow.
        connection = self.get_connection(conn_id)
        self._exports: BlobObjectStoreHook | None = None
        credential: Any = None
        if connection.conn_type == BlobObjectStoreHook.conn_type:
            self._exports = BlobObjectStoreHook(wasb_conn_id=conn_id)
            if self._exports.account.form is CredentialForm.TOKEN:
                credential = self._exports.account.service.credential
        self._manager: ResourceManager = read_connection(conn_id, connection, credential)

    def list_billing_periods(self, export: str) -> Sequence[ExportedPeriod]:
        """The billing periods that have a manifest.

        :param export: ``container/directory/export-name``.
        """
        return _cost_exports.exported_periods(self._store(), export)

    def fetch_billing_period(
        self,
        period: ExportedPeriod,
        directory: Path,
        *,
        after: str | None = None,  # noqa: ARG002
    ) -> FetchedPeriod:
        """The files that the period's manifest names; ``after`` means nothing here."""
        return _cost_exports.fetch_period(self._store(), period, directory)

    def query_costs(self, query: CostQuery) -> CostQueryResult:
        """Cost Management's daily figures of the connection's scope; free, but throttled.

        Services have the names that Cost Management gives them, which the exports' FOCUS names
        need not be. A row is estimated until the fifth day after its month.
        """
        return _cost_query.query(self._manager, query)

    def list_recommendations(self) -> Recommendations:
        """Azure Advisor's, of category Cost, for the connection's subscription."""
        return _cost_advice.recommendations(self._manager)

    def list_prices(self, queries: Sequence[PriceQuery]) -> Sequence[ListPrice]:
        """Pay-as-you-go prices of the public list, in USD."""
        return _cost_prices.list_prices(self._manager, queries)

    def _store(self) -> BlobObjectStoreHook:
        if self._exports is None:
            raise self._manager.unusable(
                f"has type {self._manager.conn_type!r}; exports are read from Blob Storage with a "
                f"connection of type {BlobObjectStoreHook.conn_type!r}"
            )
        return self._exports


Hook: type[Cost] = CostManagementHook

if TYPE_CHECKING:
    _queries: type[CostQueries] = CostManagementHook
    _recommendations: type[CostRecommendations] = CostManagementHook
    _price_lists: type[PriceLists] = CostManagementHook
