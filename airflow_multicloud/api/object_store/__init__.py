"""Replicate, prove, fetch, upload and clean up objects, in plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
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
    from airflow_multicloud.core.cleanup import CleanupReport, Left, Leftover
    from airflow_multicloud.core.failover.local_names import name_of_path
    from airflow_multicloud.core.failover.policy import FailoverPolicy
    from airflow_multicloud.core.failover.provenance import (
        FailoverError,
        IncompleteFetchError,
        Provenance,
        TreeProvenance,
    )
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
    from airflow_multicloud.core.upload import PlannedUpload, Uploaded
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
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
            "airflow_multicloud.core.cleanup": "CleanupReport Left Leftover",
            "airflow_multicloud.core.failover.local_names": "name_of_path",
            "airflow_multicloud.core.failover.policy": "FailoverPolicy",
            "airflow_multicloud.core.failover.provenance": (
                "FailoverError IncompleteFetchError Provenance TreeProvenance"
            ),
            "airflow_multicloud.core.replication.closing": "ReplicationFailedError",
            "airflow_multicloud.core.replication.history": "Run",
            "airflow_multicloud.core.replication.options": (
                "CompareAttributes ObjectFilter OnError ReplicationOptions"
            ),
            "airflow_multicloud.core.replication.plans": "Plan",
            "airflow_multicloud.core.replication.report": "ReplicationReport",
            "airflow_multicloud.core.replication.status": "ReplicaStatus",
            "airflow_multicloud.core.replication.verification": "Depth VerificationReport",
            "airflow_multicloud.core.upload": "PlannedUpload Uploaded",
        },
    )

__all__ = [
    "CleanupReport",
    "CloudOperationResult",
    "CompareAttributes",
    "Depth",
    "Destination",
    "FailoverError",
    "FailoverPolicy",
    "IncompleteFetchError",
    "Left",
    "Leftover",
    "ObjectFilter",
    "OnError",
    "Plan",
    "PlannedUpload",
    "Provenance",
    "ReachableReplicas",
    "ReplicaStatus",
    "ReplicationFailedError",
    "ReplicationOptions",
    "ReplicationReport",
    "Run",
    "TreeProvenance",
    "UnifiedCloudStorage",
    "Uploaded",
    "VerificationReport",
    "cleanup",
    "failover_fetch",
    "list_runs",
    "make_bucket",
    "name_of_path",
    "plan_replication",
    "plan_upload",
    "reachable_replicas",
    "replica_status",
    "replicate",
    "replication",
    "upload_artifact",
    "verify_replica",
]
