"""Whom a storage account says that a connection belongs to."""

from __future__ import annotations

from airflow_multicloud.clouds.azure.identity.client import IdentityBase
from airflow_multicloud.clouds.azure.identity.errors import translated
from airflow_multicloud.ports.identity import Principal


class StoragePrincipals(IdentityBase):
    """The port's ``who_am_i``."""

    def who_am_i(self) -> Principal:
        """The storage account, by a request that the account itself answers.

        :raises CredentialsError: the credentials are refused. (A connection of another type
            than ``wasb`` is, when the hook is made.)
        :raises StorageError: they are good but may not ask ("Get Account Information"), or the
            account can't be reached.
        """
        account = self.account
        with translated(f"asking connection {self.conn_id!r} who it is"):
            account.service.get_account_information()
        return Principal(account_id=str(account.service.account_name), principal=str(account.form))
