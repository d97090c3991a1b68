# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.operators.cost.anomalies import (
    FindCostAnomaliesOperator as FindCostAnomaliesOperator,
)
from airflow_multicloud.operators.cost.attribute import (
    AttributeCostOperator as AttributeCostOperator,
)
from airflow_multicloud.operators.cost.budget import BudgetGateOperator as BudgetGateOperator
from airflow_multicloud.operators.cost.compare import CompareCostOperator as CompareCostOperator
from airflow_multicloud.operators.cost.ingest import IngestCostOperator as IngestCostOperator
from airflow_multicloud.operators.cost.quality import (
    CheckCostQualityOperator as CheckCostQualityOperator,
)
from airflow_multicloud.operators.cost.recommend import (
    RecommendSavingsOperator as RecommendSavingsOperator,
)
from airflow_multicloud.operators.cost.refresh import (
    RefreshExchangeRatesOperator as RefreshExchangeRatesOperator,
)
from airflow_multicloud.operators.cost.refresh import RefreshPricesOperator as RefreshPricesOperator
from airflow_multicloud.operators.cost.report import CostReportOperator as CostReportOperator
from airflow_multicloud.operators.cost.store import PruneCostStoreOperator as PruneCostStoreOperator
from airflow_multicloud.operators.cost.store import (
    RemoveCostExportOperator as RemoveCostExportOperator,
)
from airflow_multicloud.operators.cost.transfer import (
    EstimateTransferCostOperator as EstimateTransferCostOperator,
)
from airflow_multicloud.operators.cost.workload import (
    PriceWorkloadOperator as PriceWorkloadOperator,
)
