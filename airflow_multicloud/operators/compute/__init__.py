"""Operators of virtual machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.operators.compute.power import (
        StartInstanceOperator,
        StopInstanceOperator,
    )
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.operators.compute.power": (
                "StartInstanceOperator StopInstanceOperator"
            ),
        },
    )

__all__ = ["StartInstanceOperator", "StopInstanceOperator"]
