"""What every verb of Key Vault stands on: the session's clients, and a secret as it is."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.providers.microsoft.azure.hooks.base_azure import AzureBaseHook
from azure.keyvault.secrets import SecretClient

from airflow_multicloud.adapters.answers import Tokens, well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.resending import ReadableWaits, RefusedOnly
from airflow_multicloud.clouds.azure.secrets.errors import if_there, translated
from airflow_multicloud.clouds.azure.secrets.fields import first_of_a_second, newest_first
from airflow_multicloud.clouds.azure.session import Session
from airflow_multicloud.errors import ErrorKind, SecretsError

if TYPE_CHECKING:
    from azure.keyvault.secrets import DeletedSecret, SecretProperties

#: Entries of one page, the most that may be asked for.
PAGE = 25


class SecretsBase(AzureBaseHook):
    """Azure's own hook, and the clients of one vault.

    :param conn_id: the connection, whose extra ``key_vault_url`` names the vault.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """

    def __init__(self, conn_id: str = AzureBaseHook.default_conn_name) -> None:
        super().__init__(conn_id=conn_id)
        self._azure = Session.shared(conn_id)
        self._manager = self._azure.resource_manager
        self._vault = self._azure.key_vault_url

    @property
    def _reads(self) -> SecretClient:
        """For requests that may be sent twice."""
        return self._client("key vault", ReadableWaits)

    @property
    def _writes(self) -> SecretClient:
        """For those that may not: each makes a version."""
        return self._client("key vault, writing", RefusedOnly)

    def _client(self, service: str, policy: Any) -> SecretClient:
        manager = self._manager
        return self._azure.client(
            service,
            lambda: SecretClient(
                self._vault,
                manager.require_credential(),
                # A vault's challenge must be its own domain's; an address is in none.
                verify_challenge_resource=not _is_loopback(self._vault),
                connection_verify=manager.verify,
                retry_policy=policy(),
                permit_redirects=False,
            ),
        )

    def _pages(self, doing: str, paged: Any) -> Iterator[list[SecretProperties]]:
        """The pages of a list.

        :param paged: as the SDK gives it.
        """
        tokens = Tokens(doing, NAME, area=SecretsError)
        pages = paged.by_page()
        while True:
            with translated(doing), well_formed(doing, NAME, area=SecretsError):
                page = list(next(pages, ()))
            yield page
            if not (token := pages.continuation_token):
                return
            tokens.note(token)

    def _versions(self, doing: str, encoded: str) -> list[SecretProperties]:
        """A secret's versions, the newest first; none for one that is not there, or was removed."""
        paged = self._reads.list_properties_of_secret_versions(encoded, max_page_size=PAGE)
        try:
            listed = [one for page in self._pages(doing, paged) for one in page]
        except SecretsError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                return []
            raise
        with well_formed(doing, NAME, area=SecretsError):
            versions = newest_first(listed)
            if not first_of_a_second(versions):
                return versions
        # Written in one second, and not by this package: only reading tells which is current.
        current = self._current(doing, encoded)
        return sorted(versions, key=lambda version: version.version != current)

    def _current(self, doing: str, encoded: str) -> str | None:
        """The id of the version that is read; ``None`` when that is disabled."""
        try:
            with translated(doing):
                found = self._reads.get_secret(encoded)
        except SecretsError as err:
            if err.kind in (ErrorKind.PRECONDITION_FAILED, ErrorKind.NOT_FOUND):
                return None
            raise
        return found.properties.version

    def _deleted(self, doing: str, encoded: str) -> DeletedSecret | None:
        """A secret that was removed and can be recovered."""
        return if_there(doing, lambda: self._reads.get_deleted_secret(encoded))


def _is_loopback(url: str) -> bool:
    try:
        return ipaddress.ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:
        return False
