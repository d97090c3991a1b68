"""Secrets: the port of a cloud's secret store, and its values.

A secret has versions, one of which is current. Names are the same on every cloud: any text; each
hook writes them by its cloud's rules, reversibly (:mod:`airflow_multicloud.adapters.secret_names`).
Errors are of the class ``SecretsError``, or ``CredentialsError`` when the connection can't be used.

A new secret also gets the labels of :func:`airflow_multicloud.labels.current_work` without the run,
where there is room and no tag has that name. They stay when its tags are changed, unless they are
named: whoever compares tags leaves them out (:mod:`airflow_multicloud.adapters.secret_tags`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol, runtime_checkable


class SecretState(StrEnum):
    """How a secret or one of its versions is."""

    ENABLED = "enabled"
    #: It is there and can't be read until it is enabled again.
    DISABLED = "disabled"
    #: It was removed and can be recovered; its name is taken until then.
    REMOVED = "removed"
    #: Its value is gone for good (a version only).
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretVersion:
    """One version of a secret, without its value.

    :param id: as the cloud writes it: a UUID, a number, 32 hexadecimal digits.
    :param created_at: when the cloud says that it was written.
    :param labels: what the cloud calls it by beside its id: staging labels, aliases.
    :param is_current: whether it is what is read when no version is named.
    :param token: with which it was written, where known; other writers have none, or their own.
    """

    id: str
    created_at: datetime
    state: SecretState = SecretState.ENABLED
    labels: tuple[str, ...] = ()
    is_current: bool = False
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret without its value.

    :param name: by which the port finds it.
    :param id: as its cloud writes it: an ARN, ``projects/…/secrets/…``, a URL.
    :param current: the current version; ``None`` when it has none.
    :param tags: all tags, labels or annotations that people may write.
    :param recoverable_until: for a removed one: until when it can be recovered.
    :param addressable: false when its name looks like another's encoding: it is only listed.
    :param managed_by: the cloud's service that made it and changes its value; mostly ``None``.
    """

    name: str
    id: str
    state: SecretState = SecretState.ENABLED
    current: SecretVersion | None = None
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    created_at: datetime | None = None
    recoverable_until: datetime | None = None
    addressable: bool = True
    managed_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretValue:
    """What a version holds; it is in no ``repr``.

    :param name: the secret's.
    :param value: the bytes; text is UTF-8.
    """

    name: str
    version: SecretVersion
    value: bytes = field(repr=False)


def is_text(value: bytes) -> bool:
    """Whether a value is text that everybody's programs can hold: UTF-8 without a zero byte."""
    try:
        return "\0" not in value.decode()
    except UnicodeDecodeError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRules:
    """What a cloud's store takes, as its documentation says.

    :param value_bytes: the largest value.
    :param binary_bytes: the largest one that is not text: not UTF-8, or with a zero byte;
        ``value_bytes`` for ``None``.
    :param takes_empty: whether a value may have no bytes.
    :param tag_count: how many tags a secret may have.
    :param remembers_versions: how many versions before the current one can be read for certain;
        ``None`` for all that were not destroyed.
    """

    value_bytes: int
    tag_count: int
    remembers_versions: int | None = None
    binary_bytes: int | None = None
    takes_empty: bool = False

    def largest(self, *, text: bool) -> int:
        """The largest value, in bytes.

        :param text: whether it is text, by :func:`is_text`.
        """
        return self.value_bytes if text or self.binary_bytes is None else self.binary_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretStore:
    """Which store a connection leads to, as its cloud says.

    :param id: its full name, for ever: ``arn:aws:secretsmanager:<region>:<account>``,
        ``projects/<number>``, ``https://<vault>.vault.azure.net``.
    :param also: its other names: the account, the project or the vault alone.
    """

    id: str
    also: frozenset[str] = frozenset()


