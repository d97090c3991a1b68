"""Wait until secrets are equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.sensors.secrets.drift import SecretDriftSensor
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.sensors.secrets.drift": "SecretDriftSensor",
        },
    )

__all__ = [
    "SecretDriftSensor",
]
