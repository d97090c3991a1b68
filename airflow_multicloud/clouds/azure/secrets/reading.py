"""Reading values: https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret."""

from __future__ import annotations

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.masking import mask_value
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.secrets.client import SecretsBase
from airflow_multicloud.clouds.azure.secrets.errors import failure, translated
from airflow_multicloud.clouds.azure.secrets.fields import value_of, version_of
from airflow_multicloud.clouds.azure.secrets.naming import NAMES, check_version
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import SecretValue


class AzureReading(SecretsBase):
    """The port's ``read_secret``."""

    def read_secret(self, name: str, version: str | None = None) -> SecretValue:
        """A version's value; see the port. Versions have no labels on Azure."""
        encoded = NAMES.encode(name)
        if version is not None:
            check_version(name, version)
        doing = f"reading secret {name!r}"
        try:
            with translated(doing):
                read = self._reads.get_secret(encoded, version)
        except SecretsError as err:
            if err.kind is ErrorKind.NOT_FOUND and self._deleted(doing, encoded) is not None:
                raise failure(
                    f"{doing}: it was removed; recover it first", ErrorKind.PRECONDITION_FAILED
                ) from err
            raise
        with well_formed(doing, NAME, area=SecretsError):
            value = value_of(read.value, read.properties)
            mask_value(value)
        is_current = version is None or self._is_current(doing, encoded, version)
        with well_formed(doing, NAME, area=SecretsError):
            return SecretValue(
                name=name,
                version=version_of(read.properties, is_current=is_current),
                value=value,
            )

    def _is_current(self, doing: str, encoded: str, version: str) -> bool:
        versions = self._versions(doing, encoded)
        return bool(versions) and versions[0].version == version
