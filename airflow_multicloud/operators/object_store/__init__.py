"""Operators that replicate, prove, fetch and upload objects."""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
    __name__,
    {
        "airflow_multicloud.operators.object_store.fetch": "FailoverFetchOperator",
        "airflow_multicloud.operators.object_store.replicate": "ReplicateOperator",
        "airflow_multicloud.operators.object_store.sharded": (
            "CloseReplicationOperator PlanReplicationOperator ReplicateShardOperator "
            "sharded_replication"
        ),
        "airflow_multicloud.operators.object_store.upload": "UploadArtifactOperator",
        "airflow_multicloud.operators.object_store.verify": "VerifyReplicaOperator",
    },
)
