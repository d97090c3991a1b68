"""Look after managed databases in plain Python: snapshots, restores, verifications, promotions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.api.database.instances import (
        describe_database,
        power_database,
        promote_replica,
    )
    from airflow_multicloud.api.database.orders import (
        remove_database,
        remove_scratch_databases,
        restore_database,
    )
    from airflow_multicloud.api.database.snapshots import remove_snapshot, snapshot_database
    from airflow_multicloud.api.database.verification import verify_database
    from airflow_multicloud.core.database.checks import TableCheck
    from airflow_multicloud.core.database.promotions import PromotedReplica
    from airflow_multicloud.core.database.removals import DatabaseRemoval, RemovedDatabase
    from airflow_multicloud.core.database.restores import RestoredDatabase
    from airflow_multicloud.core.database.retention import SnapshotRetention
    from airflow_multicloud.core.database.snapshot_removals import (
        LeftSnapshot,
        RemovedSnapshot,
        SnapshotRemoval,
    )
    from airflow_multicloud.core.database.snapshots import TakenSnapshot
    from airflow_multicloud.core.database.verification import (
        CheckOutcome,
        CheckResult,
        DatabaseVerification,
    )
else:
    __getattr__, __dir__ = lazy_face(
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

__all__ = [
    "CheckOutcome",
    "CheckResult",
    "DatabaseRemoval",
    "DatabaseVerification",
    "LeftSnapshot",
    "PromotedReplica",
    "RemovedDatabase",
    "RemovedSnapshot",
    "RestoredDatabase",
    "SnapshotRemoval",
    "SnapshotRetention",
    "TableCheck",
    "TakenSnapshot",
    "describe_database",
    "power_database",
    "promote_replica",
    "remove_database",
    "remove_scratch_databases",
    "remove_snapshot",
    "restore_database",
    "snapshot_database",
    "verify_database",
]
