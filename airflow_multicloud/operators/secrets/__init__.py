"""Operators that keep secrets equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.operators.secrets.sync import SyncSecretsOperator
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.operators.secrets.sync": "SyncSecretsOperator",
        },
    )

__all__ = ["SyncSecretsOperator"]
