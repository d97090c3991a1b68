"""What the identity hook stands on: a storage account, or Azure Resource Manager."""

from __future__ import annotations

from airflow.providers.microsoft.azure.hooks.wasb import WasbHook

from airflow_multicloud.clouds.azure.session import Session
from airflow_multicloud.clouds.azure.storage_account import StorageAccount

_AZURE = "azure"


class IdentityBase(WasbHook):
    """Azure's own hook, and what the connection leads to.

    :param wasb_conn_id: the connection, of type ``wasb`` or ``azure``.
    :param public_read: ask anonymously, without credentials.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """

    def __init__(
        self, wasb_conn_id: str = WasbHook.default_conn_name, public_read: bool = False
    ) -> None:
        super().__init__(wasb_conn_id=wasb_conn_id, public_read=public_read)
        self._azure = Session.shared(wasb_conn_id, public_read=public_read)
        #: ``None`` for a connection of type ``azure``.
        self.account: StorageAccount | None = None
        if self._azure.is_storage or self._azure.resource_manager.conn_type != _AZURE:
            # Of a third type: this says so.
            self.account = self._azure.storage_account
