"""Wait for deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.sensors.compute.deployment_health import DeploymentHealthSensor
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.sensors.compute.deployment_health": "DeploymentHealthSensor",
        },
    )

__all__ = [
    "DeploymentHealthSensor",
]
