"""What the identity hook stands on: the storage account behind the connection."""

from __future__ import annotations

from airflow.providers.microsoft.azure.hooks.wasb import WasbHook

from airflow_multicloud.clouds.azure.session import Session


class IdentityBase(WasbHook):
    """Azure's own hook, and the connection's storage account.

    :param wasb_conn_id: the connection (type ``wasb``).
    :param public_read: ask anonymously, without credentials.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """

    def __init__(
        self, wasb_conn_id: str = WasbHook.default_conn_name, public_read: bool = False
    ) -> None:
        super().__init__(wasb_conn_id=wasb_conn_id, public_read=public_read)
        self.account = Session.shared(wasb_conn_id, public_read=public_read).storage_account
