"""The secrets of a vault."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from airflow_multicloud.testing.local_clouds.azure.secrets.challenges import conflict, not_found
from airflow_multicloud.testing.local_clouds.kit.state import State

_DAY_S: Final = 86_400
_DAYS: Final = 90


@dataclass(slots=True, kw_only=True)
class KeptVersion:
    """One version.

    :param given: its attributes, tags and content type, as they were given.
    """

    id: str
    value: str = field(repr=False)
    given: dict[str, Any]
    created: int
    updated: int


@dataclass(slots=True, kw_only=True)
class KeptSecret:
    """One secret.

    :param name: as it was first written.
    :param versions: the oldest first.
    :param deleted: since when, in seconds since 1970; ``None``: it is not.
    :param looks: so many looks find it neither deleted nor there.
    """

    name: str
    versions: list[KeptVersion] = field(default_factory=list)
    deleted: int | None = None
    looks: int = 0

    @property
    def purged_at(self) -> int:
        """When it is gone for good, if it is deleted."""
        return (self.deleted or 0) + _DAYS * _DAY_S

    def found(self, version: str) -> KeptVersion:
        """A version; the newest by an empty text.

        :raises Refusal: when there is none.
        """
        if not version:
            return self.versions[-1]
        for one in self.versions:
            if one.id == version:
                return one
        raise not_found(f"{self.name}/{version}")


class Vault:
    """Safe for many threads that hold its lock.

    :param state: where its settings are seeded.
    """

    def __init__(self, state: State) -> None:
        self.lock = threading.RLock()
        self._state = state
        self._kept: dict[str, KeptSecret] = {}

    @property
    def settings(self) -> Mapping[str, Any]:
        """The last that were seeded."""
        seeds = self._state.seeded("vault")
        return seeds[-1] if seeds else {}

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What every secret's attributes say of the vault."""
        level = self.settings.get("recovery_level", "Recoverable+Purgeable")
        return {
            "recoveryLevel": level,
            **({} if level == "Purgeable" else {"recoverableDays": _DAYS}),
        }

    def is_managed(self, kept: KeptSecret) -> bool:
        """Whether a certificate has the secret: then it is seeded as one."""
        return any(seed["name"] == kept.name for seed in self._state.seeded("certificate"))

    def there(self) -> list[KeptSecret]:
        """All that are not deleted, by name."""
        kept = [self._kept[name] for name in sorted(self._kept)]
        return [one for one in kept if one.deleted is None and not one.looks]

    def found(self, name: str) -> KeptSecret:
        """A secret that is not deleted.

        :raises Refusal: when there is none.
        """
        kept = self._kept.get(name.lower())
        if kept is None or kept.deleted is not None or _is_between(kept):
            raise not_found(name)
        return kept

    def found_deleted(self, name: str) -> KeptSecret:
        """A secret that is deleted.

        :raises Refusal: when there is none.
        """
        kept = self._kept.get(name.lower())
        if kept is None or kept.deleted is None or _is_between(kept):
            raise not_found(name, deleted=True)
        return kept

    def add(self, name: str, value: str, given: dict[str, Any]) -> tuple[KeptSecret, KeptVersion]:
        """A new version.

        :raises Refusal: 409 when a deleted secret has the name.
        """
        kept = self._kept.get(name.lower())
        if kept is not None and kept.looks:
            state = "ObjectIsBeingRecovered" if kept.deleted is None else "ObjectIsBeingDeleted"
            raise conflict(name, state)
        if kept is not None and kept.deleted is not None:
            raise conflict(name, "ObjectIsDeletedButRecoverable")
        if kept is None:
            kept = self._kept[name.lower()] = KeptSecret(name=name)
        now = int(time.time())
        if kept.versions:
            last = kept.versions[-1].created
            now = last if self.settings.get("same_second") else max(now, last + 1)
        version = KeptVersion(
            id=uuid.uuid4().hex, value=value, given=given, created=now, updated=now
        )
        kept.versions.append(version)
        return kept, version

    def delete(self, name: str) -> KeptSecret:
        """Delete a secret: for good where the vault keeps nothing.

        :raises Refusal: when there is none.
        """
        kept = self.found(name)
        if "Recoverable" not in self.attributes["recoveryLevel"]:
            del self._kept[name.lower()]
            return kept
        kept.deleted, kept.looks = int(time.time()), self.settings.get("slow", 0)
        return kept

    def recover(self, name: str) -> KeptSecret:
        """Take a deletion back.

        :raises Refusal: when there is none.
        """
        kept = self.found_deleted(name)
        kept.deleted, kept.looks = None, self.settings.get("slow", 0)
        return kept

    def purge(self, name: str) -> None:
        """Delete a deleted secret for good.

        :raises Refusal: when there is none.
        """
        self.found_deleted(name)
        del self._kept[name.lower()]


def _is_between(kept: KeptSecret) -> bool:
    """Whether this look finds it neither deleted nor there."""
    if kept.looks:
        kept.looks -= 1
        return True
    return False
