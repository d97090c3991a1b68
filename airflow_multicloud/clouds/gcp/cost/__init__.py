"""What Google Cloud costs: the billing export in BigQuery, recommendations, list prices.

Google has no API for costs themselves, so the capability
:class:`~airflow_multicloud.ports.cost.CostQueries` is absent.

The connection's extras ``bigquery.endpoint``, ``recommender.endpoint`` and
``cloudbilling.endpoint`` say where else to ask; for those of the billing export, see
:mod:`airflow_multicloud.clouds.gcp.cost.exports`.

Reading needs the roles BigQuery Job User on the connection's project and BigQuery Data Viewer
on the dataset; the Storage Read API, BigQuery Read Session User as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.gcp.cost.advice import GCPAdvice
from airflow_multicloud.clouds.gcp.cost.exports import GCPExports
from airflow_multicloud.clouds.gcp.cost.prices import GCPPrices
from airflow_multicloud.ports.cost import Cost, CostRecommendations, PriceLists


class GCPCostHook(GCPExports, GCPAdvice, GCPPrices):
    """The cost port on Airflow's BigQuery hook."""


#: What registry.resolve(Cost, …) makes for Google Cloud connections.
Hook: type[Cost] = GCPCostHook

if TYPE_CHECKING:
    # The type checker proves every optional capability, too.
    _CAPABILITIES: tuple[type[CostRecommendations], type[PriceLists]] = (GCPCostHook,) * 2
