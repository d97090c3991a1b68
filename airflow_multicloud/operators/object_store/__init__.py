"""Operators that replicate, prove, fetch and upload objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.operators.object_store.fetch import FailoverFetchOperator
    from airflow_multicloud.operators.object_store.replicate import ReplicateOperator
    from airflow_multicloud.operators.object_store.sharded import (
        CloseReplicationOperator,
        PlanReplicationOperator,
        ReplicateShardOperator,
        sharded_replication,
    )
    from airflow_multicloud.operators.object_store.upload import UploadArtifactOperator
    from airflow_multicloud.operators.object_store.verify import VerifyReplicaOperator
else:
    __getattr__, __dir__ = lazy_face(
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

__all__ = [
    "CloseReplicationOperator",
    "FailoverFetchOperator",
    "PlanReplicationOperator",
    "ReplicateOperator",
    "ReplicateShardOperator",
    "UploadArtifactOperator",
    "VerifyReplicaOperator",
    "sharded_replication",
]
