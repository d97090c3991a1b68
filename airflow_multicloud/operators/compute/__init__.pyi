# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.operators.compute.deploy import DeployOperator as DeployOperator
from airflow_multicloud.operators.compute.power import (
    StartInstanceOperator as StartInstanceOperator,
)
from airflow_multicloud.operators.compute.power import StopInstanceOperator as StopInstanceOperator
from airflow_multicloud.operators.compute.rollback import RollbackOperator as RollbackOperator
from airflow_multicloud.operators.compute.summary import (
    ReleaseSummaryOperator as ReleaseSummaryOperator,
)
from airflow_multicloud.operators.compute.teardown import TeardownOperator as TeardownOperator
