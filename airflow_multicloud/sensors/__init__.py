"""Sensors: wait for what another system has to do first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.sensors.compute.deployment_health import DeploymentHealthSensor
    from airflow_multicloud.sensors.cost.export import CostExportSensor
    from airflow_multicloud.sensors.database.replica_lag import DatabaseReplicaLagSensor
    from airflow_multicloud.sensors.object_store.replica_fresh import ReplicaFreshSensor
    from airflow_multicloud.sensors.secrets.drift import SecretDriftSensor
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.sensors.compute.deployment_health": "DeploymentHealthSensor",
            "airflow_multicloud.sensors.cost.export": "CostExportSensor",
            "airflow_multicloud.sensors.database.replica_lag": "DatabaseReplicaLagSensor",
            "airflow_multicloud.sensors.object_store.replica_fresh": "ReplicaFreshSensor",
            "airflow_multicloud.sensors.secrets.drift": "SecretDriftSensor",
        },
    )

__all__ = [
    "CostExportSensor",
    "DatabaseReplicaLagSensor",
    "DeploymentHealthSensor",
    "ReplicaFreshSensor",
    "SecretDriftSensor",
]
