"""What clouds cost, and what something would, in plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.api.cost.advice import query_costs
    from airflow_multicloud.api.cost.analyzer import CloudCostAnalyzer, compare_costs
    from airflow_multicloud.api.cost.exchange_rates import (
        ECB_URL,
        RefreshedRates,
        refresh_exchange_rates,
    )
    from airflow_multicloud.api.cost.files import (
        read_recommendations,
        recommendation_rows,
        write_cost_report,
        write_recommendations,
    )
    from airflow_multicloud.api.cost.price_tables import (
        RefreshedPrices,
        read_prices,
        refresh_prices,
    )
    from airflow_multicloud.api.cost.transfers import estimate_transfer_cost
    from airflow_multicloud.core.cost.budget import (
        Budget,
        BudgetPeriod,
        BudgetState,
        ForecastBound,
        StalePolicy,
    )
    from airflow_multicloud.core.cost.prices.workload import Workload
else:
    __getattr__, __dir__ = lazy_face(
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
            "airflow_multicloud.api.cost.price_tables": (
                "RefreshedPrices read_prices refresh_prices"
            ),
            "airflow_multicloud.api.cost.transfers": "estimate_transfer_cost",
            "airflow_multicloud.core.cost.budget": (
                "Budget BudgetPeriod BudgetState ForecastBound StalePolicy"
            ),
            "airflow_multicloud.core.cost.prices.workload": "Workload",
        },
    )

__all__ = [
    "ECB_URL",
    "Budget",
    "BudgetPeriod",
    "BudgetState",
    "CloudCostAnalyzer",
    "ForecastBound",
    "RefreshedPrices",
    "RefreshedRates",
    "StalePolicy",
    "Workload",
    "compare_costs",
    "estimate_transfer_cost",
    "query_costs",
    "read_prices",
    "read_recommendations",
    "recommendation_rows",
    "refresh_exchange_rates",
    "refresh_prices",
    "write_cost_report",
    "write_recommendations",
]