class Secrets(Protocol):
    """The secrets of one store: an AWS account and region, a Google project, a Key Vault."""

    def describe_store(self) -> SecretStore:
        """The store, asked of the cloud: a connection may name another one than it leads to.

        :raises CredentialsError: when the credentials are refused.
        """
        ...

    def find_secrets(self, prefix: str = "") -> Iterator[Secret]:
        """The secrets whose names begin so, without values, in no order.

        Removed ones are not among them; one that was written a moment ago can be missing. Which
        version is current (:attr:`Secret.current`) is left out: no cloud's listing tells it.

        :raises SecretsError: also between pages.
        """
        ...

    def describe_secret(self, name: str) -> Secret:
        """The secret as it is, also when it was removed and can be recovered.

        :raises SecretsError: ``not_found``; ``invalid_argument`` for a name that the cloud can't
            take.
        """
        ...

    def read_secret(self, name: str, version: str | None = None) -> SecretValue:
        """A version's value.

        Airflow's masker is told of it before it is given back
        (:func:`airflow_multicloud.adapters.masking.mask_value`), as of one that is written.

        :param version: its id or one of its labels; the current one when left out.
        :raises SecretsError: ``not_found``; ``precondition_failed`` when the secret or version is
            disabled, removed or destroyed; ``integrity`` when the value does not fit the checksum
            that the cloud gives.
        """
        ...

    def write_secret(
        self,
        name: str,
        value: bytes,
        *,
        token: str,
        replaces: str | None,
        tags: Mapping[str, str] | None = None,
    ) -> SecretVersion:
        """Write a value as the new current version, making the secret when it is not there.

        A second call with the same token and value writes nothing and gives back what the first
        wrote, also when the first one's answer was lost.

        :param token: a UUID, for this value of this secret.
        :param replaces: id of the version that must be the current one; ``None`` when the secret
            must not be there. Clouds that can't check this in the same step (Google Cloud, Azure)
            are asked before and after; what was written in between is told of by the error.
        :param tags: to be on the secret, all of them, from the same step on where the cloud can;
            those there stay as they are when left out.
        :raises OverwrittenError: when the value was written, and other versions at the same time.
        :raises SecretsError: ``precondition_failed`` when another version is current (the message
            names it), or the secret to be replaced was removed; ``not_found`` when it is not
            there; ``already_exists`` when the secret is there, or was removed and can be
            recovered, or when the token was used for another value; ``invalid_argument`` for a
            name, value or tags that the cloud can't take, before anything is sent.
        """
        ...

    def remove_secret(self, name: str, *, version: str) -> Secret:
        """Remove a secret so that it can be recovered, as its cloud has it.

        AWS: deleted after its recovery window of 30 days. Azure: soft-deleted, for as long as the
        vault keeps it. Google Cloud deletes at once and for good, so all versions are disabled
        there instead. Removing a removed one changes nothing.

        :param version: id of the version that must be the current one.
        :return: the secret as it is then.
        :raises SecretsError: ``not_found``; ``precondition_failed`` when another version is
            current, or when the cloud would not keep it recoverable.
        """
        ...


class SecretVersions(Protocol):
    """The versions of a secret; every cloud has it."""

    def list_secret_versions(self, name: str) -> Iterator[SecretVersion]:
        """All versions that the cloud still tells of, the newest first.

        :raises SecretsError: ``not_found``; also between pages.
        """
        ...

    def describe_secret_rules(self) -> SecretRules:
        """What the store takes; nothing is asked of the cloud."""
        ...

    def check_secret_name(self, name: str) -> str:
        """The name as the cloud will have it; nothing is asked of the cloud.

        :raises SecretsError: ``invalid_argument`` when it can't be had, naming the rule.
        """
        ...


class SecretTags(Protocol):
    """Changing the tags of a secret; every cloud has it."""

    def tag_secret(self, name: str, tags: Mapping[str, str], *, version: str) -> None:
        """Make these the secret's tags, all of them, without a new version.

        :param version: id of the version that must be the current one.
        :raises SecretsError: ``not_found``; ``precondition_failed`` when another version is
            current, where the cloud keeps tags by version; ``invalid_argument`` for tags that the
            cloud can't take.
        """
        ...

    def check_secret_tags(self, tags: Mapping[str, str]) -> None:
        """Whether a secret can have these tags; nothing is asked of the cloud.

        :raises SecretsError: ``invalid_argument`` when it can't, naming the rule.
        """
        ...


class SecretsService(Secrets, SecretVersions, SecretTags, Protocol):
    """What every secrets hook is."""


@runtime_checkable
class SecretRecovery(Protocol):
    """Optional capability: to take back a removal."""

    def recover_secret(self, name: str) -> Secret:
        """Make a removed secret readable again, with its versions and tags.

        One that is not removed is given back as it is.

        :raises SecretsError: ``not_found``; ``busy`` while the cloud still removes it.
        """
        ...


@runtime_checkable
class SecretVersionStates(Protocol):
    """Optional capability: versions that can be disabled one by one."""

    def disable_secret_version(self, name: str, version: str) -> SecretVersion:
        """Make a version unreadable until it is enabled; doing so again changes nothing.

        :raises SecretsError: ``not_found``; ``precondition_failed`` for a destroyed one.
        """
        ...

    def enable_secret_version(self, name: str, version: str) -> SecretVersion:
        """Make a disabled version readable; doing so again changes nothing.

        :raises SecretsError: ``not_found``; ``precondition_failed`` for a destroyed one.
        """
        ...
