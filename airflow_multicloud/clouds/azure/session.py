"""What the services of one Azure connection share: its fields, credentials and clients."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any, Self, TypeVar

from airflow.sdk import BaseHook

from airflow_multicloud.adapters.connections import once_per_session
from airflow_multicloud.adapters.locks import MadeOnce
from airflow_multicloud.clouds.azure.credentials import CredentialForm
from airflow_multicloud.clouds.azure.monitor import Monitor, read_monitor
from airflow_multicloud.clouds.azure.resource_manager import (
    ResourceManager,
    check_texts,
    https_url,
    read_connection,
    shown,
)
from airflow_multicloud.clouds.azure.storage_account import CONN_TYPE, StorageAccount, open_account

C = TypeVar("C")


class Session:
    """One Azure connection, read once; what is made of it is kept.

    The connection is read here, so this belongs on the thread that may ask Airflow for it; after
    that any thread may call. Tokens are renewed by the credential that they come from.

    :param conn_id: the connection, of type ``wasb`` or ``azure``.
    :param public_read: read storage anonymously, without credentials.
    """

    def __init__(self, conn_id: str, *, public_read: bool = False) -> None:
        _quieten()
        self.conn_id = conn_id
        self._connection = once_per_session(
            ("connection", conn_id), lambda: BaseHook.get_connection(conn_id)
        )
        self._public_read = public_read
        self._made = MadeOnce()

    @classmethod
    def shared(cls, conn_id: str, *, public_read: bool = False) -> Self:
        """The one that all hooks of a connection share while a task's session is open.

        :param conn_id: as for the class.
        :param public_read: as for the class.
        """
        key = ("azure session", conn_id, public_read)
        return once_per_session(key, lambda: cls(conn_id, public_read=public_read))

    @property
    def is_storage(self) -> bool:
        """Whether the connection is a storage account's."""
        return self._connection.conn_type == CONN_TYPE

    @property
    def storage_account(self) -> StorageAccount:
        """The storage account of a connection of type ``wasb``.

        :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used so.
        """
        return self.client(
            "storage account",
            lambda: open_account(self._connection, self.conn_id, public_read=self._public_read),
        )

    @property
    def resource_manager(self) -> ResourceManager:
        """Azure Resource Manager, as the connection reaches it.

        :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used so.
        """
        return self.client("resource manager", self._read_resource_manager)

    @property
    def monitor(self) -> Monitor:
        """Azure Monitor, as the connection reaches it.

        :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used so.
        """
        return self.client("monitor", lambda: read_monitor(self._connection, self.resource_manager))

    @property
    def key_vault_url(self) -> str:
        """The vault that the connection names, without a slash at its end.

        :raises CredentialsError: kind ``invalid_argument`` when it names none that is usable.
        """
        extra = self._connection.extra_dejson or {}
        check_texts(self.conn_id, extra, ("key_vault_url",))
        if not extra.get("key_vault_url"):
            raise self.resource_manager.unusable(
                "names no vault; set key_vault_url in its extra, as https://<name>.vault.azure.net"
            )
        url = https_url(self.conn_id, extra, "key_vault_url", "")
        if "/" in url.removeprefix("https://") or "?" in url or "#" in url:
            raise self.resource_manager.unusable(
                f"key_vault_url: {shown(url)} given, expected https://host[:port] and no more"
            )
        return url.lower()

    def client(self, service: str, make: Callable[[], C]) -> C:
        """The connection's one client of a service.

        :param service: what the client is of; each name has one client.
        :param make: makes it, on the first call.
        """
        return self._made.get(service, make)

    def _read_resource_manager(self) -> ResourceManager:
        credential: Any = None
        if self.is_storage and self.storage_account.form is CredentialForm.TOKEN:
            credential = self.storage_account.service.credential
        return read_connection(self.conn_id, self._connection, credential)


def _quieten() -> None:
    """Keep the SDK from filling the task's log: a page for every request, a line for every token.

    The first as Airflow's own Azure hooks do. Who has set a level of their own is not overruled.
    """
    if "AZURE_HTTP_LOGGING_LEVEL" not in os.environ:
        requests = logging.getLogger("azure.core.pipeline.policies.http_logging_policy")
        requests.setLevel(logging.WARNING)
    tokens = logging.getLogger("azure.identity")
    if tokens.level == logging.NOTSET and tokens.getEffectiveLevel() == logging.INFO:
        tokens.setLevel(logging.WARNING)
