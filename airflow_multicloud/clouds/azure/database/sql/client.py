"""What the mix-ins of Azure SQL stand on: the service's client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.azure.database.client import DatabaseBase

if TYPE_CHECKING:
    from azure.mgmt.sql import SqlManagementClient


class SqlBase(DatabaseBase):
    """Azure's own hook, and the client of the service."""

    @property
    def _sql(self) -> SqlManagementClient:
        manager = self._manager

        def make() -> SqlManagementClient:
            # Only here: it takes a second to load, and most connections have no such database.
            from azure.mgmt.sql import SqlManagementClient

            return SqlManagementClient(
                manager.require_credential(),
                manager.require_subscription(),
                **manager.client_options(),
            )

        return self._azure.client("azure sql", make)
