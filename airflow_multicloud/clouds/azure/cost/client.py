"""What the mix-ins of Azure's cost hook stand on: the connection's session."""

from __future__ import annotations

from airflow.providers.microsoft.azure.hooks.base_azure import AzureBaseHook

from airflow_multicloud.clouds.azure.object_store import BlobObjectStoreHook
from airflow_multicloud.clouds.azure.session import Session


class CostBase(AzureBaseHook):
    """Azure's own hook, Resource Manager, and, with a ``wasb`` connection, Blob Storage.

    :param conn_id: the connection; its extra may name ``cost_scope`` (a billing account, resource
        group…) for queries, by default the subscription.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """

    def __init__(self, conn_id: str = AzureBaseHook.default_conn_name) -> None:
        super().__init__(conn_id=conn_id)
        self._azure = Session.shared(conn_id)
        self._exports: BlobObjectStoreHook | None = None
        if self._azure.is_storage:
            self._exports = BlobObjectStoreHook(conn_id, session=self._azure)
        self._manager = self._azure.resource_manager
