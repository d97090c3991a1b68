"""Look after managed databases: snapshots, restores, verifications, promotions."""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
    __name__,
    {
        "airflow_multicloud.operators.database.power": "StartDatabaseOperator StopDatabaseOperator",
        "airflow_multicloud.operators.database.promote": "PromoteReplicaOperator",
        "airflow_multicloud.operators.database.remove": "RemoveDatabaseOperator",
        "airflow_multicloud.operators.database.remove_snapshot": "RemoveSnapshotOperator",
        "airflow_multicloud.operators.database.restore": "RestoreDatabaseOperator",
        "airflow_multicloud.operators.database.snapshot": "SnapshotDatabaseOperator",
        "airflow_multicloud.operators.database.status": "DatabaseStatusOperator",
        "airflow_multicloud.operators.database.verify": "VerifyDatabaseOperator",
    },
)
