"""Operators that ship records to the clouds' logs, and query them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.operators.logs.query import QueryLogsOperator
    from airflow_multicloud.operators.logs.ship import ShipLogsOperator
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.operators.logs.query": "QueryLogsOperator",
            "airflow_multicloud.operators.logs.ship": "ShipLogsOperator",
        },
    )

__all__ = ["QueryLogsOperator", "ShipLogsOperator"]
