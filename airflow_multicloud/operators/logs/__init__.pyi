# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.operators.logs.query import QueryLogsOperator as QueryLogsOperator
from airflow_multicloud.operators.logs.ship import ShipLogsOperator as ShipLogsOperator
