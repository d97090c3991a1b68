# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.api.cost.advice import query_costs as query_costs
from airflow_multicloud.api.cost.analyzer import CloudCostAnalyzer as CloudCostAnalyzer
from airflow_multicloud.api.cost.analyzer import compare_costs as compare_costs
from airflow_multicloud.api.cost.exchange_rates import ECB_URL as ECB_URL
from airflow_multicloud.api.cost.exchange_rates import RefreshedRates as RefreshedRates
from airflow_multicloud.api.cost.exchange_rates import (
    refresh_exchange_rates as refresh_exchange_rates,
)
from airflow_multicloud.api.cost.files import read_recommendations as read_recommendations
from airflow_multicloud.api.cost.files import recommendation_rows as recommendation_rows
from airflow_multicloud.api.cost.files import write_cost_report as write_cost_report
from airflow_multicloud.api.cost.files import write_recommendations as write_recommendations
from airflow_multicloud.api.cost.price_tables import RefreshedPrices as RefreshedPrices
from airflow_multicloud.api.cost.price_tables import read_prices as read_prices
from airflow_multicloud.api.cost.price_tables import refresh_prices as refresh_prices
from airflow_multicloud.api.cost.transfers import estimate_transfer_cost as estimate_transfer_cost
from airflow_multicloud.core.cost.budget import Budget as Budget
from airflow_multicloud.core.cost.budget import BudgetPeriod as BudgetPeriod
from airflow_multicloud.core.cost.budget import BudgetState as BudgetState
from airflow_multicloud.core.cost.budget import ForecastBound as ForecastBound
from airflow_multicloud.core.cost.budget import StalePolicy as StalePolicy
from airflow_multicloud.core.cost.prices.workload import Workload as Workload
