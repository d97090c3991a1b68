"""The same operations in plain Python, inside ``@task`` or outside of Airflow tasks.

Locations are URIs (``s3://conn_id@bucket/key``); connections are ordinary Airflow
connections, so ``AIRFLOW_CONN_…`` variables are enough where no Airflow runs.
"""

from __future__ import annotations

from airflow_multicloud.api.buckets import make_bucket
from airflow_multicloud.api.cleanups import cleanup
from airflow_multicloud.api.cost_files import (
    read_recommendations,
    recommendation_rows,
    write_cost_report,
    write_recommendations,
)
from airflow_multicloud.api.cost_values import budget_of, choice, workload_of
from airflow_multicloud.api.costs import CloudCostAnalyzer, compare_costs, query_costs
from airflow_multicloud.api.destinations import Destination
from airflow_multicloud.api.drills import (
    DrillResult,
    read_evidence,
    run_drill,
    store_evidence,
)
from airflow_multicloud.api.exchange_rates import ECB_URL, RefreshedRates, refresh_exchange_rates
from airflow_multicloud.api.fetches import failover_fetch, open_candidates
from airflow_multicloud.api.history import list_runs, replica_status
from airflow_multicloud.api.price_tables import RefreshedPrices, read_prices, refresh_prices
from airflow_multicloud.api.providers import ProviderRegistry, initialize_providers
from airflow_multicloud.api.replicas import (
    plan_replication,
    replicate,
    replication,
    verify_replica,
)
from airflow_multicloud.api.transfers import estimate_replication, estimate_transfer_cost
from airflow_multicloud.api.unified import UnifiedCloudStorage
from airflow_multicloud.api.uploads import CloudOperationResult, plan_upload, upload_artifact
from airflow_multicloud.core.cleanup import CleanupReport, Left, Leftover
from airflow_multicloud.core.cost.budget import BudgetState, ForecastBound, StalePolicy
from airflow_multicloud.core.drill.evidence import Evidence
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError, Provenance
from airflow_multicloud.core.failover.tree import TreeProvenance
from airflow_multicloud.core.replication.engine import ReplicationFailedError
from airflow_multicloud.core.replication.history import ReplicaStatus, Run
from airflow_multicloud.core.replication.options import (
    CompareAttributes,
    ObjectFilter,
    OnError,
    ReplicationOptions,
)
from airflow_multicloud.core.replication.plans import Plan
from airflow_multicloud.core.replication.report import ReplicationReport
from airflow_multicloud.core.replication.verification import Depth, VerificationReport
from airflow_multicloud.core.upload import PlannedUpload, Uploaded
from airflow_multicloud.opening.preflight import (
    CloudProviderStatus,
    LocationStatus,
    check_connection,
    check_location,
)

__all__ = [
    "ECB_URL",
    "BudgetState",
    "CleanupReport",
    "CloudCostAnalyzer",
    "CloudOperationResult",
    "CloudProviderStatus",
    "CompareAttributes",
    "Depth",
    "Destination",
    "DrillResult",
    "Evidence",
    "FailoverError",
    "FailoverPolicy",
    "ForecastBound",
    "Left",
    "Leftover",
    "LocationStatus",
    "ObjectFilter",
    "OnError",
    "Plan",
    "PlannedUpload",
    "Provenance",
    "ProviderRegistry",
    "RefreshedPrices",
    "RefreshedRates",
    "ReplicaStatus",
    "ReplicationFailedError",
    "ReplicationOptions",
    "ReplicationReport",
    "Run",
    "StalePolicy",
    "TreeProvenance",
    "UnifiedCloudStorage",
    "Uploaded",
    "VerificationReport",
    "budget_of",
    "check_connection",
    "check_location",
    "choice",
    "cleanup",
    "compare_costs",
    "estimate_replication",
    "estimate_transfer_cost",
    "failover_fetch",
    "initialize_providers",
    "list_runs",
    "make_bucket",
    "open_candidates",
    "plan_replication",
    "plan_upload",
    "query_costs",
    "read_evidence",
    "read_prices",
    "read_recommendations",
    "recommendation_rows",
    "refresh_exchange_rates",
    "refresh_prices",
    "replica_status",
    "replicate",
    "replication",
    "run_drill",
    "store_evidence",
    "upload_artifact",
    "verify_replica",
    "workload_of",
    "write_cost_report",
    "write_recommendations",
]
