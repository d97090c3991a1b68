"""Key Vault's properties as the port's values, and values as the texts that a vault holds."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from azure.keyvault.secrets import DeletedSecret, SecretProperties

from airflow_multicloud.adapters.secret_tokens import is_token
from airflow_multicloud.clouds.azure.secrets.errors import failure
from airflow_multicloud.clouds.azure.secrets.naming import NAMES, RULES, VERSION, refused
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.secrets import Secret, SecretState, SecretVersion, is_text

#: The tag of a version that this package wrote: the write's token, and the version before.
WRITE: Final = "multicloud-write"
_NONE: Final = "-"

#: The content type of values that are not text.
BASE64: Final = "application/octet-stream; base64"


@dataclass(frozen=True, slots=True)
class Written:
    """What a version's tag tells of the write that made it.

    :param after: id of the version that it replaced; ``None`` for a new secret.
    """

    token: str
    after: str | None

    def to_text(self) -> str:
        """As the tag has it."""
        return f"{self.token} {self.after or _NONE}"

    @staticmethod
    def of(version: SecretProperties) -> Written | None:
        """By a version's tag; ``None`` for other writers' versions, whatever that tag says."""
        token, _, after = (version.tags or {}).get(WRITE, "").partition(" ")
        if not is_token(token) or not (after == _NONE or VERSION.fullmatch(after)):
            return None
        return Written(token, None if after == _NONE else after)


def text_of(name: str, value: bytes) -> tuple[str, str | None]:
    """A value as a vault holds it, and its content type; ``None`` for text.

    :raises SecretsError: ``invalid_argument`` for an empty value, and one that is too large.
    """
    if is_text(value):
        text, content_type = value.decode(), None
    else:
        text, content_type = base64.b64encode(value).decode(), BASE64
    if not 0 < len(text.encode()) <= RULES.value_bytes:
        form = " as base64, since it is not text" if content_type else ""
        raise refused(
            f"value of secret {name!r}: {len(text.encode())} bytes given{form}, from 1 to "
            f"{RULES.value_bytes} allowed in a vault"
        )
    return text, content_type


def value_of(text: str | None, version: SecretProperties) -> bytes:
    """The value that a vault holds in this form.

    :raises SecretsError: ``integrity`` when it is not what its content type says.
    """
    if version.content_type != BASE64:
        return (text or "").encode()
    try:
        return base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError):
        raise failure(
            f"secret {version.name}: its content type says base64, and its value is none",
            ErrorKind.INTEGRITY,
        ) from None


def tags_of(version: SecretProperties) -> dict[str, str]:
    """The tags that people may write."""
    return {key: value for key, value in (version.tags or {}).items() if key != WRITE}


def version_of(
    version: SecretProperties, *, is_current: bool, among: Sequence[SecretProperties] = ()
) -> SecretVersion:
    """A version as the port has it.

    When it is valid from, and until, is not looked at: "a secret's get operation will work for
    not-yet-valid and expired secrets"
    (https://learn.microsoft.com/azure/key-vault/secrets/about-secrets).

    :param among: all versions, the newest first. Who changes a value may give the new version the
        tags of the one before: only the oldest one was written with the token that they have.
    """
    return SecretVersion(
        id=version.version or "",
        created_at=created(version),
        state=SecretState.ENABLED if version.enabled else SecretState.DISABLED,
        is_current=is_current,
        token=_token(version, among),
    )


def _token(version: SecretProperties, among: Sequence[SecretProperties]) -> str | None:
    written = Written.of(version)
    if written is None:
        return None
    with_it = [
        one.version
        for one in among
        if (other := Written.of(one)) is not None and other.token == written.token
    ]
    return written.token if with_it[-1:] in ([], [version.version]) else None


def secret_of(
    version: SecretProperties,
    *,
    current: SecretVersion | None = None,
    created_at: datetime | None = None,
    deleted: DeletedSecret | None = None,
) -> Secret:
    """A secret as the port has it.

    :param version: of whose vault, name and tags it is.
    :param deleted: the removed secret, if it was removed.
    """
    encoded = version.name or ""
    name = NAMES.decode(encoded)
    return Secret(
        name=encoded if name is None else name,
        id=f"{version.vault_url}/secrets/{encoded}",
        state=SecretState.ENABLED if deleted is None else SecretState.REMOVED,
        current=current,
        tags=MappingProxyType(tags_of(version)),
        created_at=created_at,
        recoverable_until=None if deleted is None else deleted.scheduled_purge_date,
        addressable=name is not None,
        # "If this is a secret backing a certificate, then managed will be true" (SecretItem).
        managed_by="Key Vault certificates" if version.managed else None,
    )


def created(version: SecretProperties) -> datetime:
    """When a version was written, to the second.

    :raises TypeError: when the answer does not say.
    """
    if version.created_on is None:
        raise TypeError(f"no time of creation of {version.id}")
    return version.created_on


def newest_first(versions: Iterable[SecretProperties]) -> list[SecretProperties]:
    """Versions in their order.

    A vault lists them by their ids, and tells the second in which each was written. Of those of
    one second, the tags of this package's writes tell which came after which.
    """
    by_id = {version.version or "": version for version in versions}
    return sorted(
        by_id.values(),
        key=lambda version: (created(version), _depth(version, by_id)),
        reverse=True,
    )


def first_of_a_second(versions: Sequence[SecretProperties]) -> bool:
    """Whether nothing says that the first one came after the second."""
    if len(versions) < 2:  # noqa: PLR2004 - there is no second
        return False
    by_id = {version.version or "": version for version in versions}
    first, second = versions[0], versions[1]
    return (created(first), _depth(first, by_id)) == (created(second), _depth(second, by_id))


def _depth(version: SecretProperties, by_id: Mapping[str, SecretProperties]) -> int:
    """How many versions of the same second it was written after, by tags."""
    depth, seen = 0, {version.version}
    while (written := Written.of(version)) is not None and written.after not in seen:
        before = by_id.get(written.after or "")
        if before is None or created(before) != created(version):
            break
        depth, version = depth + 1, before
        seen.add(version.version)
    return depth
