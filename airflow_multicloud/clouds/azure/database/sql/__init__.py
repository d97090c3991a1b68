"""Azure SQL Database: what a hook of Azure's databases does to those of ``Microsoft.Sql``."""

from __future__ import annotations

from airflow_multicloud.clouds.azure.database.sql.power import SqlPower
from airflow_multicloud.clouds.azure.database.sql.promoting import SqlPromotions
from airflow_multicloud.clouds.azure.database.sql.removing import SqlRemovals
from airflow_multicloud.clouds.azure.database.sql.restoring import SqlRestores


class SqlDatabases(SqlRestores, SqlPromotions, SqlPower, SqlRemovals):
    """The databases of Azure SQL in an Azure connection's subscription.

    :param conn_id: the connection, of type ``azure``; its extra names ``subscriptionId``.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """
