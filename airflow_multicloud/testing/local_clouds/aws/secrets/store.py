"""The secrets that are kept: versions with staging labels, by Secrets Manager's rules."""

from __future__ import annotations

import itertools
import secrets as randomness
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from airflow_multicloud.testing.local_clouds.aws.secrets.words import exists, invalid, missing
from airflow_multicloud.testing.local_clouds.aws.telemetry.wire import Refused

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
ACCOUNT = "123456789012"
# "Staging labels attached across all versions of a secret: 20" (quotas).
_MOST_LABELS = 20
_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_COUNTER = itertools.count()


@dataclass(slots=True, kw_only=True)
class Version:
    """One version.

    :param content: ``SecretString`` or ``SecretBinary`` (base64), as it came.
    :param number: grows with each version of any secret.
    """

    id: str
    content: Mapping[str, str] = field(repr=False)
    created: datetime
    number: int
    labels: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Kept:
    """One secret of one region."""

    name: str
    region: str
    created: datetime
    changed: datetime
    tags: dict[str, str]
    versions: dict[str, Version] = field(default_factory=dict)
    deleted: datetime | None = None
    primary_region: str | None = None
    owning_service: str | None = None
    suffix: str = field(
        default_factory=lambda: "".join(randomness.choice(_ALPHABET) for _ in range(6))
    )

    @property
    def arn(self) -> str:
        """With the six random characters at its end."""
        return f"arn:aws:secretsmanager:{self.region}:{ACCOUNT}:secret:{self.name}-{self.suffix}"

    def holder(self, label: str) -> Version | None:
        """The version that has a label."""
        return next((one for one in self.versions.values() if label in one.labels), None)

    def put(self, version_id: str, content: Mapping[str, str], labels: Sequence[str]) -> Version:
        """A new version with these labels, or the same one again.

        :raises Refused: for another value of a version that is there, and too many labels.
        """
        known = self.versions.get(version_id)
        if known is not None:
            if known.content != content:
                raise exists(
                    f"You can't use ClientRequestToken {version_id} because that value is already "
                    f"in use for a version of secret {self.arn}."
                )
            return known
        taken = {label for one in self.versions.values() for label in one.labels}
        if len(taken | set(labels)) > _MOST_LABELS:
            raise Refused(
                "LimitExceededException",
                f"You can't attach more than {_MOST_LABELS} staging labels to a secret.",
            )
        version = Version(
            id=version_id, content=content, created=datetime.now(UTC), number=next(_COUNTER)
        )
        first = not self.versions
        self.versions[version_id] = version
        for label in dict.fromkeys([*([CURRENT] if first else []), *labels]):
            self.move(label, version)
        return version

    def move(self, label: str, version: Version) -> None:
        """Give a version a label; the one that had ``AWSCURRENT`` gets ``AWSPREVIOUS``."""
        before = self.holder(label)
        if before is version:
            return
        if before is not None:
            before.labels.remove(label)
        version.labels.append(label)
        self.changed = datetime.now(UTC)
        if label == CURRENT and before is not None:
            if PREVIOUS in version.labels:
                version.labels.remove(PREVIOUS)
            self.move(PREVIOUS, before)

    def change_label(self, label: str, *, to: str | None, of: str | None) -> None:
        """``UpdateSecretVersionStage``.

        :raises Refused: when the label is of another version than ``of``.
        """
        for named in (to, of):
            if named is not None and named not in self.versions:
                raise missing(f"specified version {named}")
        holder = self.holder(label)
        if holder is not None and to is not None and of is None and holder.id != to:
            raise invalid(
                f"The parameter RemoveFromVersionId can't be empty. Staging label {label} is "
                f"currently attached to version {holder.id}, so you must explicitly reference that "
                "version in RemoveFromVersionId."
            )
        if of is not None and (holder is None or holder.id != of):
            raise invalid(
                f"When you move staging label {label}, if you specify RemoveFromVersionId, it must "
                f"be set to the version that currently has the staging label {label}."
            )
        if to is None:
            if label == CURRENT or holder is None:
                raise invalid(f"You can't remove the staging label {label}.")
            holder.labels.remove(label)
        else:
            self.move(label, self.versions[to])

    def told(self) -> dict[str, Any]:
        """What DescribeSecret and ListSecrets share; what has no value is left out."""
        members = {
            "ARN": self.arn,
            "Name": self.name,
            "CreatedDate": self.created,
            "LastChangedDate": self.changed,
            "DeletedDate": self.deleted,
            "PrimaryRegion": self.primary_region,
            "OwningService": self.owning_service,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()] or None,
        }
        return {name: value for name, value in members.items() if value is not None}

    def stages(self) -> dict[str, list[str]]:
        """Version → its labels; those without are not told of."""
        return {one.id: list(one.labels) for one in self.versions.values() if one.labels}
