"""Look after managed databases in plain Python: snapshots, restores, verifications, promotions."""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
    __name__,
    {
        "airflow_multicloud.api.database.instances": (
            "describe_database power_database promote_replica"
        ),
        "airflow_multicloud.api.database.orders": (
            "remove_database remove_scratch_databases restore_database"
        ),
        "airflow_multicloud.api.database.snapshots": "remove_snapshot snapshot_database",
        "airflow_multicloud.api.database.verification": "verify_database",
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
    },
)
