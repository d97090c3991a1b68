"""Secrets and versions out of Secrets Manager's answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from airflow_multicloud.clouds.aws.secrets.errors import failure
from airflow_multicloud.clouds.aws.secrets.naming import NAMES, RULES, SYSTEM_TAGS
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.secrets import Secret, SecretState, SecretVersion

#: The staging label of what is read when no version is named, and of the one before:
#: "Secret versions" in the AWS Secrets Manager User Guide.
CURRENT: Final = "AWSCURRENT"
PREVIOUS: Final = "AWSPREVIOUS"


def secret_of(item: Mapping[str, Any], current: SecretVersion | None) -> Secret:
    """A secret, of DescribeSecret or out of ListSecrets.

    :param current: its current version, which neither of them tells of fully.
    """
    cloud_name = item["Name"]
    name = NAMES.decode(cloud_name)
    return Secret(
        name=cloud_name if name is None else name,
        id=item["ARN"],
        state=SecretState.REMOVED if is_removed(item) else SecretState.ENABLED,
        current=current,
        tags=MappingProxyType(tags_of(item)),
        created_at=_moment(item.get("CreatedDate")),
        recoverable_until=_moment(item.get("DeletedDate")),
        addressable=name is not None,
        managed_by=item.get("OwningService"),
    )


def version_of(item: Mapping[str, Any]) -> SecretVersion:
    """A version, of ListSecretVersionIds or GetSecretValue."""
    labels = item.get("VersionStages") or ()
    return SecretVersion(
        id=item["VersionId"],
        created_at=item["CreatedDate"].astimezone(UTC),
        labels=tuple(sorted(labels)),
        is_current=CURRENT in labels,
        # "This value becomes the VersionId of the new version" (PutSecretValue).
        token=item["VersionId"],
    )


def is_removed(item: Mapping[str, Any]) -> bool:
    """Whether a secret is marked for deletion."""
    return item.get("DeletedDate") is not None


def tags_of(item: Mapping[str, Any]) -> dict[str, str]:
    """A secret's tags but for AWS's own."""
    return {
        tag["Key"]: tag["Value"]
        for tag in item.get("Tags") or ()
        if not tag["Key"].startswith(SYSTEM_TAGS)
    }


def labels_of(item: Mapping[str, Any], version: str) -> tuple[str, ...]:
    """The staging labels of a version, by DescribeSecret; none where it has no such version."""
    return tuple((item.get("VersionIdsToStages") or {}).get(version, ()))


def current_of(item: Mapping[str, Any]) -> str | None:
    """The id of the current version, by DescribeSecret."""
    for version, labels in (item.get("VersionIdsToStages") or {}).items():
        if CURRENT in labels:
            return str(version)
    return None


def check_there(item: Mapping[str, Any]) -> None:
    """Refuse a secret that is marked for deletion.

    :raises SecretsError: ``precondition_failed``.
    """
    if is_removed(item):
        raise failure(
            f"name: the secret {item['Name']} was removed; recover it first",
            ErrorKind.PRECONDITION_FAILED,
        )


def check_current(item: Mapping[str, Any], wanted: str, *, parameter: str) -> None:
    """Refuse a secret of which another version is current.

    :raises SecretsError: ``precondition_failed``, naming that one.
    """
    if (current := current_of(item)) != wanted:
        raise failure(
            f"{parameter}: {wanted} given, but {current} is the current version of {item['Name']}",
            ErrorKind.PRECONDITION_FAILED,
        )


def value_argument(value: bytes) -> dict[str, Any]:
    """A value as a request's argument: text where it is UTF-8, which people can read.

    :raises SecretsError: ``invalid_argument`` for an empty or a too large one.
    """
    if not 0 < len(value) <= RULES.value_bytes:
        raise failure(
            f"value: {len(value)} bytes given, expected 1 to {RULES.value_bytes} (AWS Secrets "
            "Manager quotas)",
            ErrorKind.INVALID_ARGUMENT,
        )
    try:
        return {"SecretString": value.decode()}
    except UnicodeDecodeError:
        return {"SecretBinary": value}


def value_of(answer: Mapping[str, Any]) -> bytes:
    """The value in an answer of GetSecretValue."""
    text = answer.get("SecretString")
    if text is not None:
        return str(text).encode()
    value: bytes = answer["SecretBinary"]
    return value


def _moment(found: datetime | None) -> datetime | None:
    return None if found is None else found.astimezone(UTC)
