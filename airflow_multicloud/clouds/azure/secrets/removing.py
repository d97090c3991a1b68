"""Soft-deleting secrets and recovering them.

https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview: a vault takes some seconds
for both, during which it has the secret in neither list.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from airflow_multicloud.clouds.azure.secrets.client import SecretsBase
from airflow_multicloud.clouds.azure.secrets.errors import failure, if_there
from airflow_multicloud.clouds.azure.secrets.listing import described, removed
from airflow_multicloud.clouds.azure.secrets.naming import NAMES
from airflow_multicloud.clouds.azure.secrets.writing import check_current
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.secrets import Secret

T = TypeVar("T")

#: Seconds that are waited for a vault, and between two looks.
_LONGEST_S: Final = 60.0
_INTERVAL_S: Final = 1.0
#: ``SecretProperties.recovery_level`` of vaults that keep what is deleted.
_KEPT: Final = "Recoverable"


class AzureRemoving(SecretsBase):
    """Removing and recovering."""

    def remove_secret(self, name: str, *, version: str) -> Secret:
        """Soft-delete a secret, with all versions; see the port."""
        encoded = NAMES.encode(name)
        doing = f"removing secret {name!r}"
        versions = self._versions(doing, encoded)
        if versions:
            check_current(doing, versions, version)
            level = versions[0].recovery_level or ""
            if _KEPT not in level:
                raise failure(
                    f"{doing}: the vault does not keep what is deleted (recovery level {level!r}); "
                    "turn its soft delete on",
                    ErrorKind.PRECONDITION_FAILED,
                )
            # Not there any more, when an answer was lost: what was deleted is looked at below.
            if_there(doing, lambda: self._reads.begin_delete_secret(encoded))
            deleted = _once_there(lambda: self._deleted(doing, encoded))
        else:
            deleted = self._deleted(doing, encoded)
        told = removed(doing, deleted)
        if told.current is not None and told.current.id != version:
            raise failure(
                f"{doing}: version: {version!r} given, but {told.current.id} was the current "
                "version of what was removed; recover it to have that back",
                ErrorKind.PRECONDITION_FAILED,
            )
        return told

    def recover_secret(self, name: str) -> Secret:
        """Recover a soft-deleted secret, with all versions; see the port."""
        encoded = NAMES.encode(name)
        doing = f"recovering secret {name!r}"
        if not (versions := self._versions(doing, encoded)):
            removed(doing, self._deleted(doing, encoded))
            # Not among the deleted any more, when an answer was lost: it is looked for below.
            if_there(doing, lambda: self._reads.begin_recover_deleted_secret(encoded))
            found = _once_there(lambda: self._versions(doing, encoded) or None)
            if found is None:
                raise failure(f"{doing}: the vault has not finished yet", ErrorKind.BUSY)
            versions = found
        return described(doing, versions)


def _once_there(look: Callable[[], T | None]) -> T | None:
    """What the vault shows once it is done; ``None`` when that takes too long."""
    end = time.monotonic() + _LONGEST_S
    while (found := look()) is None and time.monotonic() < end:
        time.sleep(_INTERVAL_S)
    return found
