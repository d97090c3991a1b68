"""What the mix-ins of the Azure object store stand on: the account behind the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.microsoft.azure.hooks.wasb import WasbHook

from airflow_multicloud.clouds.azure.object_store.errors import translated
from airflow_multicloud.clouds.azure.object_store.fields import described_object
from airflow_multicloud.clouds.azure.session import Session
from airflow_multicloud.ports.object_store import Digests, WriteOptions

if TYPE_CHECKING:
    from airflow_multicloud.clouds.azure.storage_account import StorageAccount
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

NO_OPTIONS = WriteOptions()
NO_DIGESTS = Digests()


class ObjectStoreBase(WasbHook):
    """Azure's own hook, and the connection's storage account.

    :param wasb_conn_id: the connection (type ``wasb``).
    :param public_read: read anonymously, without credentials.
    :param session: the connection, where another hook has read it already.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """

    def __init__(
        self,
        wasb_conn_id: str = WasbHook.default_conn_name,
        public_read: bool = False,
        *,
        session: Session | None = None,
    ) -> None:
        super().__init__(wasb_conn_id=wasb_conn_id, public_read=public_read)
        session = session or Session.shared(wasb_conn_id, public_read=public_read)
        self.account: StorageAccount = session.storage_account

    @property
    def store_name(self) -> str:
        """The account's host: each account has containers of its own."""
        return self.account.name

    def _describe(self, ref: ObjectRef, doing: str) -> ObjectMeta:
        with translated(doing):
            params = {"versionid": ref.version} if ref.version else {}
            blob = self.account.service.get_blob_client(ref.bucket, ref.key)
            response = self.account.send("HEAD", blob.url, params=params)
        return described_object(ref, response.headers, doing)
