"""A disaster-recovery drill, in one task or in steps."""

from __future__ import annotations

from airflow_multicloud.lazy import lazy_face

__getattr__, __dir__, __all__ = lazy_face(
    __name__,
    {
        "airflow_multicloud.operators.drill.canary": "WriteCanaryOperator",
        "airflow_multicloud.operators.drill.canary_secret": (
            "CheckCanarySecretOperator WriteCanarySecretOperator"
        ),
        "airflow_multicloud.operators.drill.deadline": "drill_deadline drill_deadline_seconds",
        "airflow_multicloud.operators.drill.deploy": "DrillDeployOperator drilled_places",
        "airflow_multicloud.operators.drill.figures": "drill_figures",
        "airflow_multicloud.operators.drill.group": "DrillAssets DrillGroup drill_task_group",
        "airflow_multicloud.operators.drill.judge": "JudgeDrillOperator",
        "airflow_multicloud.operators.drill.recover": "FailoverDrillOperator",
        "airflow_multicloud.operators.drill.report": "DrillReportOperator",
        "airflow_multicloud.operators.drill.steps": "DrillTasks",
        "airflow_multicloud.operators.drill.whole": "DrillOperator",
    },
)
