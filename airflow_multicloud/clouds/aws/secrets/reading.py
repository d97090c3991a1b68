"""Reading values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_multicloud.adapters.answers import well_formed
from airflow_multicloud.adapters.masking import mask_value
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.secrets.client import SecretsBase
from airflow_multicloud.clouds.aws.secrets.errors import translated
from airflow_multicloud.clouds.aws.secrets.fields import value_of, version_of
from airflow_multicloud.clouds.aws.secrets.naming import NAMES
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import SecretValue

# VersionId of GetSecretValue: 32 to 64 characters.
_SHORTEST_ID, _LONGEST_ID = 32, 64


class SecretReading(SecretsBase):
    """The port's ``read_secret``."""

    def read_secret(self, name: str, version: str | None = None) -> SecretValue:
        """A version's value; see the port.

        :param version: its id or a staging label, ``AWSPREVIOUS`` say.
        """
        cloud_name = NAMES.encode(name)
        answer = self._value_answer(cloud_name, version)
        with well_formed(f"reading the secret {cloud_name}", NAME, area=SecretsError):
            found = SecretValue(name=name, version=version_of(answer), value=value_of(answer))
        mask_value(found.value)
        return found

    def _value_answer(self, cloud_name: str, version: str | None) -> Mapping[str, Any]:
        if version is None:
            return self._asked_for(cloud_name, {})
        if _SHORTEST_ID <= len(version) <= _LONGEST_ID:
            try:
                return self._asked_for(cloud_name, {"VersionId": version})
            except SecretsError as err:
                if err.kind is not ErrorKind.NOT_FOUND:
                    raise
        # Staging labels may be as long as ids.
        return self._asked_for(cloud_name, {"VersionStage": version})

    def _asked_for(self, cloud_name: str, which: Mapping[str, str]) -> Mapping[str, Any]:
        shown = "".join(f", {value}" for value in which.values())
        client = self._secrets_client()
        with translated(f"reading the secret {cloud_name}{shown}"):
            answer: Mapping[str, Any] = client.get_secret_value(SecretId=cloud_name, **which)
        return answer
