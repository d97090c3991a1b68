"""Removing a secret, and recovering it within 30 days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.secrets.errors import failure, translated
from airflow_multicloud.clouds.aws.secrets.fields import check_current, current_of, is_removed
from airflow_multicloud.clouds.aws.secrets.listing import SecretListing
from airflow_multicloud.clouds.aws.secrets.naming import NAMES
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import Secret

# RecoveryWindowInDays of DeleteSecret: 7 to 30.
_DAYS = 30


class SecretRemoval(SecretListing):
    """The port's ``remove_secret``, and ``recover_secret``."""

    def remove_secret(self, name: str, *, version: str) -> Secret:
        """Mark a secret for deletion in 30 days; see the port."""
        cloud_name = NAMES.encode(name)
        item = self._described(cloud_name)
        doing = f"removing the secret {cloud_name}"
        client = self._secrets_client()
        with well_formed(doing, NAME, area=SecretsError):
            check_current(item, version, parameter="version")
            _check_recoverable(item, client.meta.region_name)
        if is_removed(item):
            return self._secret(item)
        try:
            with translated(doing):
                client.delete_secret(SecretId=cloud_name, RecoveryWindowInDays=_DAYS)
        except SecretsError as err:
            if not self._is_so_already(err, cloud_name, removed=True):
                raise
        item = self._described(cloud_name)
        if current_of(item) != version:
            # Somebody has written since it was looked at: that is not what was to be removed.
            self._restore(cloud_name)
            check_current(item, version, parameter="version")
        return self._secret(item)

    def recover_secret(self, name: str) -> Secret:
        """Make a removed secret readable again; see the port."""
        cloud_name = NAMES.encode(name)
        item = self._described(cloud_name)
        if not is_removed(item):
            return self._secret(item)
        self._restore(cloud_name)
        return self._secret(self._described(cloud_name))

    def _restore(self, cloud_name: str) -> None:
        client = self._secrets_client()
        try:
            with translated(f"recovering the secret {cloud_name}"):
                client.restore_secret(SecretId=cloud_name)
        except SecretsError as err:
            if not self._is_so_already(err, cloud_name, removed=False):
                raise

    def _is_so_already(self, err: SecretsError, cloud_name: str, *, removed: bool) -> bool:
        """Whether a request was refused because it was carried out, and its answer was lost."""
        if err.kind is not ErrorKind.PRECONDITION_FAILED:
            return False
        return is_removed(self._described(cloud_name)) is removed


def _check_recoverable(item: Mapping[str, Any], region: str) -> None:
    """Refuse a replica: "When you delete a replica, it is deleted immediately" (DeleteSecret).

    :raises SecretsError: ``precondition_failed``.
    """
    primary = item.get("PrimaryRegion")
    if primary and primary != region:
        raise failure(
            f"name: {item['Name']} is a replica of the secret in {primary}, and would be gone at "
            "once; remove the replica at its primary",
            ErrorKind.PRECONDITION_FAILED,
        )
