# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.sensors.cost.export import CostExportSensor as CostExportSensor
