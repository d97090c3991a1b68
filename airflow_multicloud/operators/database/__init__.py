"""Look after managed databases: snapshots, restores, verifications, promotions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.operators.database.power import (
        StartDatabaseOperator,
        StopDatabaseOperator,
    )
    from airflow_multicloud.operators.database.promote import PromoteReplicaOperator
    from airflow_multicloud.operators.database.remove import RemoveDatabaseOperator
    from airflow_multicloud.operators.database.remove_snapshot import RemoveSnapshotOperator
    from airflow_multicloud.operators.database.restore import RestoreDatabaseOperator
    from airflow_multicloud.operators.database.snapshot import SnapshotDatabaseOperator
    from airflow_multicloud.operators.database.status import DatabaseStatusOperator
    from airflow_multicloud.operators.database.verify import VerifyDatabaseOperator
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.operators.database.power": (
                "StartDatabaseOperator StopDatabaseOperator"
            ),
            "airflow_multicloud.operators.database.promote": "PromoteReplicaOperator",
            "airflow_multicloud.operators.database.remove": "RemoveDatabaseOperator",
            "airflow_multicloud.operators.database.remove_snapshot": "RemoveSnapshotOperator",
            "airflow_multicloud.operators.database.restore": "RestoreDatabaseOperator",
            "airflow_multicloud.operators.database.snapshot": "SnapshotDatabaseOperator",
            "airflow_multicloud.operators.database.status": "DatabaseStatusOperator",
            "airflow_multicloud.operators.database.verify": "VerifyDatabaseOperator",
        },
    )

__all__ = [
    "DatabaseStatusOperator",
    "PromoteReplicaOperator",
    "RemoveDatabaseOperator",
    "RemoveSnapshotOperator",
    "RestoreDatabaseOperator",
    "SnapshotDatabaseOperator",
    "StartDatabaseOperator",
    "StopDatabaseOperator",
    "VerifyDatabaseOperator",
]
