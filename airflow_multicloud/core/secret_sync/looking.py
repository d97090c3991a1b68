"""What stores have, compared without keeping or showing a value."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.secrets import (
    Secret,
    SecretsService,
    SecretState,
    SecretVersion,
    is_text,
)

#: Versions of the source that a destination's value is compared with, the newest ones.
LOOK_BACK = 20
#: How often what changes between two requests is looked at.
_LOOKS = 3


class Comparer:
    """Tells which values are equal, by HMAC-SHA256 under a key that only this object has."""

    __slots__ = ("_key",)

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def digest(self, value: bytes) -> bytes:
        """What equal values, and only they, have in common; it must be shown to nobody."""
        return hmac.digest(self._key, value, hashlib.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A secret as it was found.

    :param secret: ``None`` when there is none of the name.
    :param digest: of its current value; ``None`` when that can't be read.
    :param size: bytes of the value.
    :param text: whether the value is text.
    :param value: kept only for who is about to write it.
    """

    secret: Secret | None = None
    digest: bytes | None = field(default=None, repr=False)
    size: int = 0
    text: bool = True
    value: bytes | None = field(default=None, repr=False)

    @property
    def is_gone(self) -> bool:
        """Whether it is not there, or was removed."""
        return self.secret is None or self.secret.state is SecretState.REMOVED

    @property
    def version(self) -> str | None:
        """The current version's id."""
        current = None if self.secret is None else self.secret.current
        return None if current is None else current.id


def described(hook: SecretsService, name: str) -> Secret | None:
    """The secret; ``None`` when there is none."""
    try:
        return hook.describe_secret(name)
    except CloudError as err:
        if err.kind is ErrorKind.NOT_FOUND:
            return None
        raise


def versions_of(hook: SecretsService, name: str) -> tuple[SecretVersion, ...]:
    """The newest versions of a secret, the newest first, as many as are looked at."""
    return tuple(islice(hook.list_secret_versions(name), LOOK_BACK + 1))


def look(hook: SecretsService, name: str, comparer: Comparer, *, keep: bool = False) -> Seen:
    """A secret with the digest of its current value.

    The value is read by the version's id, so that both are of one moment.

    :param keep: keep the value as well.
    :raises CloudError: when the store can't be asked.
    """
    looks = 0
    while True:
        looks += 1
        secret = described(hook, name)
        if secret is None:
            return Seen()
        if not _readable(secret) or secret.current is None:
            return Seen(secret=secret)
        try:
            found = hook.read_secret(name, secret.current.id)
        except CloudError as err:
            passed = err.kind in (ErrorKind.NOT_FOUND, ErrorKind.PRECONDITION_FAILED)
            if passed and looks < _LOOKS:
                continue  # It was removed, disabled or replaced between the two requests.
            raise
        return Seen(
            secret=secret,
            digest=comparer.digest(found.value),
            size=len(found.value),
            text=is_text(found.value),
            value=found.value if keep else None,
        )


def _readable(secret: Secret) -> bool:
    current = secret.current
    return (
        secret.managed_by is None
        and secret.state is SecretState.ENABLED
        and current is not None
        and current.state is SecretState.ENABLED
    )


class History:
    """The values that the source's secrets have had.

    A version's value never changes, so each is read once.
    """

    def __init__(self, hook: SecretsService, comparer: Comparer) -> None:
        self._hook = hook
        self._comparer = comparer
        self._digests: dict[tuple[str, str], bytes | None] = {}

    def ids(self, name: str) -> tuple[str, ...]:
        """The versions that the source tells of, the newest first, as many as are looked at."""
        return tuple(version.id for version in versions_of(self._hook, name))

    def having(self, name: str, digest: bytes, *, but: str) -> Iterator[SecretVersion]:
        """The versions that have this value, the newest first, of :data:`LOOK_BACK` at most.

        :param but: the id of the one that is left out: the current one.
        """
        for version in versions_of(self._hook, name):
            if version.id == but or version.state is not SecretState.ENABLED:
                continue
            found = self._digest(name, version)
            if found is not None and hmac.compare_digest(found, digest):
                yield version

    def _digest(self, name: str, version: SecretVersion) -> bytes | None:
        key = (name, version.id)
        if key not in self._digests:
            try:
                value = self._hook.read_secret(name, version.id).value
                self._digests[key] = self._comparer.digest(value)
            except CloudError as err:
                if err.kind not in (ErrorKind.NOT_FOUND, ErrorKind.PRECONDITION_FAILED):
                    raise
                self._digests[key] = None
        return self._digests[key]
