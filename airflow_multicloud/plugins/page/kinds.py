"""Which reports the pages show."""

from __future__ import annotations

from airflow_multicloud.plugins.page.recorded import Sought

REPLICATED = Sought("report", ("ReplicateOperator", "CloseReplicationOperator"))
VERIFIED = Sought("report", ("VerifyReplicaOperator",))
FRESH = Sought("freshness", ("ReplicaFreshSensor",))
DRILLED = Sought("report", ("DrillReportOperator", "JudgeDrillOperator", "DrillOperator"))
DEPLOYED = Sought("deployment_report", ("DeployOperator", "RollbackOperator"))
WELL = Sought("health", ("DeploymentHealthSensor",))
COSTED = Sought("cost_report", ("CostReportOperator",))
BUDGETED = Sought("verdict", ("BudgetGateOperator",))
ANOMALOUS = Sought("anomalies", ("FindCostAnomaliesOperator",))
ADVISED = Sought("savings", ("RecommendSavingsOperator",))
EXPORTED = Sought("metrics_report", ("ExportMetricsOperator",))

ALL = (
    REPLICATED,
    VERIFIED,
    FRESH,
    DRILLED,
    DEPLOYED,
    WELL,
    COSTED,
    BUDGETED,
    ANOMALOUS,
    ADVISED,
    EXPORTED,
)
