"""What clouds cost, and what something would, in plain Python."""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
    __name__,
    {
        "airflow_multicloud.api.cost.advice": "query_costs",
        "airflow_multicloud.api.cost.analyzer": "CloudCostAnalyzer compare_costs",
        "airflow_multicloud.api.cost.exchange_rates": (
            "ECB_URL RefreshedRates refresh_exchange_rates"
        ),
        "airflow_multicloud.api.cost.files": (
            "read_recommendations recommendation_rows write_cost_report write_recommendations"
        ),
        "airflow_multicloud.api.cost.price_tables": "RefreshedPrices read_prices refresh_prices",
        "airflow_multicloud.api.cost.transfers": "estimate_transfer_cost",
        "airflow_multicloud.core.cost.budget": (
            "Budget BudgetPeriod BudgetState ForecastBound StalePolicy"
        ),
        "airflow_multicloud.core.cost.prices.workload": "Workload",
    },
)
