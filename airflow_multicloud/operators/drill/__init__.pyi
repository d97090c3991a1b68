# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.operators.drill.canary import WriteCanaryOperator as WriteCanaryOperator
from airflow_multicloud.operators.drill.canary_secret import (
    CheckCanarySecretOperator as CheckCanarySecretOperator,
)
from airflow_multicloud.operators.drill.canary_secret import (
    WriteCanarySecretOperator as WriteCanarySecretOperator,
)
from airflow_multicloud.operators.drill.deadline import drill_deadline as drill_deadline
from airflow_multicloud.operators.drill.deadline import (
    drill_deadline_seconds as drill_deadline_seconds,
)
from airflow_multicloud.operators.drill.deploy import DrillDeployOperator as DrillDeployOperator
from airflow_multicloud.operators.drill.deploy import drilled_places as drilled_places
from airflow_multicloud.operators.drill.figures import drill_figures as drill_figures
from airflow_multicloud.operators.drill.group import DrillAssets as DrillAssets
from airflow_multicloud.operators.drill.group import DrillGroup as DrillGroup
from airflow_multicloud.operators.drill.group import drill_task_group as drill_task_group
from airflow_multicloud.operators.drill.judge import JudgeDrillOperator as JudgeDrillOperator
from airflow_multicloud.operators.drill.recover import (
    FailoverDrillOperator as FailoverDrillOperator,
)
from airflow_multicloud.operators.drill.report import DrillReportOperator as DrillReportOperator
from airflow_multicloud.operators.drill.steps import DrillTasks as DrillTasks
from airflow_multicloud.operators.drill.whole import DrillOperator as DrillOperator
