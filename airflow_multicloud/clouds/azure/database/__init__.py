"""Azure Database for PostgreSQL, flexible servers; other databases of Azure are not covered."""

from __future__ import annotations

from airflow_multicloud.clouds.azure.database.power import Power
from airflow_multicloud.clouds.azure.database.promoting import Promotions
from airflow_multicloud.clouds.azure.database.removing import Removals
from airflow_multicloud.clouds.azure.database.restoring import Restores
from airflow_multicloud.ports.database import DatabaseService


class FlexibleServersHook(Restores, Promotions, Power, Removals):
    """The flexible servers of an Azure connection's subscription.

    :param conn_id: the connection, of type ``azure``; its extra names ``subscriptionId``.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """


Hook: type[DatabaseService] = FlexibleServersHook
