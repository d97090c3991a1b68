"""The same operations in plain Python, inside ``@task`` or outside of Airflow tasks.

Locations are URIs (``s3://conn_id@bucket/key``); connections are ordinary Airflow
connections, so ``AIRFLOW_CONN_…`` variables are enough where no Airflow runs. A name is imported
when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.api.compute.deployer import DeploymentProvider, MultiCloudDeployer
    from airflow_multicloud.api.compute.deployments import (
        deployment_drift,
        list_deployments,
        tear_down_deployment,
    )
    from airflow_multicloud.api.compute.rollouts import (
        MultiCloudPlan,
        deploy_multicloud,
        plan_multicloud,
        plan_rollback,
        roll_back_deployment,
    )
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
    from airflow_multicloud.api.database.instances import (
        describe_database,
        power_database,
        promote_replica,
    )
    from airflow_multicloud.api.database.orders import (
        remove_database,
        remove_scratch_databases,
        restore_database,
    )
    from airflow_multicloud.api.database.snapshots import remove_snapshot, snapshot_database
    from airflow_multicloud.api.database.verification import verify_database
    from airflow_multicloud.api.drill import (
        DrillResult,
        read_evidence,
        run_drill,
        store_evidence,
        verify_evidence,
    )
    from airflow_multicloud.api.logs import (
        LogQueryResult,
        QueryFailedError,
        query_logs,
        ship_logs,
    )
    from airflow_multicloud.api.metrics.aggregator import CloudMetricsAggregator
    from airflow_multicloud.api.metrics.exports import (
        check_metrics,
        export_metrics_to_cloud,
        read_metric,
    )
    from airflow_multicloud.api.object_store.buckets import make_bucket
    from airflow_multicloud.api.object_store.cleanups import cleanup
    from airflow_multicloud.api.object_store.destinations import Destination
    from airflow_multicloud.api.object_store.fetches import failover_fetch
    from airflow_multicloud.api.object_store.history import list_runs, replica_status
    from airflow_multicloud.api.object_store.reachability import (
        ReachableReplicas,
        reachable_replicas,
    )
    from airflow_multicloud.api.object_store.replicas import (
        plan_replication,
        replicate,
        replication,
        verify_replica,
    )
    from airflow_multicloud.api.object_store.unified import UnifiedCloudStorage
    from airflow_multicloud.api.object_store.uploads import (
        CloudOperationResult,
        plan_upload,
        upload_artifact,
    )
    from airflow_multicloud.api.preflight import render_policy, run_preflight
    from airflow_multicloud.api.providers import ProviderRegistry, initialize_providers
    from airflow_multicloud.api.secrets import list_secrets, secret_drift, sync_secrets
    from airflow_multicloud.core.cleanup import CleanupReport, Left, Leftover
    from airflow_multicloud.core.cost.budget import (
        Budget,
        BudgetPeriod,
        BudgetState,
        ForecastBound,
        StalePolicy,
    )
    from airflow_multicloud.core.cost.prices.workload import Workload
    from airflow_multicloud.core.database.checks import TableCheck
    from airflow_multicloud.core.database.promotions import PromotedReplica
    from airflow_multicloud.core.database.removals import DatabaseRemoval, RemovedDatabase
    from airflow_multicloud.core.database.restores import RestoredDatabase
    from airflow_multicloud.core.database.retention import SnapshotRetention
    from airflow_multicloud.core.database.snapshot_removals import (
        LeftSnapshot,
        RemovedSnapshot,
        SnapshotRemoval,
    )
    from airflow_multicloud.core.database.snapshots import TakenSnapshot
    from airflow_multicloud.core.database.verification import (
        CheckOutcome,
        CheckResult,
        DatabaseVerification,
    )
    from airflow_multicloud.core.deliveries import Delivery, OnInvalid
    from airflow_multicloud.core.drill.chain import StoredRecord
    from airflow_multicloud.core.drill.chain_reports import EvidenceReport, Flaw
    from airflow_multicloud.core.drill.evidence import Anchor, Evidence
    from airflow_multicloud.core.drill.faults import Fault
    from airflow_multicloud.core.drill.verdict import Objectives, Verdict
    from airflow_multicloud.core.failover.local_names import name_of_path
    from airflow_multicloud.core.failover.policy import FailoverPolicy
    from airflow_multicloud.core.failover.provenance import (
        FailoverError,
        IncompleteFetchError,
        Provenance,
        TreeProvenance,
    )
    from airflow_multicloud.core.logs.querying import Completeness, LogAnswer, LogRow
    from airflow_multicloud.core.logs.shipping import ShippingFailedError, ShipReport
    from airflow_multicloud.core.metrics.checking import CheckReport
    from airflow_multicloud.core.metrics.report import DestinationExport, ExportReport
    from airflow_multicloud.core.preflight.policies import RenderedPolicy
    from airflow_multicloud.core.preflight.report import PreflightFailedError, PreflightReport
    from airflow_multicloud.core.replication.closing import ReplicationFailedError
    from airflow_multicloud.core.replication.history import Run
    from airflow_multicloud.core.replication.options import (
        CompareAttributes,
        ObjectFilter,
        OnError,
        ReplicationOptions,
    )
    from airflow_multicloud.core.replication.plans import Plan
    from airflow_multicloud.core.replication.report import ReplicationReport
    from airflow_multicloud.core.replication.status import ReplicaStatus
    from airflow_multicloud.core.replication.verification import Depth, VerificationReport
    from airflow_multicloud.core.rollout.deployment import Deployment
    from airflow_multicloud.core.rollout.drift import (
        DriftReport,
        ExpectedDeployment,
        ExpectedTarget,
    )
    from airflow_multicloud.core.rollout.health import HealthCheck, HealthCheckKind
    from airflow_multicloud.core.rollout.outcomes import MultiCloudDeploymentResult
    from airflow_multicloud.core.rollout.policy import RollbackScope, RolloutPolicy, Strategy
    from airflow_multicloud.core.rollout.standing import DeploymentsReport
    from airflow_multicloud.core.rollout.targets import Alternative, Target
    from airflow_multicloud.core.rollout.teardown_progress import TeardownResult
    from airflow_multicloud.core.secret_sync.options import DeletionPolicy, OnConflict
    from airflow_multicloud.core.secret_sync.outcomes import FindingKind, SyncOutcome
    from airflow_multicloud.core.secret_sync.report import (
        SyncChange,
        SyncedStore,
        SyncFailedError,
        SyncFinding,
        SyncReport,
    )
    from airflow_multicloud.core.upload import PlannedUpload, Uploaded
    from airflow_multicloud.errors import (
        CloudError,
        CostAnalysisError,
        CredentialsError,
        DatabaseError,
        DeploymentError,
        ErrorKind,
        LogsError,
        MetricsError,
        ProviderNotAvailableError,
        ProviderNotInitializedError,
        SecretsError,
        StorageError,
    )
    from airflow_multicloud.opening.preflight import (
        CloudProviderStatus,
        LocationStatus,
        check_connection,
        check_location,
    )
    from airflow_multicloud.ports.compute import Network, SizeNeed
    from airflow_multicloud.ports.metrics import MetricReading, ReadPoint
    from airflow_multicloud.ports.secrets import Secret
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.api.compute.deployer": "DeploymentProvider MultiCloudDeployer",
            "airflow_multicloud.api.compute.deployments": (
                "deployment_drift list_deployments tear_down_deployment"
            ),
            "airflow_multicloud.api.compute.rollouts": (
                "MultiCloudPlan deploy_multicloud plan_multicloud plan_rollback "
                "roll_back_deployment"
            ),
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
            "airflow_multicloud.api.database.instances": (
                "describe_database power_database promote_replica"
            ),
            "airflow_multicloud.api.database.orders": (
                "remove_database remove_scratch_databases restore_database"
            ),
            "airflow_multicloud.api.database.snapshots": "remove_snapshot snapshot_database",
            "airflow_multicloud.api.database.verification": "verify_database",
            "airflow_multicloud.api.drill": (
                "DrillResult read_evidence run_drill store_evidence verify_evidence"
            ),
            "airflow_multicloud.api.metrics.aggregator": "CloudMetricsAggregator",
            "airflow_multicloud.api.metrics.exports": (
                "check_metrics export_metrics_to_cloud read_metric"
            ),
            "airflow_multicloud.api.logs": ("LogQueryResult QueryFailedError query_logs ship_logs"),
            "airflow_multicloud.api.object_store.buckets": "make_bucket",
            "airflow_multicloud.api.object_store.cleanups": "cleanup",
            "airflow_multicloud.api.object_store.destinations": "Destination",
            "airflow_multicloud.api.object_store.fetches": "failover_fetch",
            "airflow_multicloud.api.object_store.history": "list_runs replica_status",
            "airflow_multicloud.api.object_store.reachability": (
                "ReachableReplicas reachable_replicas"
            ),
            "airflow_multicloud.api.object_store.replicas": (
                "plan_replication replicate replication verify_replica"
            ),
            "airflow_multicloud.api.object_store.unified": "UnifiedCloudStorage",
            "airflow_multicloud.api.object_store.uploads": (
                "CloudOperationResult plan_upload upload_artifact"
            ),
            "airflow_multicloud.api.preflight": "render_policy run_preflight",
            "airflow_multicloud.api.providers": "ProviderRegistry initialize_providers",
            "airflow_multicloud.api.secrets": "list_secrets secret_drift sync_secrets",
            "airflow_multicloud.core.cleanup": "CleanupReport Left Leftover",
            "airflow_multicloud.core.cost.budget": (
                "Budget BudgetPeriod BudgetState ForecastBound StalePolicy"
            ),
            "airflow_multicloud.core.cost.prices.workload": "Workload",
            "airflow_multicloud.core.database.checks": "TableCheck",
            "airflow_multicloud.core.database.promotions": "PromotedReplica",
            "airflow_multicloud.core.database.removals": "DatabaseRemoval RemovedDatabase",
            "airflow_multicloud.core.database.restores": "RestoredDatabase",
            "airflow_multicloud.core.database.retention": "SnapshotRetention",
            "airflow_multicloud.core.database.snapshot_removals": (
                "LeftSnapshot RemovedSnapshot SnapshotRemoval"
            ),
            "airflow_multicloud.core.database.snapshots": "TakenSnapshot",
            "airflow_multicloud.core.database.verification": (
                "CheckOutcome CheckResult DatabaseVerification"
            ),
            "airflow_multicloud.core.deliveries": "Delivery OnInvalid",
            "airflow_multicloud.core.drill.chain": "StoredRecord",
            "airflow_multicloud.core.drill.chain_reports": "EvidenceReport Flaw",
            "airflow_multicloud.core.drill.evidence": "Anchor Evidence",
            "airflow_multicloud.core.drill.faults": "Fault",
            "airflow_multicloud.core.drill.verdict": "Objectives Verdict",
            "airflow_multicloud.core.failover.local_names": "name_of_path",
            "airflow_multicloud.core.failover.policy": "FailoverPolicy",
            "airflow_multicloud.core.failover.provenance": (
                "FailoverError IncompleteFetchError Provenance TreeProvenance"
            ),
            "airflow_multicloud.core.logs.querying": "Completeness LogAnswer LogRow",
            "airflow_multicloud.core.logs.shipping": "ShipReport ShippingFailedError",
            "airflow_multicloud.opening.preflight": (
                "CloudProviderStatus LocationStatus check_connection check_location"
            ),
            "airflow_multicloud.core.metrics.checking": "CheckReport",
            "airflow_multicloud.core.metrics.report": "DestinationExport ExportReport",
            "airflow_multicloud.core.preflight.policies": "RenderedPolicy",
            "airflow_multicloud.core.preflight.report": "PreflightFailedError PreflightReport",
            "airflow_multicloud.core.replication.closing": "ReplicationFailedError",
            "airflow_multicloud.core.replication.history": "Run",
            "airflow_multicloud.core.replication.options": (
                "CompareAttributes ObjectFilter OnError ReplicationOptions"
            ),
            "airflow_multicloud.core.replication.plans": "Plan",
            "airflow_multicloud.core.replication.report": "ReplicationReport",
            "airflow_multicloud.core.replication.status": "ReplicaStatus",
            "airflow_multicloud.core.replication.verification": "Depth VerificationReport",
            "airflow_multicloud.core.rollout.deployment": "Deployment",
            "airflow_multicloud.core.rollout.drift": (
                "DriftReport ExpectedDeployment ExpectedTarget"
            ),
            "airflow_multicloud.core.rollout.health": "HealthCheck HealthCheckKind",
            "airflow_multicloud.core.rollout.outcomes": "MultiCloudDeploymentResult",
            "airflow_multicloud.core.rollout.policy": "RollbackScope RolloutPolicy Strategy",
            "airflow_multicloud.core.rollout.standing": "DeploymentsReport",
            "airflow_multicloud.core.rollout.targets": "Alternative Target",
            "airflow_multicloud.core.rollout.teardown_progress": "TeardownResult",
            "airflow_multicloud.core.secret_sync.options": "DeletionPolicy OnConflict",
            "airflow_multicloud.core.secret_sync.outcomes": "FindingKind SyncOutcome",
            "airflow_multicloud.core.secret_sync.report": (
                "SyncChange SyncFailedError SyncFinding SyncReport SyncedStore"
            ),
            "airflow_multicloud.ports.compute": "Network SizeNeed",
            "airflow_multicloud.ports.metrics": "MetricReading ReadPoint",
            "airflow_multicloud.ports.secrets": "Secret",
            "airflow_multicloud.core.upload": "PlannedUpload Uploaded",
            "airflow_multicloud.errors": (
                "CloudError CostAnalysisError CredentialsError DatabaseError DeploymentError "
                "ErrorKind LogsError MetricsError ProviderNotAvailableError "
                "ProviderNotInitializedError SecretsError StorageError"
            ),
        },
    )

__all__ = [
    "ECB_URL",
    "Alternative",
    "Anchor",
    "Budget",
    "BudgetPeriod",
    "BudgetState",
    "CheckOutcome",
    "CheckReport",
    "CheckResult",
    "CleanupReport",
    "CloudCostAnalyzer",
    "CloudError",
    "CloudMetricsAggregator",
    "CloudOperationResult",
    "CloudProviderStatus",
    "CompareAttributes",
    "Completeness",
    "CostAnalysisError",
    "CredentialsError",
    "DatabaseError",
    "DatabaseRemoval",
    "DatabaseVerification",
    "DeletionPolicy",
    "Delivery",
    "Deployment",
    "DeploymentError",
    "DeploymentProvider",
    "DeploymentsReport",
    "Depth",
    "Destination",
    "DestinationExport",
    "DriftReport",
    "DrillResult",
    "ErrorKind",
    "Evidence",
    "EvidenceReport",
    "ExpectedDeployment",
    "ExpectedTarget",
    "ExportReport",
    "FailoverError",
    "FailoverPolicy",
    "Fault",
    "FindingKind",
    "Flaw",
    "ForecastBound",
    "HealthCheck",
    "HealthCheckKind",
    "IncompleteFetchError",
    "Left",
    "LeftSnapshot",
    "Leftover",
    "LocationStatus",
    "LogAnswer",
    "LogQueryResult",
    "LogRow",
    "LogsError",
    "MetricReading",
    "MetricsError",
    "MultiCloudDeployer",
    "MultiCloudDeploymentResult",
    "MultiCloudPlan",
    "Network",
    "ObjectFilter",
    "Objectives",
    "OnConflict",
    "OnError",
    "OnInvalid",
    "Plan",
    "PlannedUpload",
    "PreflightFailedError",
    "PreflightReport",
    "PromotedReplica",
    "Provenance",
    "ProviderNotAvailableError",
    "ProviderNotInitializedError",
    "ProviderRegistry",
    "QueryFailedError",
    "ReachableReplicas",
    "ReadPoint",
    "RefreshedPrices",
    "RefreshedRates",
    "RemovedDatabase",
    "RemovedSnapshot",
    "RenderedPolicy",
    "ReplicaStatus",
    "ReplicationFailedError",
    "ReplicationOptions",
    "ReplicationReport",
    "RestoredDatabase",
    "RollbackScope",
    "RolloutPolicy",
    "Run",
    "Secret",
    "SecretsError",
    "ShipReport",
    "ShippingFailedError",
    "SizeNeed",
    "SnapshotRemoval",
    "SnapshotRetention",
    "StalePolicy",
    "StorageError",
    "StoredRecord",
    "Strategy",
    "SyncChange",
    "SyncFailedError",
    "SyncFinding",
    "SyncOutcome",
    "SyncReport",
    "SyncedStore",
    "TableCheck",
    "TakenSnapshot",
    "Target",
    "TeardownResult",
    "TreeProvenance",
    "UnifiedCloudStorage",
    "Uploaded",
    "Verdict",
    "VerificationReport",
    "Workload",
    "check_connection",
    "check_location",
    "check_metrics",
    "cleanup",
    "compare_costs",
    "deploy_multicloud",
    "deployment_drift",
    "describe_database",
    "estimate_transfer_cost",
    "export_metrics_to_cloud",
    "failover_fetch",
    "initialize_providers",
    "list_deployments",
    "list_runs",
    "list_secrets",
    "make_bucket",
    "name_of_path",
    "plan_multicloud",
    "plan_replication",
    "plan_rollback",
    "plan_upload",
    "power_database",
    "promote_replica",
    "query_costs",
    "query_logs",
    "reachable_replicas",
    "read_evidence",
    "read_metric",
    "read_prices",
    "read_recommendations",
    "recommendation_rows",
    "refresh_exchange_rates",
    "refresh_prices",
    "remove_database",
    "remove_scratch_databases",
    "remove_snapshot",
    "render_policy",
    "replica_status",
    "replicate",
    "replication",
    "restore_database",
    "roll_back_deployment",
    "run_drill",
    "run_preflight",
    "secret_drift",
    "ship_logs",
    "snapshot_database",
    "store_evidence",
    "sync_secrets",
    "tear_down_deployment",
    "upload_artifact",
    "verify_database",
    "verify_evidence",
    "verify_replica",
    "write_cost_report",
    "write_recommendations",
]
