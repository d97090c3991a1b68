"""Operators: thin shells over :mod:`airflow_multicloud.core`; importing them loads no SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.operators.compute.deploy import DeployOperator
    from airflow_multicloud.operators.compute.power import (
        StartInstanceOperator,
        StopInstanceOperator,
    )
    from airflow_multicloud.operators.compute.rollback import RollbackOperator
    from airflow_multicloud.operators.compute.teardown import TeardownOperator
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
    from airflow_multicloud.operators.database.power import (
        StartDatabaseOperator,
        StopDatabaseOperator,
    )
    from airflow_multicloud.operators.database.promote import PromoteReplicaOperator
    from airflow_multicloud.operators.database.remove import RemoveDatabaseOperator
    from airflow_multicloud.operators.database.remove_snapshot import RemoveSnapshotOperator
    from airflow_multicloud.operators.database.restore import RestoreDatabaseOperator
    from airflow_multicloud.operators.database.snapshot import SnapshotDatabaseOperator
    from airflow_multicloud.operators.database.status import DatabaseStatusOperator
    from airflow_multicloud.operators.database.verify import VerifyDatabaseOperator
    from airflow_multicloud.operators.drill.canary import WriteCanaryOperator
    from airflow_multicloud.operators.drill.recover import FailoverDrillOperator
    from airflow_multicloud.operators.drill.report import DrillReportOperator
    from airflow_multicloud.operators.logs.query import QueryLogsOperator
    from airflow_multicloud.operators.logs.ship import ShipLogsOperator
    from airflow_multicloud.operators.metrics.export import ExportMetricsOperator
    from airflow_multicloud.operators.object_store.fetch import FailoverFetchOperator
    from airflow_multicloud.operators.object_store.replicate import ReplicateOperator
    from airflow_multicloud.operators.object_store.sharded import (
        CloseReplicationOperator,
        PlanReplicationOperator,
        ReplicateShardOperator,
        sharded_replication,
    )
    from airflow_multicloud.operators.object_store.upload import UploadArtifactOperator
    from airflow_multicloud.operators.object_store.verify import VerifyReplicaOperator
    from airflow_multicloud.operators.params import CheckParamsOperator
    from airflow_multicloud.operators.preflight import PreflightOperator
    from airflow_multicloud.operators.secrets.sync import SyncSecretsOperator
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.operators.compute.deploy": "DeployOperator",
            "airflow_multicloud.operators.compute.power": (
                "StartInstanceOperator StopInstanceOperator"
            ),
            "airflow_multicloud.operators.compute.rollback": "RollbackOperator",
            "airflow_multicloud.operators.compute.teardown": "TeardownOperator",
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
            "airflow_multicloud.operators.database.power": (
                "StartDatabaseOperator StopDatabaseOperator"
            ),
            "airflow_multicloud.operators.database.promote": "PromoteReplicaOperator",
            "airflow_multicloud.operators.database.remove": "RemoveDatabaseOperator",
            "airflow_multicloud.operators.database.remove_snapshot": "RemoveSnapshotOperator",
            "airflow_multicloud.operators.database.restore": "RestoreDatabaseOperator",
            "airflow_multicloud.operators.database.snapshot": "SnapshotDatabaseOperator",
            "airflow_multicloud.operators.database.status": "DatabaseStatusOperator",
            "airflow_multicloud.operators.database.verify": "VerifyDatabaseOperator",
            "airflow_multicloud.operators.drill.canary": "WriteCanaryOperator",
            "airflow_multicloud.operators.drill.recover": "FailoverDrillOperator",
            "airflow_multicloud.operators.drill.report": "DrillReportOperator",
            "airflow_multicloud.operators.metrics.export": "ExportMetricsOperator",
            "airflow_multicloud.operators.logs.query": "QueryLogsOperator",
            "airflow_multicloud.operators.logs.ship": "ShipLogsOperator",
            "airflow_multicloud.operators.object_store.fetch": "FailoverFetchOperator",
            "airflow_multicloud.operators.object_store.replicate": "ReplicateOperator",
            "airflow_multicloud.operators.object_store.sharded": (
                "CloseReplicationOperator PlanReplicationOperator ReplicateShardOperator "
                "sharded_replication"
            ),
            "airflow_multicloud.operators.object_store.upload": "UploadArtifactOperator",
            "airflow_multicloud.operators.object_store.verify": "VerifyReplicaOperator",
            "airflow_multicloud.operators.params": "CheckParamsOperator",
            "airflow_multicloud.operators.secrets.sync": "SyncSecretsOperator",
            "airflow_multicloud.operators.preflight": "PreflightOperator",
        },
    )

__all__ = [
    "AttributeCostOperator",
    "BudgetGateOperator",
    "CheckCostQualityOperator",
    "CheckParamsOperator",
    "CloseReplicationOperator",
    "CompareCostOperator",
    "CostReportOperator",
    "DatabaseStatusOperator",
    "DeployOperator",
    "DrillReportOperator",
    "EstimateTransferCostOperator",
    "ExportMetricsOperator",
    "FailoverDrillOperator",
    "FailoverFetchOperator",
    "FindCostAnomaliesOperator",
    "IngestCostOperator",
    "PlanReplicationOperator",
    "PreflightOperator",
    "PriceWorkloadOperator",
    "PromoteReplicaOperator",
    "PruneCostStoreOperator",
    "QueryLogsOperator",
    "RecommendSavingsOperator",
    "RefreshExchangeRatesOperator",
    "RefreshPricesOperator",
    "RemoveCostExportOperator",
    "RemoveDatabaseOperator",
    "RemoveSnapshotOperator",
    "ReplicateOperator",
    "ReplicateShardOperator",
    "RestoreDatabaseOperator",
    "RollbackOperator",
    "ShipLogsOperator",
    "SnapshotDatabaseOperator",
    "StartDatabaseOperator",
    "StartInstanceOperator",
    "StopDatabaseOperator",
    "StopInstanceOperator",
    "SyncSecretsOperator",
    "TeardownOperator",
    "UploadArtifactOperator",
    "VerifyDatabaseOperator",
    "VerifyReplicaOperator",
    "WriteCanaryOperator",
    "sharded_replication",
]
