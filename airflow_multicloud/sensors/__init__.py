"""Sensors: wait for what another system has to do first."""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
    __name__,
    {
        "airflow_multicloud.sensors.compute.deployment_health": "DeploymentHealthSensor",
        "airflow_multicloud.sensors.cost.export": "CostExportSensor",
        "airflow_multicloud.sensors.database.replica_lag": "DatabaseReplicaLagSensor",
        "airflow_multicloud.sensors.object_store.replica_fresh": "ReplicaFreshSensor",
        "airflow_multicloud.sensors.secrets.drift": "SecretDriftSensor",
    },
)
