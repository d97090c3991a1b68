"""Secrets and versions as they are: one by its name, or all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_multicloud.adapters.answers import Tokens, well_formed
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.secrets.client import SecretsBase
from airflow_multicloud.clouds.aws.secrets.errors import failure, translated
from airflow_multicloud.clouds.aws.secrets.fields import (
    PREVIOUS,
    current_of,
    secret_of,
    version_of,
)
from airflow_multicloud.clouds.aws.secrets.naming import NAMES, literal_beginning
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import Secret, SecretVersion

# MaxResults of ListSecrets and of ListSecretVersionIds.
_PAGE = 100


class SecretListing(SecretsBase):
    """The port's ``find_secrets``, ``describe_secret`` and ``list_secret_versions``."""

    def find_secrets(self, prefix: str = "") -> Iterator[Secret]:
        """The secrets whose names begin so; see the port.

        "ListSecrets might not reflect changes from the last five minutes."
        """
        arguments: dict[str, Any] = {}
        if beginning := literal_beginning(prefix):
            # This filter "matches the beginning of secret names; case-sensitive".
            arguments["Filters"] = [{"Key": "name", "Values": [beginning]}]
        doing = "listing secrets"
        for item in self._rows(doing, "list_secrets", "SecretList", arguments):
            with well_formed(doing, NAME, area=SecretsError):
                secret = secret_of(item, None)
            if secret.name.startswith(prefix):
                yield secret

    def describe_secret(self, name: str) -> Secret:
        """The secret as it is; see the port."""
        cloud_name = NAMES.encode(name)
        return self._secret(self._described(cloud_name))

    def list_secret_versions(self, name: str) -> Iterator[SecretVersion]:
        """All versions, the newest first; see the port.

        Those without a staging label may be gone some time after there are more than 100.
        """
        cloud_name = NAMES.encode(name)
        # Their order is not documented, and a secret has some hundreds at most.
        yield from sorted(self._versions(cloud_name, unlabelled=True), key=_age, reverse=True)

    def _secret(self, item: Mapping[str, Any]) -> Secret:
        """A secret out of DescribeSecret, with its current version."""
        doing = "describing a secret"
        with well_formed(doing, NAME, area=SecretsError):
            current, cloud_name = current_of(item), item["Name"]
        version = None if current is None else self._version(cloud_name, current)
        with well_formed(doing, NAME, area=SecretsError):
            return secret_of(item, version)

    def _version(self, cloud_name: str, version: str) -> SecretVersion:
        """A version by its id.

        :raises SecretsError: ``unavailable`` when it is not listed, or not yet.
        """
        for unlabelled in (False, True):
            for found in self._versions(cloud_name, unlabelled=unlabelled):
                if found.id == version:
                    return found
        raise failure(
            f"the version {version} of {cloud_name} is there and not listed yet; try again",
            ErrorKind.UNAVAILABLE,
        )

    def _versions(self, cloud_name: str, *, unlabelled: bool) -> Iterator[SecretVersion]:
        doing = f"listing the versions of {cloud_name}"
        arguments = {"SecretId": cloud_name, "IncludeDeprecated": unlabelled}
        for item in self._rows(doing, "list_secret_version_ids", "Versions", arguments):
            with well_formed(doing, NAME, area=SecretsError):
                yield version_of(item)

    def _rows(
        self, doing: str, operation: str, key: str, arguments: Mapping[str, Any]
    ) -> Iterator[Mapping[str, Any]]:
        """The items of all pages.

        :param operation: as boto3 names it.
        :param key: of the answer's list.
        """
        ask = getattr(self._secrets_client(), operation)
        tokens, token = Tokens(doing, NAME, area=SecretsError), None
        while True:
            page = {"MaxResults": _PAGE, **({"NextToken": token} if token else {})}
            with translated(doing):
                answer = ask(**arguments, **page)
            yield from answer.get(key) or ()
            if not (token := answer.get("NextToken")):
                return
            tokens.note(token)


def _age(version: SecretVersion) -> tuple[object, ...]:
    """In the order in which they were written; of the same moment, the current one is last."""
    return version.created_at, version.is_current, PREVIOUS in version.labels
