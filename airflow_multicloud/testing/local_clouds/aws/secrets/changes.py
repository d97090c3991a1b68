"""What changes secrets.

CreateSecret, PutSecretValue, UpdateSecretVersionStage, DeleteSecret, RestoreSecret, TagResource and
UntagResource in the AWS Secrets Manager API Reference.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.secrets.store import CURRENT, Kept, Version
from airflow_multicloud.testing.local_clouds.aws.secrets.words import (
    exists,
    invalid,
    wrong_state,
)
from airflow_multicloud.testing.local_clouds.aws.secrets.world import World
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call, Refused

# As its refusal says; "!" is in the names that AWS's own services give.
_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")
_MOST_BYTES = 65_536
_MOST_TAGS = 50
_TAG_TEXT = re.compile(r"[\w +\-=.:/@]*")
_LEAST_DAYS, _MOST_DAYS = 7, 30
_CONTENTS = ("SecretString", "SecretBinary")


class Changes:
    """The operations that change something."""

    def __init__(self, world: World) -> None:
        self._world = world

    def create(self, call: Call) -> Mapping[str, Any]:
        """``CreateSecret``."""
        name = call.given["Name"]
        if not _NAME.fullmatch(name):
            raise Refused(
                "ValidationException",
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of "
                "the following: -/_+=.@!",
            )
        token, content = _token(call), _content(call)
        tags = _tags(call.given.get("Tags", []))
        secret = self._world.find(call.region, name)
        if secret is not None:
            return _created_again(secret, token, content)
        secret = self._world.make(call.region, name)
        secret.tags.update(tags)
        version = secret.put(token, content, [CURRENT])
        return {"ARN": secret.arn, "Name": name, "VersionId": version.id}

    def put(self, call: Call) -> Mapping[str, Any]:
        """``PutSecretValue``."""
        secret = self._world.found(call)
        version = secret.put(
            _token(call), _content(call), call.given.get("VersionStages", [CURRENT])
        )
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": version.id,
            "VersionStages": list(version.labels),
        }

    def label(self, call: Call) -> Mapping[str, Any]:
        """``UpdateSecretVersionStage``."""
        secret = self._world.found(call)
        secret.change_label(
            call.given["VersionStage"],
            to=call.given.get("MoveToVersionId"),
            of=call.given.get("RemoveFromVersionId"),
        )
        return _named(secret)

    def delete(self, call: Call) -> Mapping[str, Any]:
        """``DeleteSecret``."""
        days, at_once = (
            call.given.get("RecoveryWindowInDays"),
            call.given.get("ForceDeleteWithoutRecovery", False),
        )
        if at_once and days is not None:
            raise invalid(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
            )
        if days is not None and not _LEAST_DAYS <= days <= _MOST_DAYS:
            raise invalid(
                f"RecoveryWindowInDays must be between {_LEAST_DAYS} and {_MOST_DAYS} days."
            )
        secret = self._world.found(call, deleted=at_once)
        replica = secret.primary_region not in (None, secret.region)
        until = datetime.now(UTC)
        if at_once or replica:
            del self._world.kept[secret.region, secret.name]
        else:
            until += timedelta(days=days or _MOST_DAYS)
            secret.deleted = until
        return {**_named(secret), "DeletionDate": until}

    def restore(self, call: Call) -> Mapping[str, Any]:
        """``RestoreSecret``."""
        secret = self._world.found(call, deleted=True)
        if secret.deleted is None:
            raise wrong_state("The secret is not marked for deletion.")
        secret.deleted = None
        return _named(secret)

    def tag(self, call: Call) -> Mapping[str, Any]:
        """``TagResource``."""
        secret = self._world.found(call)
        tags = {**secret.tags, **_tags(call.given["Tags"])}
        _check_count(tags)
        secret.tags = tags
        return {}

    def untag(self, call: Call) -> Mapping[str, Any]:
        """``UntagResource``."""
        secret = self._world.found(call)
        for key in call.given["TagKeys"]:
            _check_own(key)
            secret.tags.pop(key, None)
        return {}


def _created_again(secret: Kept, token: str, content: Mapping[str, str]) -> Mapping[str, Any]:
    if secret.deleted is not None:
        raise wrong_state(
            "You can't create this secret because a secret with this name is already scheduled "
            "for deletion."
        )
    if token not in secret.versions:
        raise exists(f"The operation failed because the secret {secret.name} already exists.")
    version: Version = secret.put(token, content, [])
    return {**_named(secret), "VersionId": version.id}


def _named(secret: Kept) -> dict[str, Any]:
    return {"ARN": secret.arn, "Name": secret.name}


def _token(call: Call) -> str:
    token = call.given.get("ClientRequestToken")
    if token is None:
        raise invalid("You must provide a ClientRequestToken value.")
    return str(token)


def _content(call: Call) -> dict[str, str]:
    given = {name: call.given[name] for name in _CONTENTS if name in call.given}
    if len(given) != 1:
        raise invalid("You must provide either SecretString or SecretBinary.")
    ((name, text),) = given.items()
    try:
        size = len(base64.b64decode(text, validate=True) if name != _CONTENTS[0] else text.encode())
    except (binascii.Error, UnicodeEncodeError):
        raise Refused("SerializationException", f"{name} can't be read") from None
    if not 0 < size <= _MOST_BYTES:
        raise invalid(f"{name}: expected 1 to {_MOST_BYTES} bytes")
    return given


def _tags(given: list[Mapping[str, str]]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for tag in given:
        key, value = tag.get("Key", ""), tag.get("Value", "")
        _check_own(key)
        if key in tags or not key or not _TAG_TEXT.fullmatch(key + value):
            raise invalid(f"The tag {key} is there twice, or has characters that are not allowed.")
        tags[key] = value
    _check_count(tags)
    return tags


def _check_own(key: str) -> None:
    if key.lower().startswith("aws:"):
        raise invalid("aws: prefixed tag key names are not allowed for external use.")


def _check_count(tags: Mapping[str, str]) -> None:
    if sum(not key.startswith("aws:") for key in tags) > _MOST_TAGS:
        raise invalid(f"A secret can have {_MOST_TAGS} tags.")
