"""Wait until secrets are equal."""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
    __name__,
    {
        "airflow_multicloud.sensors.secrets.drift": "SecretDriftSensor",
    },
)
