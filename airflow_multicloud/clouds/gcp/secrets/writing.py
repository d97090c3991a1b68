"""Writing values: https://cloud.google.com/secret-manager/docs/add-secret-version.

Google adds a version whatever was added before, and as often as it is asked. So a write is noted
first, in an annotation of the secret, on the condition that the secret is as it was read (by its
etag): of two writers of this package, one gets no further. The note has the token and the number
of the newest version; what was written is the version after it. Versions are numbered without
gaps, so that the number of what was added tells whether another writer came in between. Tags are
changed last: they tell what is there, also when a writer ends half-way.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace

from google.api_core import exceptions as api
from google.cloud.secretmanager_v1.types import resources

from airflow_multicloud.adapters.masking import mask_value
from airflow_multicloud.adapters.secret_tags import tags_of_new, tags_to_be
from airflow_multicloud.clouds.gcp import LABELS, NAME
from airflow_multicloud.clouds.gcp.secrets.annotations import (
    WRITE,
    Begun,
    put_note,
    put_tags,
    tags_in,
)
from airflow_multicloud.clouds.gcp.secrets.client import SecretsBase
from airflow_multicloud.clouds.gcp.secrets.fields import (
    changed,
    check_current,
    check_not_removed,
    current_told,
    is_removed,
    number_of,
    version_of,
)
from airflow_multicloud.clouds.gcp.secrets.naming import RULES, check_value, refused
from airflow_multicloud.clouds.gcp.secrets.reading import payload_of
from airflow_multicloud.errors import ErrorKind, OverwrittenError, SecretsError
from airflow_multicloud.ports.secrets import SecretVersion


class GCPWriting(SecretsBase):
    """The port's ``write_secret``."""

    def write_secret(
        self,
        name: str,
        value: bytes,
        *,
        token: str,
        replaces: str | None,
        tags: Mapping[str, str] | None = None,
    ) -> SecretVersion:
        """Write a value as the new current version; see the port.

        Reading is needed as well: whether a version is the one that was written with this token is
        known by its value. Only the token of the last write is known.
        """
        path = self._path(name)
        check_value(name, value)
        if not _is_uuid(token):
            raise refused("token: no UUID given; expected one, for this value of this secret")
        put_tags(tags or {}, resources.Secret())
        mask_value(value)

        attempt = uuid.uuid4().hex

        def write() -> SecretVersion:
            secret, newest = self._begun(path, Begun(token, 0, attempt), replaces, tags)
            begun = Begun.noted_in(secret)
            if begun is None or begun.token != token:
                raise changed(f"secret {name!r} was changed at the same time")
            if newest is not None and _is_followed(begun, newest):
                written = self._written_before(secret, begun, number_of(newest), value)
            else:
                added = self._add(path, payload_of(value))
                self._check_next(name, begun, added)
                written = version_of(secret, added, is_current=True)
            if tags is not None:
                self._tagged(path, secret, tags)
            return written

        return self._done(f"writing secret {name!r}", write)

    def _begun(
        self, path: str, write: Begun, replaces: str | None, tags: Mapping[str, str] | None
    ) -> tuple[resources.Secret, resources.SecretVersion | None]:
        """The secret with this write noted, and its newest version.

        :param write: its token and attempt.
        """
        try:
            secret = self._get(path)
        except api.NotFound:
            if replaces is not None:
                raise
            secret = resources.Secret(replication={"automatic": {}})
            put_tags(tags_of_new(tags, LABELS, most=RULES.tag_count), secret)
            put_note(WRITE, write.to_text(), secret)
            return self._create(path, secret), None
        newest = self._newest_for_certain(path)
        begun = Begun.noted_in(secret)
        if begun is not None and begun.token == write.token and _is_followed(begun, newest):
            return secret, newest
        after = _replaced(secret, newest, begun, replaces)
        before = None if begun is None else begun.token_of(after)
        noted = replace(write, after=after, before=before)
        if noted != begun:
            put_note(WRITE, noted.to_text(), secret)
            secret = self._update(secret, "annotations")
        return secret, newest

    def _tagged(self, path: str, secret: resources.Secret, tags: Mapping[str, str]) -> None:
        """Give a secret the tags of what was written.

        :param secret: as it was then: its etag tells of whoever came since.
        """
        before = resources.Secret(secret)
        put_tags(tags_to_be(tags, tags_in(secret), most=RULES.tag_count), secret)
        if secret == before:
            return
        try:
            self._update(secret, "labels", "annotations")
        except (api.Aborted, api.FailedPrecondition):
            begun = Begun.noted_in(self._get(path))
            if begun is not None and begun == Begun.noted_in(before):
                raise  # Another change of tags, say: all is looked at once more.
            # Another write was begun since, and has tags of its own.

    def _written_before(
        self, secret: resources.Secret, begun: Begun, last: int, value: bytes
    ) -> SecretVersion:
        """The version that was written with this token, when it is this value.

        :param last: the newest version's number.
        """
        first = begun.after + 1
        for number in range(first, last + 1):
            try:
                found = bytes(self._access(secret.name, str(number)).payload.data)
            except api.FailedPrecondition:
                raise changed(
                    f"version {number} of {secret.name}: it can't be compared with the value, "
                    "since it is disabled or destroyed"
                ) from None
            if found == value:
                if number > first:
                    raise _overwritten(secret.name, first, number, last)
                version = self._get_version(secret.name, str(number))
                return version_of(secret, version, is_current=last == number)
        if last > first:
            raise changed(
                f"version {first} of {secret.name} was written by another; {current_told(last)}"
            )
        raise SecretsError(
            f"token: version {first} of {secret.name}, the current one, was written with it, or "
            "by another at the same time, and has another value; give a new token for a new value",
            kind=ErrorKind.ALREADY_EXISTS,
            cloud=NAME,
        )

    def _check_next(self, name: str, begun: Begun, written: resources.SecretVersion) -> None:
        number = number_of(written)
        if number != begun.after + 1:
            raise _overwritten(name, begun.after + 1, number, number)


def _overwritten(name: str, first: int, written: int, last: int) -> OverwrittenError:
    """The error for a value before which another writer's versions came.

    :param first: number of the first of these.
    :param written: of the value's version.
    :param last: of the newest one.
    """
    others = tuple(map(str, range(first, written)))
    return OverwrittenError(
        f"secret {name!r}: version {', '.join(others)} was written by another at the same time, "
        f"{written} with the value given here; {current_told(last)}",
        written=str(written),
        others=others,
        is_current=written == last,
        cloud=NAME,
    )


def _replaced(
    secret: resources.Secret,
    newest: resources.SecretVersion | None,
    begun: Begun | None,
    replaces: str | None,
) -> int:
    """The number of the version that is to be replaced, as it may be; 0 for none."""
    if replaces is None:
        if newest is None and begun is not None:
            return 0  # A write that was begun, and ended before it had written anything.
        how = "was removed; recover it first" if is_removed(secret, newest) else "is there"
        raise SecretsError(
            f"name: {secret.name} {how}",
            kind=ErrorKind.ALREADY_EXISTS,
            cloud=NAME,
        )
    check_not_removed(secret, newest)
    check_current(secret, newest, replaces, parameter="replaces")
    return 0 if newest is None else number_of(newest)


def _is_followed(begun: Begun, newest: resources.SecretVersion | None) -> bool:
    """Whether there is a version that may be what was begun."""
    return newest is not None and number_of(newest) > begun.after


def _is_uuid(token: str) -> bool:
    try:
        uuid.UUID(token)
    except ValueError:
        return False
    return True
