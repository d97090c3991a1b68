"""Who may add the next version of a secret: of the writers of this package, one at a time.

A write is noted in an annotation, on the condition that the secret is as it was read (by its etag).
Until the version of that write is there, the note is a claim: another writer waits for it, for
:data:`CLAIM_S` at most. It measures that time by its own clock, from when it first saw the claim,
so clocks need not agree; of claims one after the other it waits for as long as three hold. The
claim's owner sends its value only while the claim has time left, and gives the request no more than
that time.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from google.api_core import exceptions as api
from google.cloud.secretmanager_v1.types import resources

from airflow_multicloud.adapters.secret_tags import tags_of_new
from airflow_multicloud.clouds.gcp import LABELS, NAME
from airflow_multicloud.clouds.gcp.secrets.annotations import (
    REMOVED,
    WRITE,
    Begun,
    put_note,
    put_tags,
)
from airflow_multicloud.clouds.gcp.secrets.client import SecretsBase
from airflow_multicloud.clouds.gcp.secrets.fields import (
    check_current,
    check_not_removed,
    is_over,
    is_removed,
    number_of,
)
from airflow_multicloud.clouds.gcp.secrets.naming import RULES
from airflow_multicloud.clouds.gcp.tries import is_refused
from airflow_multicloud.errors import ErrorKind, SecretsError

#: Seconds for which a claim holds. Adding a version takes well under a second; a writer that was
#: killed holds up the next one for this long.
CLAIM_S: Final = 10.0
#: Of these, how many its owner leaves unused: requests take time to arrive.
_SPARE: Final = 0.2
#: How many claims, one after the other, are waited for.
_CLAIMS: Final = 3
#: Seconds between two looks at another writer's claim.
LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A write that is noted.

    :param secret: with the note.
    :param newest: its newest version.
    :param until: when the claim ends, by the monotonic clock.
    """

    secret: resources.Secret
    newest: resources.SecretVersion | None
    until: float


class GCPClaims(SecretsBase):
    """Claims, made, waited for and used."""

    def _claimed(
        self,
        path: str,
        write: Begun,
        replaces: str | None,
        tags: Mapping[str, str] | None,
        *,
        wait_until: float,
    ) -> Claim:
        """The secret with this write noted, or with its version if that is there already.

        :param write: its token and attempt.
        :param wait_until: when other writers' claims have been waited for long enough.
        :raises SecretsError: ``busy`` when there still is one then.
        """
        try:
            secret, newest = self._unclaimed(path, write, wait_until)
        except api.NotFound:
            if replaces is not None:
                raise
            secret = resources.Secret(replication={"automatic": {}})
            put_tags(tags_of_new(tags, LABELS, most=RULES.tag_count), secret)
            put_note(WRITE, write.to_text(), secret)
            until = _ends()
            return Claim(secret=self._create(path, secret), newest=None, until=until)
        begun = Begun.noted_in(secret)
        if begun is not None and begun.token == write.token and is_followed(begun, newest):
            return Claim(secret=secret, newest=newest, until=_ends())
        after = _replaced(secret, newest, begun, replaces)
        before = None if begun is None else begun.token_of(after)
        if is_over(secret, newest):
            del secret.annotations[REMOVED]
        put_note(WRITE, replace(write, after=after, before=before).to_text(), secret)
        until = _ends()
        return Claim(secret=self._update(secret, "annotations"), newest=newest, until=until)

    def _unclaimed(
        self, path: str, write: Begun, wait_until: float
    ) -> tuple[resources.Secret, resources.SecretVersion | None]:
        """The secret and its newest version, once no other writer is about to add one."""
        seen: tuple[Begun, float] | None = None
        while True:
            secret, newest = self._get(path), self._newest_for_certain(path)
            claim = Begun.noted_in(secret)
            if claim is None or not claim.is_held_against(write) or is_followed(claim, newest):
                return secret, newest
            if seen is None or seen[0] != claim:
                seen = claim, time.monotonic() + CLAIM_S
            elif time.monotonic() >= seen[1]:
                return secret, newest
            if time.monotonic() >= wait_until:
                raise SecretsError(
                    f"secret {path}: other writers have claimed its next version, one after the "
                    f"other, for {_CLAIMS * CLAIM_S:g} seconds. The last claim is of token "
                    f"{claim.token}, attempt {claim.attempt} (annotation {WRITE}); try again later",
                    kind=ErrorKind.BUSY,
                    cloud=NAME,
                )
            time.sleep(LOOK_S)

    def _add_claimed(
        self, path: str, claim: Claim, payload: resources.SecretPayload
    ) -> resources.SecretVersion:
        """Add the version of a claim."""
        left = claim.until - time.monotonic()
        if left <= 0:
            raise api.Aborted(  # type: ignore[no-untyped-call]
                f"{path}: the claim to its next version has ended; another writer may have it"
            )
        try:
            return self._add(path, payload, timeout=left)
        except api.GoogleAPICallError as err:
            if is_refused(err):
                self._let_go(claim.secret)
            raise

    def _let_go(self, secret: resources.Secret) -> None:
        """Nothing was added: nobody needs to wait for it."""
        if (begun := Begun.noted_in(secret)) is not None:
            put_note(WRITE, replace(begun, attempt="").to_text(), secret)
            # The refusal is what the caller must hear of; a claim that stays ends by itself.
            with suppress(api.GoogleAPICallError):
                self._update(secret, "annotations")


def longest_wait() -> float:
    """When a write that begins now ends waiting for others' claims, by the monotonic clock."""
    return time.monotonic() + _CLAIMS * CLAIM_S


def is_followed(begun: Begun, newest: resources.SecretVersion | None) -> bool:
    """Whether there is a version that may be what was begun."""
    return newest is not None and number_of(newest) > begun.after


def _ends() -> float:
    """When a claim that is made now ends for its owner, by the monotonic clock."""
    return time.monotonic() + CLAIM_S * (1 - _SPARE)


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
