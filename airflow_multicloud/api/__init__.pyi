# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.api.compute.deployer import DeploymentProvider as DeploymentProvider
from airflow_multicloud.api.compute.deployer import MultiCloudDeployer as MultiCloudDeployer
from airflow_multicloud.api.compute.deployments import deployment_drift as deployment_drift
from airflow_multicloud.api.compute.deployments import list_deployments as list_deployments
from airflow_multicloud.api.compute.deployments import tear_down_deployment as tear_down_deployment
from airflow_multicloud.api.compute.rollouts import MultiCloudPlan as MultiCloudPlan
from airflow_multicloud.api.compute.rollouts import deploy_multicloud as deploy_multicloud
from airflow_multicloud.api.compute.rollouts import plan_multicloud as plan_multicloud
from airflow_multicloud.api.compute.rollouts import plan_rollback as plan_rollback
from airflow_multicloud.api.compute.rollouts import roll_back_deployment as roll_back_deployment
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
from airflow_multicloud.api.database.instances import describe_database as describe_database
from airflow_multicloud.api.database.instances import power_database as power_database
from airflow_multicloud.api.database.instances import promote_replica as promote_replica
from airflow_multicloud.api.database.orders import remove_database as remove_database
from airflow_multicloud.api.database.orders import (
    remove_scratch_databases as remove_scratch_databases,
)
from airflow_multicloud.api.database.orders import restore_database as restore_database
from airflow_multicloud.api.database.snapshots import remove_snapshot as remove_snapshot
from airflow_multicloud.api.database.snapshots import snapshot_database as snapshot_database
from airflow_multicloud.api.database.verification import verify_database as verify_database
from airflow_multicloud.api.drill import DrillResult as DrillResult
from airflow_multicloud.api.drill import run_drill as run_drill
from airflow_multicloud.api.evidence import evidence_trend as evidence_trend
from airflow_multicloud.api.evidence import read_evidence as read_evidence
from airflow_multicloud.api.evidence import store_evidence as store_evidence
from airflow_multicloud.api.evidence import verify_evidence as verify_evidence
from airflow_multicloud.api.logs import LogQueryResult as LogQueryResult
from airflow_multicloud.api.logs import QueryFailedError as QueryFailedError
from airflow_multicloud.api.logs import query_logs as query_logs
from airflow_multicloud.api.logs import ship_logs as ship_logs
from airflow_multicloud.api.metrics.aggregator import (
    CloudMetricsAggregator as CloudMetricsAggregator,
)
from airflow_multicloud.api.metrics.exports import check_metrics as check_metrics
from airflow_multicloud.api.metrics.exports import (
    export_metrics_to_cloud as export_metrics_to_cloud,
)
from airflow_multicloud.api.metrics.exports import read_metric as read_metric
from airflow_multicloud.api.object_store.buckets import make_bucket as make_bucket
from airflow_multicloud.api.object_store.cleanups import cleanup as cleanup
from airflow_multicloud.api.object_store.destinations import Destination as Destination
from airflow_multicloud.api.object_store.fetches import failover_fetch as failover_fetch
from airflow_multicloud.api.object_store.history import list_runs as list_runs
from airflow_multicloud.api.object_store.history import replica_status as replica_status
from airflow_multicloud.api.object_store.reachability import ReachableReplicas as ReachableReplicas
from airflow_multicloud.api.object_store.reachability import (
    reachable_replicas as reachable_replicas,
)
from airflow_multicloud.api.object_store.replicas import plan_replication as plan_replication
from airflow_multicloud.api.object_store.replicas import replicate as replicate
from airflow_multicloud.api.object_store.replicas import replication as replication
from airflow_multicloud.api.object_store.replicas import verify_replica as verify_replica
from airflow_multicloud.api.object_store.unified import UnifiedCloudStorage as UnifiedCloudStorage
from airflow_multicloud.api.object_store.uploads import CloudOperationResult as CloudOperationResult
from airflow_multicloud.api.object_store.uploads import plan_upload as plan_upload
from airflow_multicloud.api.object_store.uploads import upload_artifact as upload_artifact
from airflow_multicloud.api.preflight import render_policy as render_policy
from airflow_multicloud.api.preflight import run_preflight as run_preflight
from airflow_multicloud.api.providers import ProviderRegistry as ProviderRegistry
from airflow_multicloud.api.providers import initialize_providers as initialize_providers
from airflow_multicloud.api.secrets import list_secrets as list_secrets
from airflow_multicloud.api.secrets import secret_drift as secret_drift
from airflow_multicloud.api.secrets import sync_secrets as sync_secrets
from airflow_multicloud.core.cleanup import CleanupReport as CleanupReport
from airflow_multicloud.core.cleanup import Left as Left
from airflow_multicloud.core.cleanup import Leftover as Leftover
from airflow_multicloud.core.cost.budget import Budget as Budget
from airflow_multicloud.core.cost.budget import BudgetPeriod as BudgetPeriod
from airflow_multicloud.core.cost.budget import BudgetState as BudgetState
from airflow_multicloud.core.cost.budget import ForecastBound as ForecastBound
from airflow_multicloud.core.cost.budget import StalePolicy as StalePolicy
from airflow_multicloud.core.cost.prices.workload import Workload as Workload
from airflow_multicloud.core.database.checks import TableCheck as TableCheck
from airflow_multicloud.core.database.promotions import PromotedReplica as PromotedReplica
from airflow_multicloud.core.database.removals import DatabaseRemoval as DatabaseRemoval
from airflow_multicloud.core.database.removals import RemovedDatabase as RemovedDatabase
from airflow_multicloud.core.database.restores import RestoredDatabase as RestoredDatabase
from airflow_multicloud.core.database.retention import SnapshotRetention as SnapshotRetention
from airflow_multicloud.core.database.snapshot_removals import LeftSnapshot as LeftSnapshot
from airflow_multicloud.core.database.snapshot_removals import RemovedSnapshot as RemovedSnapshot
from airflow_multicloud.core.database.snapshot_removals import SnapshotRemoval as SnapshotRemoval
from airflow_multicloud.core.database.snapshots import TakenSnapshot as TakenSnapshot
from airflow_multicloud.core.database.verification import CheckOutcome as CheckOutcome
from airflow_multicloud.core.database.verification import CheckResult as CheckResult
from airflow_multicloud.core.database.verification import (
    DatabaseVerification as DatabaseVerification,
)
from airflow_multicloud.core.deliveries import Delivery as Delivery
from airflow_multicloud.core.deliveries import OnInvalid as OnInvalid
from airflow_multicloud.core.drill.chain import StoredRecord as StoredRecord
from airflow_multicloud.core.drill.chain_reports import EvidenceReport as EvidenceReport
from airflow_multicloud.core.drill.chain_reports import Flaw as Flaw
from airflow_multicloud.core.drill.evidence import Anchor as Anchor
from airflow_multicloud.core.drill.evidence import Evidence as Evidence
from airflow_multicloud.core.drill.faults import Fault as Fault
from airflow_multicloud.core.drill.history import Earlier as Earlier
from airflow_multicloud.core.drill.history import Past as Past
from airflow_multicloud.core.drill.objectives import Objectives as Objectives
from airflow_multicloud.core.drill.trend import Trend as Trend
from airflow_multicloud.core.drill.verdict import Verdict as Verdict
from airflow_multicloud.core.failover.local_names import name_of_path as name_of_path
from airflow_multicloud.core.failover.policy import FailoverPolicy as FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError as FailoverError
from airflow_multicloud.core.failover.provenance import IncompleteFetchError as IncompleteFetchError
from airflow_multicloud.core.failover.provenance import Provenance as Provenance
from airflow_multicloud.core.failover.provenance import TreeProvenance as TreeProvenance
from airflow_multicloud.core.logs.querying import Completeness as Completeness
from airflow_multicloud.core.logs.querying import LogAnswer as LogAnswer
from airflow_multicloud.core.logs.querying import LogRow as LogRow
from airflow_multicloud.core.logs.shipping import ShippingFailedError as ShippingFailedError
from airflow_multicloud.core.logs.shipping import ShipReport as ShipReport
from airflow_multicloud.core.metrics.checking import CheckReport as CheckReport
from airflow_multicloud.core.metrics.report import DestinationExport as DestinationExport
from airflow_multicloud.core.metrics.report import ExportReport as ExportReport
from airflow_multicloud.core.preflight.policies import RenderedPolicy as RenderedPolicy
from airflow_multicloud.core.preflight.report import PreflightFailedError as PreflightFailedError
from airflow_multicloud.core.preflight.report import PreflightReport as PreflightReport
from airflow_multicloud.core.replication.closing import (
    ReplicationFailedError as ReplicationFailedError,
)
from airflow_multicloud.core.replication.history import Run as Run
from airflow_multicloud.core.replication.options import CompareAttributes as CompareAttributes
from airflow_multicloud.core.replication.options import ContentDigest as ContentDigest
from airflow_multicloud.core.replication.options import ObjectFilter as ObjectFilter
from airflow_multicloud.core.replication.options import OnError as OnError
from airflow_multicloud.core.replication.options import ReplicationOptions as ReplicationOptions
from airflow_multicloud.core.replication.plans import Plan as Plan
from airflow_multicloud.core.replication.report import ReplicationReport as ReplicationReport
from airflow_multicloud.core.replication.status import ReplicaStatus as ReplicaStatus
from airflow_multicloud.core.replication.verification import Depth as Depth
from airflow_multicloud.core.replication.verification import (
    VerificationReport as VerificationReport,
)
from airflow_multicloud.core.rollout.deployment import Deployment as Deployment
from airflow_multicloud.core.rollout.drift import DriftReport as DriftReport
from airflow_multicloud.core.rollout.drift import ExpectedDeployment as ExpectedDeployment
from airflow_multicloud.core.rollout.drift import ExpectedTarget as ExpectedTarget
from airflow_multicloud.core.rollout.health import HealthCheck as HealthCheck
from airflow_multicloud.core.rollout.health import HealthCheckKind as HealthCheckKind
from airflow_multicloud.core.rollout.outcomes import (
    MultiCloudDeploymentResult as MultiCloudDeploymentResult,
)
from airflow_multicloud.core.rollout.policy import RollbackScope as RollbackScope
from airflow_multicloud.core.rollout.policy import RolloutPolicy as RolloutPolicy
from airflow_multicloud.core.rollout.policy import Strategy as Strategy
from airflow_multicloud.core.rollout.standing import DeploymentsReport as DeploymentsReport
from airflow_multicloud.core.rollout.targets import Alternative as Alternative
from airflow_multicloud.core.rollout.targets import Target as Target
from airflow_multicloud.core.rollout.teardown_progress import TeardownResult as TeardownResult
from airflow_multicloud.core.secret_sync.options import DeletionPolicy as DeletionPolicy
from airflow_multicloud.core.secret_sync.options import OnConflict as OnConflict
from airflow_multicloud.core.secret_sync.outcomes import FindingKind as FindingKind
from airflow_multicloud.core.secret_sync.outcomes import SyncOutcome as SyncOutcome
from airflow_multicloud.core.secret_sync.report import SyncChange as SyncChange
from airflow_multicloud.core.secret_sync.report import SyncedStore as SyncedStore
from airflow_multicloud.core.secret_sync.report import SyncFailedError as SyncFailedError
from airflow_multicloud.core.secret_sync.report import SyncFinding as SyncFinding
from airflow_multicloud.core.secret_sync.report import SyncReport as SyncReport
from airflow_multicloud.core.upload import PlannedUpload as PlannedUpload
from airflow_multicloud.core.upload import Uploaded as Uploaded
from airflow_multicloud.errors import CloudError as CloudError
from airflow_multicloud.errors import CostAnalysisError as CostAnalysisError
from airflow_multicloud.errors import CredentialsError as CredentialsError
from airflow_multicloud.errors import DatabaseError as DatabaseError
from airflow_multicloud.errors import DeploymentError as DeploymentError
from airflow_multicloud.errors import ErrorKind as ErrorKind
from airflow_multicloud.errors import LogsError as LogsError
from airflow_multicloud.errors import MetricsError as MetricsError
from airflow_multicloud.errors import ProviderNotAvailableError as ProviderNotAvailableError
from airflow_multicloud.errors import ProviderNotInitializedError as ProviderNotInitializedError
from airflow_multicloud.errors import SecretsError as SecretsError
from airflow_multicloud.errors import StorageError as StorageError
from airflow_multicloud.opening.preflight import CloudProviderStatus as CloudProviderStatus
from airflow_multicloud.opening.preflight import LocationStatus as LocationStatus
from airflow_multicloud.opening.preflight import check_connection as check_connection
from airflow_multicloud.opening.preflight import check_location as check_location
from airflow_multicloud.ports.compute import Network as Network
from airflow_multicloud.ports.compute import SizeNeed as SizeNeed
from airflow_multicloud.ports.metrics import MetricReading as MetricReading
from airflow_multicloud.ports.metrics import ReadPoint as ReadPoint
from airflow_multicloud.ports.secrets import Secret as Secret
