"""Amazon RDS: managed database instances, of every engine; clusters (Aurora) are not covered."""

from __future__ import annotations

from airflow_multicloud.clouds.aws.database.power import Power
from airflow_multicloud.clouds.aws.database.promoting import Promotions
from airflow_multicloud.clouds.aws.database.removing import Removals
from airflow_multicloud.clouds.aws.database.restoring import Restores
from airflow_multicloud.ports.database import DatabaseService


class RdsDatabaseHook(Restores, Promotions, Power, Removals):
    """Amazon RDS on an Airflow connection of type ``aws``.

    Making one reads the connection and must happen on the task's own thread; all else may come
    from any.
    """


Hook: type[DatabaseService] = RdsDatabaseHook
