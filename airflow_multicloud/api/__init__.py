"""The same operations in plain Python, inside ``@task`` or outside of Airflow tasks.

Locations are URIs (``s3://conn_id@bucket/key``); connections are ordinary Airflow
connections, so ``AIRFLOW_CONN_…`` variables are enough where no Airflow runs.
"""

from __future__ import annotations

from airflow_multicloud.api.cost_files import (
    read_recommendations,
    recommendation_rows,
    write_cost_report,
    write_recommendations,
)
from airflow_multicloud.api.cost_values import budget_of, choice, workload_of
from airflow_multicloud.api.costs import CloudCostAnalyzer, compare_costs, query_costs
from airflow_multicloud.api.destinations import Destination
from airflow_multicloud.api.fetches import failover_fetch, open_candidates
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
from airflow_multicloud.core.cost.budget import ForecastBound, StalePolicy
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError, Provenance
from airflow_multicloud.core.failover.tree import TreeProvenance
from airflow_multicloud.core.preflight import (
    CloudProviderStatus,
    LocationStatus,
    check_connection,
    check_location,
)
from airflow_multicloud.core.replication.engine import ReplicationFailedError
from airflow_multicloud.core.replication.options import (
    CompareAttributes,
    ObjectFilter,
    OnError,
    ReplicationOptions,
)
from airflow_multicloud.core.replication.planning import Plan
from airflow_multicloud.core.replication.report import ReplicationReport
from airflow_multicloud.core.replication.verification import Depth, VerificationReport
from airflow_multicloud.core.upload import PlannedUpload, Uploaded

__all__ = [
    "CloudCostAnalyzer",
    "CloudOperationResult",
    "CloudProviderStatus",
    "CompareAttributes",
    "Depth",
    "Destination",
    "FailoverError",
    "FailoverPolicy",
    "ForecastBound",
    "LocationStatus",
    "ObjectFilter",
    "OnError",
    "Plan",
    "PlannedUpload",
    "Provenance",
    "ProviderRegistry",
    "ReplicationFailedError",
    "ReplicationOptions",
    "ReplicationReport",
    "StalePolicy",
    "TreeProvenance",
    "UnifiedCloudStorage",
    "Uploaded",
    "VerificationReport",
    "budget_of",
    "check_connection",
    "check_location",
    "choice",
    "compare_costs",
    "estimate_replication",
    "estimate_transfer_cost",
    "failover_fetch",
    "initialize_providers",
    "open_candidates",
    "plan_replication",
    "plan_upload",
    "query_costs",
    "read_recommendations",
    "recommendation_rows",
    "replicate",
    "replication",
    "upload_artifact",
    "verify_replica",
    "workload_of",
    "write_cost_report",
    "write_recommendations",
]
