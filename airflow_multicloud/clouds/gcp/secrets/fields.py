"""Google's messages as the port's values."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from google.cloud.secretmanager_v1.types import resources

from airflow_multicloud.adapters.answers import UNKNOWN_TIME, not_an_answer
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.secrets.annotations import Begun, Removal, tags_in
from airflow_multicloud.clouds.gcp.secrets.naming import NAMES
from airflow_multicloud.errors import ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import Secret, SecretState, SecretVersion

_STATES: Final = {
    resources.SecretVersion.State.ENABLED: SecretState.ENABLED,
    resources.SecretVersion.State.DISABLED: SecretState.DISABLED,
    resources.SecretVersion.State.DESTROYED: SecretState.DESTROYED,
}


def number_of(version: resources.SecretVersion) -> int:
    """A version's number: "IDs in a Secret start at 1 and are incremented".

    :raises SecretsError: ``integrity`` when it has none.
    """
    number = version.name.rpartition("/")[2]
    if not number.isdecimal():
        raise not_an_answer("reading a version", NAME, "its id is not a number", area=SecretsError)
    return int(number)


def is_enabled(version: resources.SecretVersion) -> bool:
    """Whether its value can be read."""
    return bool(version.state == resources.SecretVersion.State.ENABLED)


def is_disabled(version: resources.SecretVersion) -> bool:
    """Whether its value can be read once it is enabled."""
    return bool(version.state == resources.SecretVersion.State.DISABLED)


def removal_of(secret: resources.Secret, newest: resources.SecretVersion | None) -> Removal | None:
    """The removal of its versions, complete or begun; a newer version ends it."""
    removal = Removal.noted_in(secret)
    fits = removal is not None and newest is not None and number_of(newest) == removal.newest
    return removal if fits else None


def is_removed(secret: resources.Secret, newest: resources.SecretVersion | None) -> bool:
    """Whether it was removed, and nobody enabled its newest version since.

    A version that somebody enabled and disabled again has another etag: that is no removal.
    """
    removal = removal_of(secret, newest)
    if removal is None or newest is None or is_enabled(newest):
        return False
    # One that lists do not show yet has none.
    return removal.done is not None and newest.etag in ("", removal.done)


def is_over(secret: resources.Secret, newest: resources.SecretVersion | None) -> bool:
    """Whether a removal is noted that somebody has taken back past this package."""
    removal = Removal.noted_in(secret)
    if removal is None or is_removed(secret, newest):
        return False
    is_half = removal.done is None and removal_of(secret, newest) is not None
    return not is_half


def check_not_removed(secret: resources.Secret, newest: resources.SecretVersion | None) -> None:
    """Refuse to change what was removed.

    :raises SecretsError: ``precondition_failed``.
    """
    if is_removed(secret, newest):
        raise changed(f"name: {secret.name} was removed; recover it first")


def check_current(
    secret: resources.Secret,
    newest: resources.SecretVersion | None,
    wanted: str,
    *,
    parameter: str = "version",
) -> None:
    """Compare the version that must be the current one.

    :raises SecretsError: ``precondition_failed``, naming the one that is.
    """
    number = None if newest is None else number_of(newest)
    if wanted != str(number):
        raise changed(f"{parameter}: {wanted!r} given, but in {secret.name} {current_told(number)}")


def current_told(number: int | None) -> str:
    """Which version is the current one, for messages."""
    return "there is no version" if number is None else f"version {number} is the current one"


def changed(text: str) -> SecretsError:
    """The error for a secret that is not as it must be."""
    return SecretsError(text, kind=ErrorKind.PRECONDITION_FAILED, cloud=NAME)


def version_of(
    secret: resources.Secret, version: resources.SecretVersion, *, is_current: bool
) -> SecretVersion:
    """A version as the port has it.

    :param secret: whose it is, with the aliases.
    :param is_current: whether it is the newest, which is what ``latest`` means, in whatever state:
        https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
    """
    number = number_of(version)
    begun = Begun.noted_in(secret)
    return SecretVersion(
        id=str(number),
        created_at=_moment(version.create_time),
        # One in a state that is not known here can't be read, as far as anybody knows.
        state=_STATES.get(version.state, SecretState.DISABLED),
        labels=tuple(sorted(name for name, of in secret.version_aliases.items() if of == number)),
        is_current=is_current,
        token=None if begun is None else begun.token_of(number),
    )


def secret_of(secret: resources.Secret, newest: resources.SecretVersion | None) -> Secret:
    """A secret as the port has it.

    :param newest: its newest version, in whatever state; ``None`` when it has none, or it is not
        known.
    """
    encoded = secret.name.rpartition("/")[2]
    name = NAMES.decode(encoded)
    current = None if newest is None else version_of(secret, newest, is_current=True)
    # That the current version is disabled is told by that one: lists don't know.
    state = SecretState.REMOVED if is_removed(secret, newest) else SecretState.ENABLED
    expires = "expire_time" in secret and state is SecretState.REMOVED
    return Secret(
        name=encoded if name is None else name,
        id=secret.name,
        state=state,
        current=current,
        tags=MappingProxyType(tags_in(secret)),
        created_at=_moment(secret.create_time),
        recoverable_until=_moment(secret.expire_time) if expires else None,
        addressable=name is not None,
    )


def _moment(moment: Any) -> datetime:
    # The message's type says Timestamp; what is there is a datetime of a class of Google's own.
    if moment is None:
        return UNKNOWN_TIME
    return datetime.fromtimestamp(moment.timestamp(), tz=UTC)
