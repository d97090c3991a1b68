# Written by docs/generate.py from __init__.py; `python docs/generate.py` renews it.

from airflow_multicloud.sensors.object_store.replica_fresh import (
    ReplicaFreshSensor as ReplicaFreshSensor,
)
