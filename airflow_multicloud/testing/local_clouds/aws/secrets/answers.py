"""What is asked without changing anything.

GetSecretValue, DescribeSecret, ListSecretVersionIds and ListSecrets in the AWS Secrets Manager API
Reference. Of the filters of ListSecrets only ``name`` is served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.secrets.store import CURRENT, Kept, Version
from airflow_multicloud.testing.local_clouds.aws.secrets.words import (
    missing,
    not_served,
    wrong_state,
)
from airflow_multicloud.testing.local_clouds.aws.secrets.world import World
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Call, Refused

_PAGE = 100


class Answers:
    """The operations that only look."""

    def __init__(self, world: World) -> None:
        self._world = world

    def value(self, call: Call) -> Mapping[str, Any]:
        """``GetSecretValue``."""
        secret = self._world.found(call)
        version = _asked(secret, call.given.get("VersionId"), call.given.get("VersionStage"))
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": version.id,
            "VersionStages": list(version.labels),
            "CreatedDate": version.created,
            **version.content,
        }

    def describe(self, call: Call) -> Mapping[str, Any]:
        """``DescribeSecret``."""
        secret = self._world.found(call, deleted=True)
        return {**secret.told(), "VersionIdsToStages": secret.stages()}

    def versions(self, call: Call) -> Mapping[str, Any]:
        """``ListSecretVersionIds``, in no order that anybody could want."""
        secret = self._world.found(call, deleted=True)
        all_too = call.given.get("IncludeDeprecated", False)
        found = [one for one in secret.versions.values() if one.labels or all_too]
        page, token = self._page(call, sorted(found, key=lambda one: one.id))
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "Versions": [
                {
                    "VersionId": one.id,
                    "CreatedDate": one.created,
                    **({"VersionStages": list(one.labels)} if one.labels else {}),
                }
                for one in page
            ],
            **token,
        }

    def secrets(self, call: Call) -> Mapping[str, Any]:
        """``ListSecrets``, the oldest first."""
        self._world.seed_all()
        wanted = [values for key, values in _filters(call) if key == "name"]
        found = [
            secret
            for secret in self._world.kept.values()
            if secret.region == call.region
            and (secret.deleted is None or call.given.get("IncludePlannedDeletion", False))
            and all(any(secret.name.startswith(text) for text in texts) for texts in wanted)
        ]
        page, token = self._page(call, found)
        listed = [{**secret.told(), "SecretVersionsToStages": secret.stages()} for secret in page]
        return {"SecretList": listed, **token}

    def _page(self, call: Call, found: Sequence[Any]) -> tuple[Sequence[Any], Mapping[str, str]]:
        size = self._world.page(call.given.get("MaxResults", _PAGE))
        text = call.given.get("NextToken", "from-0")
        if not text.removeprefix("from-").isdecimal():
            raise Refused("InvalidNextTokenException", "The NextToken value is invalid.")
        start = int(text.removeprefix("from-"))
        more = start + size < len(found)
        return found[start : start + size], {"NextToken": f"from-{start + size}"} if more else {}


def _filters(call: Call) -> list[tuple[str, list[str]]]:
    given = [(one.get("Key", ""), one.get("Values", [])) for one in call.given.get("Filters", [])]
    for key, texts in given:
        if key != "name" or any(text.startswith("!") for text in texts):
            raise not_served(f"the filter {key} {texts}")
    return given


def _asked(secret: Kept, version_id: str | None, label: str | None) -> Version:
    if version_id is not None:
        found = secret.versions.get(version_id)
        if found is None:
            raise missing(f"specified secret value for VersionId: {version_id}")
        if label is not None and label not in found.labels:
            raise wrong_state(
                "You provided a VersionStage that is not associated to the provided VersionId."
            )
        return found
    wanted = label or CURRENT
    if (found := secret.holder(wanted)) is None:
        raise missing(f"specified secret value for staging label: {wanted}")
    return found
