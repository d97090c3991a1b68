"""Operators that keep a cost store, and ask it questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.operators.cost.anomalies import FindCostAnomaliesOperator
    from airflow_multicloud.operators.cost.attribute import AttributeCostOperator
    from airflow_multicloud.operators.cost.budget import BudgetGateOperator
    from airflow_multicloud.operators.cost.compare import CompareCostOperator
    from airflow_multicloud.operators.cost.ingest import IngestCostOperator
    from airflow_multicloud.operators.cost.quality import CheckCostQualityOperator
    from airflow_multicloud.operators.cost.recommend import RecommendSavingsOperator
    from airflow_multicloud.operators.cost.refresh import (
        RefreshExchangeRatesOperator,
        RefreshPricesOperator,
    )
    from airflow_multicloud.operators.cost.report import CostReportOperator
    from airflow_multicloud.operators.cost.store import (
        PruneCostStoreOperator,
        RemoveCostExportOperator,
    )
    from airflow_multicloud.operators.cost.transfer import EstimateTransferCostOperator
    from airflow_multicloud.operators.cost.workload import PriceWorkloadOperator
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.operators.cost.anomalies": "FindCostAnomaliesOperator",
            "airflow_multicloud.operators.cost.attribute": "AttributeCostOperator",
            "airflow_multicloud.operators.cost.budget": "BudgetGateOperator",
            "airflow_multicloud.operators.cost.compare": "CompareCostOperator",
            "airflow_multicloud.operators.cost.ingest": "IngestCostOperator",
            "airflow_multicloud.operators.cost.quality": "CheckCostQualityOperator",
            "airflow_multicloud.operators.cost.recommend": "RecommendSavingsOperator",
            "airflow_multicloud.operators.cost.refresh": (
                "RefreshExchangeRatesOperator RefreshPricesOperator"
            ),
            "airflow_multicloud.operators.cost.report": "CostReportOperator",
            "airflow_multicloud.operators.cost.store": (
                "PruneCostStoreOperator RemoveCostExportOperator"
            ),
            "airflow_multicloud.operators.cost.transfer": "EstimateTransferCostOperator",
            "airflow_multicloud.operators.cost.workload": "PriceWorkloadOperator",
        },
    )

__all__ = [
    "AttributeCostOperator",
    "BudgetGateOperator",
    "CheckCostQualityOperator",
    "CompareCostOperator",
    "CostReportOperator",
    "EstimateTransferCostOperator",
    "FindCostAnomaliesOperator",
    "IngestCostOperator",
    "PriceWorkloadOperator",
    "PruneCostStoreOperator",
    "RecommendSavingsOperator",
    "RefreshExchangeRatesOperator",
    "RefreshPricesOperator",
    "RemoveCostExportOperator",
]
