"""The steps of a disaster-recovery drill."""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
    __name__,
    {
        "airflow_multicloud.operators.drill.canary": "WriteCanaryOperator",
        "airflow_multicloud.operators.drill.recover": "FailoverDrillOperator",
        "airflow_multicloud.operators.drill.report": "DrillReportOperator",
    },
)
