"""What AWS costs: Data Exports in S3, Cost Explorer, the Hub's advice, the price list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from airflow_multicloud.clouds.aws.cost.advice import SavingAdvice
from airflow_multicloud.clouds.aws.cost.exports import DataExports
from airflow_multicloud.clouds.aws.cost.prices import PriceList
from airflow_multicloud.clouds.aws.cost.queries import CostExplorer
from airflow_multicloud.ports.cost import (
    Cost,
    CostForecasts,
    CostQueries,
    CostRecommendations,
    PriceLists,
)


class CostExplorerHook(DataExports, CostExplorer, SavingAdvice, PriceList):
    """The bill and the cost APIs of an AWS connection.

    Making one reads the connection and must happen on the task's own thread.
    """


Hook: type[Cost] = CostExplorerHook

if TYPE_CHECKING:

    class _Capabilities(CostQueries, CostForecasts, CostRecommendations, PriceLists, Protocol):
        """Every optional capability that AWS has; the type checker proves them, too."""

    _CAPABILITIES: type[_Capabilities] = CostExplorerHook
