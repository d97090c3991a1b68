"""Cloud SQL: managed instances of every engine that Google runs."""

from __future__ import annotations

from airflow_multicloud.clouds.gcp.database.power import Power
from airflow_multicloud.clouds.gcp.database.promoting import Promotions
from airflow_multicloud.clouds.gcp.database.removing import Removals
from airflow_multicloud.clouds.gcp.database.restoring import Restores
from airflow_multicloud.ports.database import DatabaseService


class CloudSqlDatabaseHook(Restores, Promotions, Power, Removals):
    """Cloud SQL on an Airflow connection of type ``google_cloud_platform``.

    Making one reads the connection and must happen on the task's own thread; all else may come
    from any.
    """


Hook: type[DatabaseService] = CloudSqlDatabaseHook
