"""Wait for databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.sensors.database.replica_lag import DatabaseReplicaLagSensor
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.sensors.database.replica_lag": "DatabaseReplicaLagSensor",
        },
    )

__all__ = [
    "DatabaseReplicaLagSensor",
]
