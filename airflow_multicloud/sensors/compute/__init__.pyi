# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.sensors.compute.deployment_health import (
    DeploymentHealthSensor as DeploymentHealthSensor,
)
