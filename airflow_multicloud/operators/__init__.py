"""Operators: thin shells over :mod:`airflow_multicloud.core`; importing them loads no SDK."""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
    __name__,
    {
        "airflow_multicloud.operators.compute.deploy": "DeployOperator",
        "airflow_multicloud.operators.compute.power": "StartInstanceOperator StopInstanceOperator",
        "airflow_multicloud.operators.compute.rollback": "RollbackOperator",
        "airflow_multicloud.operators.compute.summary": "ReleaseSummaryOperator",
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
        "airflow_multicloud.operators.database.power": "StartDatabaseOperator StopDatabaseOperator",
        "airflow_multicloud.operators.database.promote": "PromoteReplicaOperator",
        "airflow_multicloud.operators.database.remove": "RemoveDatabaseOperator",
        "airflow_multicloud.operators.database.remove_snapshot": "RemoveSnapshotOperator",
        "airflow_multicloud.operators.database.restore": "RestoreDatabaseOperator",
        "airflow_multicloud.operators.database.snapshot": "SnapshotDatabaseOperator",
        "airflow_multicloud.operators.database.status": "DatabaseStatusOperator",
        "airflow_multicloud.operators.database.verify": "VerifyDatabaseOperator",
        "airflow_multicloud.operators.drill.canary": "WriteCanaryOperator",
        "airflow_multicloud.operators.drill.canary_secret": (
            "CheckCanarySecretOperator WriteCanarySecretOperator"
        ),
        "airflow_multicloud.operators.drill.deadline": "drill_deadline drill_deadline_seconds",
        "airflow_multicloud.operators.drill.deploy": "DrillDeployOperator drilled_places",
        "airflow_multicloud.operators.drill.figures": "drill_figures",
        "airflow_multicloud.operators.drill.group": "DrillAssets DrillGroup drill_task_group",
        "airflow_multicloud.operators.drill.judge": "JudgeDrillOperator",
        "airflow_multicloud.operators.drill.recover": "FailoverDrillOperator",
        "airflow_multicloud.operators.drill.report": "DrillReportOperator",
        "airflow_multicloud.operators.drill.steps": "DrillTasks",
        "airflow_multicloud.operators.drill.whole": "DrillOperator",
        "airflow_multicloud.operators.logs.query": "QueryLogsOperator",
        "airflow_multicloud.operators.logs.ship": "ShipLogsOperator",
        "airflow_multicloud.operators.metrics.export": "ExportMetricsOperator",
        "airflow_multicloud.operators.object_store.fetch": "FailoverFetchOperator",
        "airflow_multicloud.operators.object_store.replicate": "ReplicateOperator",
        "airflow_multicloud.operators.object_store.sharded": (
            "CloseReplicationOperator PlanReplicationOperator ReplicateShardOperator "
            "sharded_replication"
        ),
        "airflow_multicloud.operators.object_store.upload": "UploadArtifactOperator",
        "airflow_multicloud.operators.object_store.verify": "VerifyReplicaOperator",
        "airflow_multicloud.operators.params": "CheckParamsOperator",
        "airflow_multicloud.operators.preflight": "PreflightOperator",
        "airflow_multicloud.operators.secrets.sync": "SyncSecretsOperator",
    },
)
