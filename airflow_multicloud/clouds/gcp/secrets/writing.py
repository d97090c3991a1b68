"""Writing values: https://cloud.google.com/secret-manager/docs/add-secret-version.

Google adds a version whatever was added before, and as often as it is asked. So a write is noted
first, in an annotation of the secret: of two writers of this package, one waits for the other (see
:mod:`airflow_multicloud.clouds.gcp.secrets.claims`). The note has the token and the number of the
newest version; what was written is the version after it. Versions are numbered without gaps, so
that the number of what was added tells whether another writer came in between. Tags are changed
last: they tell what is there, also when a writer ends half-way.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping

from google.api_core import exceptions as api
from google.cloud.secretmanager_v1.types import resources

from airflow_multicloud.adapters.masking import mask_value
from airflow_multicloud.adapters.secret_tags import tags_to_be
from airflow_multicloud.adapters.secret_tokens import is_token
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.secrets.annotations import (
    Begun,
    put_tags,
    tags_in,
)
from airflow_multicloud.clouds.gcp.secrets.claims import GCPClaims, is_followed, longest_wait
from airflow_multicloud.clouds.gcp.secrets.fields import (
    changed,
    current_told,
    number_of,
    version_of,
)
from airflow_multicloud.clouds.gcp.secrets.naming import RULES, check_value, refused
from airflow_multicloud.clouds.gcp.secrets.reading import payload_of
from airflow_multicloud.errors import ErrorKind, OverwrittenError, SecretsError
from airflow_multicloud.ports.secrets import SecretVersion


class GCPWriting(GCPClaims):
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
        if not is_token(token):
            raise refused("token: no UUID given; expected one, for this value of this secret")
        put_tags(tags or {}, resources.Secret())
        mask_value(value)

        call, tries, wait_until = uuid.uuid4().hex, itertools.count(1), longest_wait()

        def write() -> SecretVersion:
            attempt = f"{call}.{next(tries)}"
            begun = Begun(token, 0, attempt)
            claim = self._claimed(path, begun, replaces, tags, wait_until=wait_until)
            secret, newest = claim.secret, claim.newest
            noted = Begun.noted_in(secret)
            if noted is None or noted.token != token:
                raise changed(f"secret {name!r} was changed at the same time")
            if newest is not None and is_followed(noted, newest):
                written = self._written_before(secret, noted, number_of(newest), value)
            else:
                added = self._add_claimed(path, claim, payload_of(value))
                self._check_next(name, noted, added)
                written = version_of(secret, added, is_current=True)
            if tags is not None:
                self._tagged(path, secret, tags)
            return written

        return self._done(f"writing secret {name!r}", write)

    def _tagged(self, path: str, secret: resources.Secret, tags: Mapping[str, str]) -> None:
        """Give a secret the tags of the value that was written.

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
