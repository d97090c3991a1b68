"""Secrets and their versions, without values.

https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret-versions/get-secret-versions
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.secrets.client import PAGE, SecretsBase
from airflow_multicloud.clouds.azure.secrets.errors import failure, translated
from airflow_multicloud.clouds.azure.secrets.fields import created, secret_of, version_of
from airflow_multicloud.clouds.azure.secrets.naming import NAMES, RULES
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import Secret, SecretRules, SecretStore, SecretVersion

if TYPE_CHECKING:
    from azure.keyvault.secrets import DeletedSecret, SecretProperties


class AzureListing(SecretsBase):
    """What is told of secrets."""

    def describe_store(self) -> SecretStore:
        """The vault's URL, once it has answered: it is the vault's, and nobody else's.

        TLS proves the host's name, and no two vaults have the same one
        (https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates).
        """
        with translated(f"asking for the secrets of {self._vault}"):
            next(self._reads.list_properties_of_secrets(max_page_size=1).by_page(), None)
        name = (urlsplit(self._vault).hostname or "").partition(".")[0]
        return SecretStore(id=self._vault, also=frozenset({name}))

    def describe_secret_rules(self) -> SecretRules:
        """What a vault takes."""
        return RULES

    def check_secret_name(self, name: str) -> str:
        """The secret's name in the vault; see the port."""
        return NAMES.encode(name)

    def describe_secret(self, name: str) -> Secret:
        """The secret as it is; see the port."""
        encoded = NAMES.encode(name)
        doing = f"asking for secret {name!r}"
        if versions := self._versions(doing, encoded):
            return described(doing, versions)
        return removed(doing, self._deleted(doing, encoded))

    def find_secrets(self, prefix: str = "") -> Iterator[Secret]:
        """The secrets whose names begin so; see the port.

        Which version is current, and when the first was written, is left out: the list has the
        tags of the current one, and says no more.
        """
        doing = f"listing the secrets of {self._vault}"
        paged = self._reads.list_properties_of_secrets(max_page_size=PAGE)
        for page in self._pages(doing, paged):
            for one in page:
                with well_formed(doing, NAME, area=SecretsError):
                    found = secret_of(one)
                if found.name.startswith(prefix):
                    yield found

    def list_secret_versions(self, name: str) -> Iterator[SecretVersion]:
        """All versions, the newest first; see the port. They are listed whole to be ordered."""
        encoded = NAMES.encode(name)
        doing = f"listing the versions of secret {name!r}"
        versions = self._versions(doing, encoded)
        if not versions:
            told = removed(doing, self._deleted(doing, encoded))
            if told.current is not None:
                yield told.current
        for version in versions:
            with well_formed(doing, NAME, area=SecretsError):
                found = version_of(version, is_current=version is versions[0], among=versions)
            yield found


def described(doing: str, versions: list[SecretProperties]) -> Secret:
    """A secret of these versions, the newest first."""
    with well_formed(doing, NAME, area=SecretsError):
        return secret_of(
            versions[0],
            current=version_of(versions[0], is_current=True, among=versions),
            created_at=min(map(created, versions)),
        )


def removed(doing: str, deleted: DeletedSecret | None) -> Secret:
    """A secret that was removed.

    :raises SecretsError: ``not_found`` when there is none.
    """
    if deleted is None:
        raise failure(f"{doing}: there is none of this name", ErrorKind.NOT_FOUND)
    with well_formed(doing, NAME, area=SecretsError):
        version = deleted.properties
        current = version_of(version, is_current=True) if version.version else None
        return secret_of(version, current=current, deleted=deleted)
