"""Cost: the port to a cloud's bill, and the optional capabilities of its cost APIs.

The bill itself is what a cloud *exports* in FOCUS form (files in a bucket, or a BigQuery
table); every cloud has that. The APIs that some clouds offer besides are a quick look: they
are capped, may cost money per call and are optional capabilities here.

Money is :class:`~decimal.Decimal` with its currency; days are calendar days in UTC, as FOCUS
asks; ``end`` is always exclusive. Every remote failure is a
:class:`~airflow_multicloud.errors.CostAnalysisError` (or
:class:`~airflow_multicloud.errors.CredentialsError`).
"""

from airflow_multicloud.ports.cost.advice import (
    CostRecommendations,
    Effort,
    Recommendation,
    Recommendations,
)
from airflow_multicloud.ports.cost.exports import (
    CorrectionStyle,
    Cost,
    ExportedPeriod,
    FetchedPeriod,
    FileFormat,
)
from airflow_multicloud.ports.cost.prices import ListPrice, PriceLists, PriceQuery
from airflow_multicloud.ports.cost.queries import (
    ApiForecast,
    CostForecasts,
    CostMetric,
    CostQueries,
    CostQuery,
    CostQueryResult,
    CostQueryRow,
)

__all__ = [
    "ApiForecast",
    "CorrectionStyle",
    "Cost",
    "CostForecasts",
    "CostMetric",
    "CostQueries",
    "CostQuery",
    "CostQueryResult",
    "CostQueryRow",
    "CostRecommendations",
    "Effort",
    "ExportedPeriod",
    "FetchedPeriod",
    "FileFormat",
    "ListPrice",
    "PriceLists",
    "PriceQuery",
    "Recommendation",
    "Recommendations",
]
