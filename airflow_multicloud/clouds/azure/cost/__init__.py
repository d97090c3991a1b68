"""What Azure costs: exports in Blob Storage, Cost Management, Advisor, the price list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.azure.cost.advice import AdvisorAdvice
from airflow_multicloud.clouds.azure.cost.exports import CostExports
from airflow_multicloud.clouds.azure.cost.prices import RetailPrices
from airflow_multicloud.clouds.azure.cost.queries import CostManagementQueries
from airflow_multicloud.ports.cost import Cost, CostQueries, CostRecommendations, PriceLists


class CostManagementHook(CostExports, CostManagementQueries, AdvisorAdvice, RetailPrices):
    """The bill and the cost services of an Azure connection.

    Exports are read with a connection of type ``wasb``; the services are asked with one of type
    ``azure``, or with a ``wasb`` one whose credentials are a Microsoft Entra application's.

    :param conn_id: the connection; its extra may name ``cost_scope`` (a billing account, resource
        group…) for queries, by default the subscription.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """


Hook: type[Cost] = CostManagementHook

if TYPE_CHECKING:
    # The type checker proves every optional capability, too.
    _CAPABILITIES: tuple[type[CostQueries], type[CostRecommendations], type[PriceLists]] = (
        CostManagementHook,
    ) * 3
