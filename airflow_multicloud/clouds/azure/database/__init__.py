"""Azure Database for PostgreSQL, flexible servers, and Azure SQL Database.

Other databases of Azure are not covered.
"""

from __future__ import annotations

from airflow_multicloud.clouds.azure.database.kinds import Kinds
from airflow_multicloud.ports.database import DatabaseService


class DatabasesHook(Kinds):
    """The databases of an Azure connection's subscription.

    :param conn_id: the connection, of type ``azure``; its extra names ``subscriptionId``.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """


Hook: type[DatabaseService] = DatabasesHook
