# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.operators.drill.canary import WriteCanaryOperator as WriteCanaryOperator
from airflow_multicloud.operators.drill.recover import (
    FailoverDrillOperator as FailoverDrillOperator,
)
from airflow_multicloud.operators.drill.report import DrillReportOperator as DrillReportOperator
