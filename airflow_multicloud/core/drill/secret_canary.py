"""A secret that only this drill knows, written to the primary store and looked for in its copies.

Its value is told to nobody: what leaves this module is its SHA-256, which tells nothing of 256
random bits.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar, Final

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.deliveries import Destination
from airflow_multicloud.core.secret_sync.looking import described
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import CloudError, ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import Secret, SecretsService, SecretState
from airflow_multicloud.text import given_text

#: How the canary's name goes on below the prefix; then comes which store it is written to first.
CANARY: Final = "drill-canary-"
#: The tag of a secret that a drill may replace, and its value.
DRILL_TAG: Final = ("airflow-multicloud-drill", "canary")

_STORE_DIGITS = 8
_RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CanarySecret:
    """What a drill must find again in every copy.

    :param conn_id: of the store that it was written to.
    :param name: the secret's, as far as it came to that.
    :param written_at: ``None`` where it could not be written.
    :param version: as the store calls it.
    :param sha256: of its value.
    :param problem: why it could not be written.
    """

    conn_id: str
    cloud: str
    name: str = ""
    written_at: datetime | None = None
    version: str | None = None
    sha256: str | None = None
    problem: str | None = None


class CopyState(StrEnum):
    """What a copy of the canary was found to be."""

    SAME = "same"
    MISSING = "missing"
    DIFFERENT = "different"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryCopy:
    """One copy, as its own store has it.

    :param detail: what was seen, in a sentence without the store.
    """

    conn_id: str
    cloud: str
    state: CopyState
    detail: str
    error_kind: ErrorKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryCopies:
    """What became of the canary everywhere.

    :param name: the secret's, the same everywhere.
    """

    DOCUMENT: ClassVar = Document(("name", "found", "copies"))

    name: str
    copies: tuple[CanaryCopy, ...]

    @property
    def found(self) -> bool:
        """Whether every copy has the value that was written."""
        return all(one.state is CopyState.SAME for one in self.copies)

    def raise_if_lost(self) -> None:
        """Raise unless every copy has it.

        :raises SecretsError: naming the stores; its kind is the first that a retry can't mend.
        """
        if self.found:
            return
        bad = [one for one in self.copies if one.state is not CopyState.SAME]
        kinds = [one.error_kind or ErrorKind.INTEGRITY for one in bad]
        lasting = [kind for kind in kinds if not kind.retryable]
        told = "; ".join(f"{one.conn_id}: {one.detail}" for one in bad)
        raise SecretsError(f"canary secret {self.name}: {told}", kind=(lasting or kinds)[0])


def canary_secret_name(prefix: str, store_id: str) -> str:
    """What the canary of a store is called, there and in every copy.

    A store has one of its own, as what was a copy yesterday may be the primary today: neither's
    drill then meets what it did not write.

    :param store_id: the store's full name, as its cloud gives it.
    """
    digits = hashlib.sha256(store_id.encode()).hexdigest()[:_STORE_DIGITS]
    return f"{prefix}{CANARY}{digits}"


def check_canary_prefix(given: object) -> str:
    """How the names of the copied secrets begin, which is part of the canary's name.

    :raises SecretsError: ``invalid_argument`` for no text, or an empty one.
    """
    if isinstance(given, str) and given:
        return given
    told = "nothing" if given in (None, "") else given_text(given)
    raise SecretsError(
        f"prefix: {told} given, expected how the names of the copied secrets begin, as a text",
        kind=ErrorKind.INVALID_ARGUMENT,
    )


def write_canary_secret(store: Destination[SecretsService], prefix: str) -> CanarySecret:
    """Write a canary that nobody has seen, or replace the one of the drill before.

    :param store: the primary.
    :param prefix: how the names of the secrets begin that are copied.
    :raises SecretsError: ``invalid_argument`` for no prefix; ``already_exists`` when somebody else
        has a secret of this name, which stays.
    :raises CloudError: when the store can't be used.
    """
    check_canary_prefix(prefix)
    hook = _hook_of(store)
    name = canary_secret_name(prefix, hook.describe_store().id)
    there = described(hook, name)
    _check_ours(there, name)
    now = datetime.now(UTC)
    # One line without a structure: Airflow masks parts of what has one, and times are in any log.
    value = f"drill canary {now.isoformat()} {secrets.token_hex(_RANDOM_BYTES)}".encode()
    written = hook.write_secret(
        name,
        value,
        token=str(uuid.uuid4()),
        replaces=None if there is None or there.current is None else there.current.id,
        tags=dict([DRILL_TAG]) if there is None else None,
    )
    return CanarySecret(
        conn_id=store.conn_id,
        cloud=store.cloud,
        name=name,
        written_at=now,
        version=written.id,
        sha256=sha256_of(value),
    )


def look_for_canary(
    canary: CanarySecret, copies: Sequence[Destination[SecretsService]]
) -> CanaryCopies:
    """Read the canary from each copy, without asking the store that it was written to.

    A store that can't be read costs no other one.

    :raises SecretsError: ``invalid_argument`` for a canary that was not written, and for the store
        that it was written to among the copies: what is found there shows nothing.
    """
    if canary.sha256 is None:
        raise SecretsError(
            f"canary: {canary.name or 'it'} was not written, so no copy can have it",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    if canary.conn_id in {one.conn_id for one in copies}:
        raise SecretsError(
            f"destinations: {canary.conn_id} given, which the canary was written to; expected the "
            "stores that have copies",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return CanaryCopies(
        name=canary.name,
        copies=tuple(_copy(canary, canary.sha256, one) for one in copies),
    )


def _copy(canary: CanarySecret, sha256: str, store: Destination[SecretsService]) -> CanaryCopy:
    cancellation.check()
    state, kind = CopyState.SAME, None
    detail = f"{canary.name} has the value that was written to {canary.conn_id}"
    try:
        found = _hook_of(store).read_secret(canary.name).value
        if sha256_of(found) != sha256:
            state, kind = CopyState.DIFFERENT, ErrorKind.INTEGRITY
            detail = f"{canary.name} has another value than the one written to {canary.conn_id}"
    except CloudError as err:
        kind = err.kind
        if kind is ErrorKind.NOT_FOUND:
            state, detail = CopyState.MISSING, f"{canary.name} is missing"
        else:
            state = CopyState.UNREADABLE
            detail = f"{canary.name} can't be read: {err.kind}: {err}"
    return CanaryCopy(
        conn_id=store.conn_id, cloud=store.cloud, state=state, detail=detail, error_kind=kind
    )


def _check_ours(there: Secret | None, name: str) -> None:
    """Refuse what no drill has written: it stays as it is."""
    if there is None:
        return
    key, value = DRILL_TAG
    if there.tags.get(key) != value:
        raise SecretsError(
            f"{name}: a secret of this name is there that no drill has written (it lacks the tag "
            f"{key}={value}), and stays as it is; rename it, or give another prefix",
            kind=ErrorKind.ALREADY_EXISTS,
        )
    if there.state is SecretState.REMOVED:
        raise SecretsError(
            f"{name}: the canary of earlier drills was removed, and keeps its name until it can't "
            "be recovered any more; recover it, and the next drill replaces its value",
            kind=ErrorKind.PRECONDITION_FAILED,
        )


def _hook_of(store: Destination[SecretsService]) -> SecretsService:
    if store.hook is None:
        raise store.error or CloudError("it has no hook", kind=ErrorKind.UNSUPPORTED)
    return store.hook
