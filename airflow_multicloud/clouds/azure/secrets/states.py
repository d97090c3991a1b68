"""Versions that are disabled and enabled one by one.

https://learn.microsoft.com/rest/api/keyvault/secrets/update-secret/update-secret
"""

from __future__ import annotations

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.secrets.client import SecretsBase
from airflow_multicloud.clouds.azure.secrets.errors import translated
from airflow_multicloud.clouds.azure.secrets.fields import version_of
from airflow_multicloud.clouds.azure.secrets.naming import NAMES, check_version
from airflow_multicloud.errors import SecretsError
from airflow_multicloud.ports.secrets import SecretVersion


class AzureStates(SecretsBase):
    """The capability ``SecretVersionStates``."""

    def disable_secret_version(self, name: str, version: str) -> SecretVersion:
        """Make a version unreadable until it is enabled; see the port."""
        return self._turned(name, version, enabled=False)

    def enable_secret_version(self, name: str, version: str) -> SecretVersion:
        """Make a disabled version readable; see the port."""
        return self._turned(name, version, enabled=True)

    def _turned(self, name: str, version: str, *, enabled: bool) -> SecretVersion:
        encoded = NAMES.encode(name)
        check_version(name, version)
        doing = f"{'enabling' if enabled else 'disabling'} version {version} of secret {name!r}"
        with translated(doing):
            told = self._reads.update_secret_properties(encoded, version, enabled=enabled)
        newest = self._versions(doing, encoded)[:1]
        is_current = bool(newest) and newest[0].version == version
        with well_formed(doing, NAME, area=SecretsError):
            return version_of(told, is_current=is_current)
