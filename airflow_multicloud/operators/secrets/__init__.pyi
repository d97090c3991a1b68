# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.operators.secrets.sync import SyncSecretsOperator as SyncSecretsOperator
