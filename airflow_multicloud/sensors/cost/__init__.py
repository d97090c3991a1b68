"""Wait for bills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.sensors.cost.export import CostExportSensor
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.sensors.cost.export": "CostExportSensor",
        },
    )

__all__ = [
    "CostExportSensor",
]
