# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.operators.compute.deploy import DeployOperator as DeployOperator
from airflow_multicloud.operators.compute.power import (
    StartInstanceOperator as StartInstanceOperator,
)
from airflow_multicloud.operators.compute.power import StopInstanceOperator as StopInstanceOperator
from airflow_multicloud.operators.compute.rollback import RollbackOperator as RollbackOperator
from airflow_multicloud.operators.compute.summary import (
    ReleaseSummaryOperator as ReleaseSummaryOperator,
)
from airflow_multicloud.operators.compute.teardown import TeardownOperator as TeardownOperator
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
from airflow_multicloud.operators.database.power import (
    StartDatabaseOperator as StartDatabaseOperator,
)
from airflow_multicloud.operators.database.power import StopDatabaseOperator as StopDatabaseOperator
from airflow_multicloud.operators.database.promote import (
    PromoteReplicaOperator as PromoteReplicaOperator,
)
from airflow_multicloud.operators.database.remove import (
    RemoveDatabaseOperator as RemoveDatabaseOperator,
)
from airflow_multicloud.operators.database.remove_snapshot import (
    RemoveSnapshotOperator as RemoveSnapshotOperator,
)
from airflow_multicloud.operators.database.restore import (
    RestoreDatabaseOperator as RestoreDatabaseOperator,
)
from airflow_multicloud.operators.database.snapshot import (
    SnapshotDatabaseOperator as SnapshotDatabaseOperator,
)
from airflow_multicloud.operators.database.status import (
    DatabaseStatusOperator as DatabaseStatusOperator,
)
from airflow_multicloud.operators.database.verify import (
    VerifyDatabaseOperator as VerifyDatabaseOperator,
)
from airflow_multicloud.operators.drill.canary import WriteCanaryOperator as WriteCanaryOperator
from airflow_multicloud.operators.drill.canary_secret import (
    CheckCanarySecretOperator as CheckCanarySecretOperator,
)
from airflow_multicloud.operators.drill.canary_secret import (
    WriteCanarySecretOperator as WriteCanarySecretOperator,
)
from airflow_multicloud.operators.drill.deadline import drill_deadline as drill_deadline
from airflow_multicloud.operators.drill.deadline import (
    drill_deadline_seconds as drill_deadline_seconds,
)
from airflow_multicloud.operators.drill.deploy import DrillDeployOperator as DrillDeployOperator
from airflow_multicloud.operators.drill.deploy import drilled_places as drilled_places
from airflow_multicloud.operators.drill.figures import drill_figures as drill_figures
from airflow_multicloud.operators.drill.group import DrillAssets as DrillAssets
from airflow_multicloud.operators.drill.group import DrillGroup as DrillGroup
from airflow_multicloud.operators.drill.group import drill_task_group as drill_task_group
from airflow_multicloud.operators.drill.judge import JudgeDrillOperator as JudgeDrillOperator
from airflow_multicloud.operators.drill.recover import (
    FailoverDrillOperator as FailoverDrillOperator,
)
from airflow_multicloud.operators.drill.report import DrillReportOperator as DrillReportOperator
from airflow_multicloud.operators.drill.steps import DrillTasks as DrillTasks
from airflow_multicloud.operators.drill.whole import DrillOperator as DrillOperator
from airflow_multicloud.operators.logs.query import QueryLogsOperator as QueryLogsOperator
from airflow_multicloud.operators.logs.ship import ShipLogsOperator as ShipLogsOperator
from airflow_multicloud.operators.metrics.export import (
    ExportMetricsOperator as ExportMetricsOperator,
)
from airflow_multicloud.operators.object_store.fetch import (
    FailoverFetchOperator as FailoverFetchOperator,
)
from airflow_multicloud.operators.object_store.replicate import (
    ReplicateOperator as ReplicateOperator,
)
from airflow_multicloud.operators.object_store.sharded import (
    CloseReplicationOperator as CloseReplicationOperator,
)
from airflow_multicloud.operators.object_store.sharded import (
    PlanReplicationOperator as PlanReplicationOperator,
)
from airflow_multicloud.operators.object_store.sharded import (
    ReplicateShardOperator as ReplicateShardOperator,
)
from airflow_multicloud.operators.object_store.sharded import (
    sharded_replication as sharded_replication,
)
from airflow_multicloud.operators.object_store.upload import (
    UploadArtifactOperator as UploadArtifactOperator,
)
from airflow_multicloud.operators.object_store.verify import (
    VerifyReplicaOperator as VerifyReplicaOperator,
)
from airflow_multicloud.operators.params import CheckParamsOperator as CheckParamsOperator
from airflow_multicloud.operators.preflight import PreflightOperator as PreflightOperator
from airflow_multicloud.operators.secrets.sync import SyncSecretsOperator as SyncSecretsOperator
