"""Secrets in memory: the port and its capabilities, kept to the letter."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from airflow_multicloud.adapters.masking import mask_value
from airflow_multicloud.adapters.secret_tags import tags_of_new, tags_to_be
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.labels import LabelRules
from airflow_multicloud.ports.secrets import (
    Secret,
    SecretRules,
    SecretState,
    SecretStore,
    SecretValue,
    SecretVersion,
    is_text,
)
from airflow_multicloud.testing.memory_cloud.secrets.space import (
    NAMES,
    KeptSecret,
    KeptVersion,
    SecretSpace,
    failure,
    reset,
    secrets_of,
)
from airflow_multicloud.testing.secret_faults import SecretCall

__all__ = ["Hook", "SecretSpace", "reset", "secrets_of"]

T = TypeVar("T")

_RULES = SecretRules(value_bytes=20_000, tag_count=10, binary_bytes=15_000)
_TAGS = LabelRules(illegal=r"[^a-z0-9_-]", longest=63, lower=True)
_TAG_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LONGEST_TAG = 200


class Hook:
    """The secrets of one connection id.

    :param memory_conn_id: whose; the connection itself is never read.
    """

    conn_name_attr = "memory_conn_id"

    def __init__(self, memory_conn_id: str = "memory_default") -> None:
        self.memory_conn_id = memory_conn_id
        self._space = secrets_of(memory_conn_id)

    def describe_store(self) -> SecretStore:
        """``memory:`` and the connection id."""
        conn_id = self.memory_conn_id
        return SecretStore(id=f"memory:{conn_id}", also=frozenset({conn_id}))

    def describe_secret_rules(self) -> SecretRules:
        """What it takes."""
        return _RULES

    def check_secret_name(self, name: str) -> str:
        """The name as it is kept; see the port."""
        return NAMES.encode(name)

    def find_secrets(self, prefix: str = "") -> Iterator[Secret]:
        """The secrets whose names begin so; see the port."""
        space = self._space
        with space.lock:
            names = list(space.kept)
        for page in _pages(names, space.page):
            with space.lock:
                space.meet(SecretCall.LIST)
                kept = [space.kept[name] for name in page if name in space.kept]
                seen = [replace(one.seen(self.memory_conn_id), current=None) for one in kept]
            for secret in seen:
                if secret.state is not SecretState.REMOVED and secret.name.startswith(prefix):
                    yield secret

    def describe_secret(self, name: str) -> Secret:
        """The secret as it is; see the port."""
        cloud_name = NAMES.encode(name)
        with self._space.lock:
            self._space.meet(SecretCall.DESCRIBE, cloud_name)
            return self._space.found(cloud_name).seen(self.memory_conn_id)

    def read_secret(self, name: str, version: str | None = None) -> SecretValue:
        """A version's value; see the port."""
        cloud_name = NAMES.encode(name)
        with self._space.lock:
            fault = self._space.meet(SecretCall.READ, cloud_name)
            secret = self._space.found(cloud_name)
            _check_there(secret)
            found = secret.version(version)
            if found.state is not SecretState.ENABLED:
                raise failure(
                    f"version: {found.id} of {cloud_name} is {found.state}",
                    ErrorKind.PRECONDITION_FAILED,
                )
            if found.damaged:
                raise failure(
                    f"version: {found.id} of {cloud_name} does not fit its checksum",
                    ErrorKind.INTEGRITY,
                )
            self._space.lose(fault)
            seen, value = secret.version_seen(found), found.value
        mask_value(value)
        return SecretValue(name=name, version=seen, value=value)

    def write_secret(
        self,
        name: str,
        value: bytes,
        *,
        token: str,
        replaces: str | None,
        tags: Mapping[str, str] | None = None,
    ) -> SecretVersion:
        """Write a value as the new current version; see the port."""
        cloud_name = NAMES.encode(name)
        _check(value, token, tags)
        mask_value(value)
        space = self._space
        with space.lock:
            fault = space.meet(SecretCall.WRITE, cloud_name)
            secret = space.find(cloud_name)
            if secret is not None and (written := _of_token(secret, token, value)) is not None:
                return secret.version_seen(written)
            self._check_replaced(cloud_name, replaces)
            written = space.write(cloud_name, value, token)
            made, secret = secret is None, space.found(cloud_name)
            if made:
                secret.tags = tags_of_new(tags, _TAGS, most=_RULES.tag_count)
            elif tags is not None:
                secret.tags = tags_to_be(tags, secret.tags, most=_RULES.tag_count)
            space.lose(fault)
            return secret.version_seen(written)

    def check_secret_tags(self, tags: Mapping[str, str]) -> None:
        """Whether a secret may have them; see the port."""
        _check_tags(tags)

    def tag_secret(self, name: str, tags: Mapping[str, str], *, version: str) -> None:
        """Make these the secret's tags; see the port."""
        cloud_name = NAMES.encode(name)
        _check_tags(tags)
        with self._space.lock:
            fault = self._space.meet(SecretCall.TAG, cloud_name)
            secret = self._space.found(cloud_name)
            _check_there(secret)
            _check_current(secret, version)
            secret.tags = tags_to_be(tags, secret.tags, most=_RULES.tag_count)
            self._space.lose(fault)

    def remove_secret(self, name: str, *, version: str) -> Secret:
        """Remove a secret so that it can be recovered for 30 days; see the port."""
        cloud_name = NAMES.encode(name)
        with self._space.lock:
            fault = self._space.meet(SecretCall.REMOVE, cloud_name)
            secret = self._space.found(cloud_name)
            _check_current(secret, version)
            if secret.removed_until is None:
                self._space.remove(secret)
            self._space.lose(fault)
            return secret.seen(self.memory_conn_id)

    def recover_secret(self, name: str) -> Secret:
        """Make a removed secret readable again; see the port."""
        cloud_name = NAMES.encode(name)
        with self._space.lock:
            fault = self._space.meet(SecretCall.REMOVE, cloud_name)
            secret = self._space.found(cloud_name)
            secret.removed_until = None
            self._space.lose(fault)
            return secret.seen(self.memory_conn_id)

    def list_secret_versions(self, name: str) -> Iterator[SecretVersion]:
        """All versions, the newest first; see the port."""
        cloud_name = NAMES.encode(name)
        with self._space.lock:
            secret = self._space.found(cloud_name)
            versions = list(reversed(secret.versions))
        for page in _pages(versions, self._space.page):
            with self._space.lock:
                self._space.meet(SecretCall.DESCRIBE, cloud_name)
                seen = [secret.version_seen(one) for one in page]
            yield from seen

    def disable_secret_version(self, name: str, version: str) -> SecretVersion:
        """Make a version unreadable until it is enabled; see the port."""
        return self._turned(name, version, SecretState.DISABLED)

    def enable_secret_version(self, name: str, version: str) -> SecretVersion:
        """Make a disabled version readable; see the port."""
        return self._turned(name, version, SecretState.ENABLED)

    def _turned(self, name: str, version: str, state: SecretState) -> SecretVersion:
        cloud_name = NAMES.encode(name)
        with self._space.lock:
            fault = self._space.meet(SecretCall.REMOVE, cloud_name)
            secret = self._space.found(cloud_name)
            _check_there(secret)
            found = secret.version(version)
            if found.state is SecretState.DESTROYED:
                raise failure(
                    f"version: {found.id} of {cloud_name} is destroyed",
                    ErrorKind.PRECONDITION_FAILED,
                )
            found.state = state
            self._space.lose(fault)
            return secret.version_seen(found)

    def _check_replaced(self, cloud_name: str, replaces: str | None) -> None:
        """That the version to be replaced is the current one, or that there is no secret."""
        if replaces is not None:
            secret = self._space.found(cloud_name)
            _check_there(secret)
            _check_current(secret, replaces, parameter="replaces")
        elif (there := self._space.find(cloud_name)) is not None:
            how = "is there" if there.removed_until is None else "was removed; recover it first"
            raise failure(f"name: {cloud_name} {how}", ErrorKind.ALREADY_EXISTS)


