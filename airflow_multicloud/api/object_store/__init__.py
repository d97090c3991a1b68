"""Replicate, prove, fetch, upload and clean up objects, in plain Python."""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
    __name__,
    {
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
        "airflow_multicloud.core.cleanup": "CleanupReport Left Leftover",
        "airflow_multicloud.core.failover.local_names": "name_of_path",
        "airflow_multicloud.core.failover.policy": "FailoverPolicy",
        "airflow_multicloud.core.failover.provenance": (
            "FailoverError IncompleteFetchError Provenance TreeProvenance"
        ),
        "airflow_multicloud.core.replication.closing": "ReplicationFailedError",
        "airflow_multicloud.core.replication.history": "Run",
        "airflow_multicloud.core.replication.options": (
            "CompareAttributes ContentDigest ObjectFilter OnError ReplicationOptions"
        ),
        "airflow_multicloud.core.replication.plans": "Plan",
        "airflow_multicloud.core.replication.report": "ReplicationReport",
        "airflow_multicloud.core.replication.status": "ReplicaStatus",
        "airflow_multicloud.core.replication.verification": "Depth VerificationReport",
        "airflow_multicloud.core.upload": "PlannedUpload Uploaded",
    },
)
