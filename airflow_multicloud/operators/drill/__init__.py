"""The steps of a disaster-recovery drill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.lazy import lazy_face

if TYPE_CHECKING:
    from airflow_multicloud.operators.drill.canary import WriteCanaryOperator
    from airflow_multicloud.operators.drill.recover import FailoverDrillOperator
    from airflow_multicloud.operators.drill.report import DrillReportOperator
else:
    __getattr__, __dir__ = lazy_face(
        __name__,
        {
            "airflow_multicloud.operators.drill.canary": "WriteCanaryOperator",
            "airflow_multicloud.operators.drill.recover": "FailoverDrillOperator",
            "airflow_multicloud.operators.drill.report": "DrillReportOperator",
        },
    )

__all__ = [
    "DrillReportOperator",
    "FailoverDrillOperator",
    "WriteCanaryOperator",
]
