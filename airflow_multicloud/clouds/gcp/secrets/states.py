"""Versions that are disabled and enabled one by one.

https://cloud.google.com/secret-manager/docs/disable-secret-version
"""

from __future__ import annotations

from collections.abc import Callable

from google.cloud.secretmanager_v1.types import resources

from airflow_multicloud.clouds.gcp.secrets.client import SecretsBase
from airflow_multicloud.clouds.gcp.secrets.fields import (
    check_not_removed,
    is_disabled,
    is_enabled,
    number_of,
    version_of,
)
from airflow_multicloud.clouds.gcp.secrets.naming import check_version
from airflow_multicloud.ports.secrets import SecretVersion


class GCPStates(SecretsBase):
    """The capability ``SecretVersionStates``. A destroyed version is refused by Google itself."""

    def disable_secret_version(self, name: str, version: str) -> SecretVersion:
        """Make a version unreadable until it is enabled; see the port."""
        return self._turned(name, version, "disabling", is_disabled, self._disable)

    def enable_secret_version(self, name: str, version: str) -> SecretVersion:
        """Make a disabled version readable; see the port."""
        return self._turned(name, version, "enabling", is_enabled, self._enable)

    def _turned(
        self,
        name: str,
        version: str,
        doing: str,
        is_so: Callable[[resources.SecretVersion], bool],
        turn: Callable[[str, int], resources.SecretVersion],
    ) -> SecretVersion:
        path = self._path(name)
        wanted = check_version(name, version)

        def turned() -> SecretVersion:
            secret, newest = self._get(path), self._newest(path)
            check_not_removed(secret, newest)
            # By its number: an alias is taken only where versions are read.
            found = self._get_version(path, wanted)
            if not is_so(found):
                found = turn(path, number_of(found))
            is_current = newest is not None and number_of(newest) == number_of(found)
            return version_of(secret, found, is_current=is_current)

        return self._done(f"{doing} version {version} of secret {name!r}", turned)