def _check(value: bytes, token: str, tags: Mapping[str, str] | None) -> None:
    most = _RULES.largest(text=is_text(value))
    if not 0 < len(value) <= most:
        raise failure(
            f"value: {len(value)} bytes given, expected 1 to {most}",
            ErrorKind.INVALID_ARGUMENT,
        )
    try:
        uuid.UUID(token)
    except ValueError:
        raise failure("token: expected a UUID", ErrorKind.INVALID_ARGUMENT) from None
    _check_tags(tags or {})


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > _RULES.tag_count:
        raise failure(
            f"tags: {len(tags)} given, at most {_RULES.tag_count} allowed",
            ErrorKind.INVALID_ARGUMENT,
        )
    for key, value in tags.items():
        if not _TAG_KEY.fullmatch(key) or len(value) > _LONGEST_TAG:
            raise failure(
                f"tags: {key!r} given; expected a lower-case letter, then those, digits, hyphens "
                f"and underscores, at most 63, and a value of at most {_LONGEST_TAG} characters",
                ErrorKind.INVALID_ARGUMENT,
            )


def _check_there(secret: KeptSecret) -> None:
    if secret.removed_until is not None:
        raise failure(
            f"name: {secret.cloud_name} was removed; recover it first",
            ErrorKind.PRECONDITION_FAILED,
        )


def _check_current(secret: KeptSecret, wanted: str, *, parameter: str = "version") -> None:
    current = secret.versions[-1].id if secret.versions else None
    if wanted != current:
        raise failure(
            f"{parameter}: {wanted} given, but {current} is the current version of "
            f"{secret.cloud_name}",
            ErrorKind.PRECONDITION_FAILED,
        )


def _of_token(secret: KeptSecret, token: str, value: bytes) -> KeptVersion | None:
    """The version that was written with a token, when it can be read."""
    if secret.removed_until is not None:
        return None
    for version in secret.versions:
        if version.token == token:
            if version.value != value:
                raise failure(
                    f"token: {token} was used for another value of {secret.cloud_name}; expected "
                    "a new one",
                    ErrorKind.ALREADY_EXISTS,
                )
            return version
    return None


def _pages(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """At least one page, which may be empty: asking is a request, too."""
    yield items[:size]
    for start in range(size, len(items), size):
        yield items[start : start + size]
