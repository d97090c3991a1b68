"""Reading values: https://cloud.google.com/secret-manager/docs/access-secret-version."""

from __future__ import annotations

from google.cloud.secretmanager_v1.types import resources

from airflow_multicloud.adapters.digests import crc32c_of
from airflow_multicloud.adapters.masking import mask_value
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.secrets.client import SecretsBase
from airflow_multicloud.clouds.gcp.secrets.fields import number_of, version_of
from airflow_multicloud.clouds.gcp.secrets.naming import check_version
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import SecretValue


class GCPReading(SecretsBase):
    """The port's ``read_secret``."""

    def read_secret(self, name: str, version: str | None = None) -> SecretValue:
        """A version's value; see the port.

        Google's answer has nothing but the value: when the version was written, and its aliases,
        are asked for beside it.
        """
        path = self._path(name)
        wanted = "latest" if version is None else check_version(name, version)
        doing = f"reading secret {name!r}"

        def read() -> SecretValue:
            answer = self._access(path, wanted)
            value = _checked(answer.payload, doing)
            number = answer.name.rpartition("/")[2]
            secret, found = self._get(path), self._get_version(path, number)
            newest = found if version is None else self._get_version(path, "latest")
            is_current = number_of(newest) == number_of(found)
            return SecretValue(
                name=name, version=version_of(secret, found, is_current=is_current), value=value
            )

        found = self._done(doing, read)
        mask_value(found.value)
        return found


def payload_of(value: bytes) -> resources.SecretPayload:
    """A value with the checksum that Google compares it with."""
    return resources.SecretPayload(data=value, data_crc32c=_checksum(value))


def _checked(payload: resources.SecretPayload, doing: str) -> bytes:
    value = bytes(payload.data)
    if "data_crc32c" in payload and payload.data_crc32c != _checksum(value):
        raise SecretsError(
            f"{doing}: what arrived does not fit the CRC32C that Google has of it",
            kind=ErrorKind.INTEGRITY,
            cloud=NAME,
        )
    return value


def _checksum(value: bytes) -> int:
    return int(crc32c_of(value), 16)
