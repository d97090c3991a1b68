"""The same operations in plain Python, inside ``@task`` or outside of Airflow tasks.

Locations are URIs (``s3://conn_id@bucket/key``); connections are ordinary Airflow
connections, so ``AIRFLOW_CONN_…`` variables are enough where no Airflow runs. A name is imported
when it is first used.
"""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
    __name__,
    {
        "airflow_multicloud.api.compute.deployer": "DeploymentProvider MultiCloudDeployer",
        "airflow_multicloud.api.compute.deployments": (
            "deployment_drift list_deployments tear_down_deployment"
        ),
        "airflow_multicloud.api.compute.rollouts": (
            "MultiCloudPlan deploy_multicloud plan_multicloud plan_rollback roll_back_deployment"
        ),
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
        "airflow_multicloud.api.database.instances": (
            "describe_database power_database promote_replica"
        ),
        "airflow_multicloud.api.database.orders": (
            "remove_database remove_scratch_databases restore_database"
        ),
        "airflow_multicloud.api.database.snapshots": "remove_snapshot snapshot_database",
        "airflow_multicloud.api.database.verification": "verify_database",
        "airflow_multicloud.api.drill": "DrillResult run_drill",
        "airflow_multicloud.api.evidence": (
            "evidence_trend read_evidence store_evidence verify_evidence"
        ),
        "airflow_multicloud.api.logs": "LogQueryResult QueryFailedError query_logs ship_logs",
        "airflow_multicloud.api.metrics.aggregator": "CloudMetricsAggregator",
        "airflow_multicloud.api.metrics.exports": (
            "check_metrics export_metrics_to_cloud read_metric"
        ),
        "airflow_multicloud.api.object_store.buckets": "make_bucket",
        "airflow_multicloud.api.object_store.cleanups": "cleanup",
        "airflow_multicloud.api.object_store.destinations": "Destination",
        "airflow_multicloud.api.object_store.fetches": "failover_fetch",
        "airflow_multicloud.api.object_store.history": "list_runs replica_status",
        "airflow_multicloud.api.object_store.reachability": "ReachableReplicas reachable_replicas",
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
        "airflow_multicloud.core.drill.history": "Earlier Past",
        "airflow_multicloud.core.drill.objectives": "Objectives",
        "airflow_multicloud.core.drill.trend": "Trend",
        "airflow_multicloud.core.drill.verdict": "Verdict",
        "airflow_multicloud.core.failover.local_names": "name_of_path",
        "airflow_multicloud.core.failover.policy": "FailoverPolicy",
        "airflow_multicloud.core.failover.provenance": (
            "FailoverError IncompleteFetchError Provenance TreeProvenance"
        ),
        "airflow_multicloud.core.logs.querying": "Completeness LogAnswer LogRow",
        "airflow_multicloud.core.logs.shipping": "ShipReport ShippingFailedError",
        "airflow_multicloud.core.metrics.checking": "CheckReport",
        "airflow_multicloud.core.metrics.report": "DestinationExport ExportReport",
        "airflow_multicloud.core.preflight.policies": "RenderedPolicy",
        "airflow_multicloud.core.preflight.report": "PreflightFailedError PreflightReport",
        "airflow_multicloud.core.replication.closing": "ReplicationFailedError",
        "airflow_multicloud.core.replication.history": "Run",
        "airflow_multicloud.core.replication.options": (
            "CompareAttributes ContentDigest ObjectFilter OnError ReplicationOptions"
        ),
        "airflow_multicloud.core.replication.plans": "Plan",
        "airflow_multicloud.core.replication.report": "ReplicationReport",
        "airflow_multicloud.core.replication.status": "ReplicaStatus",
        "airflow_multicloud.core.replication.verification": "Depth VerificationReport",
        "airflow_multicloud.core.rollout.deployment": "Deployment",
        "airflow_multicloud.core.rollout.drift": "DriftReport ExpectedDeployment ExpectedTarget",
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
        "airflow_multicloud.core.upload": "PlannedUpload Uploaded",
        "airflow_multicloud.errors": (
            "CloudError CostAnalysisError CredentialsError DatabaseError DeploymentError "
            "ErrorKind LogsError MetricsError ProviderNotAvailableError "
            "ProviderNotInitializedError SecretsError StorageError"
        ),
        "airflow_multicloud.opening.preflight": (
            "CloudProviderStatus LocationStatus check_connection check_location"
        ),
        "airflow_multicloud.ports.compute": "Network SizeNeed",
        "airflow_multicloud.ports.metrics": "MetricReading ReadPoint",
        "airflow_multicloud.ports.secrets": "Secret",
    },
)
