# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.sensors.compute.deployment_health import (
    DeploymentHealthSensor as DeploymentHealthSensor,
)
from airflow_multicloud.sensors.cost.export import CostExportSensor as CostExportSensor
from airflow_multicloud.sensors.database.replica_lag import (
    DatabaseReplicaLagSensor as DatabaseReplicaLagSensor,
)
from airflow_multicloud.sensors.object_store.replica_fresh import (
    ReplicaFreshSensor as ReplicaFreshSensor,
)
from airflow_multicloud.sensors.secrets.drift import SecretDriftSensor as SecretDriftSensor
