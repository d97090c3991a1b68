"""Operators that keep a cost store, and ask it questions."""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
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
