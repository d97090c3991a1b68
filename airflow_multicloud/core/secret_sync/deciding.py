"""What to do with one secret at one destination: pure, except for asking what the source had."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from airflow_multicloud.core.secret_sync.identity import COPY_TAG, FROM_TAG, OWN_TAGS, Pair
from airflow_multicloud.core.secret_sync.looking import LOOK_BACK, Seen
from airflow_multicloud.core.secret_sync.options import OnConflict, SyncOptions
from airflow_multicloud.core.secret_sync.outcomes import (
    WRITING,
    FindingKind,
    SyncOutcome,
    Verdict,
)
from airflow_multicloud.core.secret_sync.tags import why_unfit
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.secrets import Secret, SecretRules, SecretState, SecretVersion

#: The source's versions, but for the current one, that have the value of this digest.
Had = Callable[[bytes], Iterable[SecretVersion]]
#: The destination's newest versions, and ids of the source's; both the newest first.
Versions = Callable[[], tuple[Sequence[SecretVersion], Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A secret at the source and at a destination, as they were found.

    :param rules: the destination's.
    :param check_tags: raises for tags that the destination can't have.
    :param recovers: whether the destination can take back a removal.
    :param written: the destination's versions that this run wrote.
    """

    pair: Pair
    source: Seen
    there: Seen
    rules: SecretRules
    options: SyncOptions
    had: Had
    versions: Versions
    check_tags: Callable[[Mapping[str, str]], None]
    recovers: bool = False
    written: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do.

    :param tags: what the secret's tags are to be.
    :param recover: whether the removal is taken back first; what is then there is looked at again.
    """

    verdict: Verdict
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    recover: bool = False

    @property
    def writes(self) -> bool:
        """Whether it takes a request that changes something."""
        return self.verdict.outcome in WRITING


def decide(case: Case) -> Step:
    """What to do with the secret at the destination.

    :raises CloudError: when the source can't be asked what it has had.
    """
    source, there = case.source, case.there
    if (unusable := _unusable(source)) is not None:
        return Step(verdict=unusable)
    if there.secret is None:
        return _write(case, SyncOutcome.CREATED)
    if there.secret.state is SecretState.REMOVED:
        return _removed(case, there.secret)
    if there.digest is None or source.digest is None:
        return _unreadable(case, there.secret)
    if hmac.compare_digest(there.digest, source.digest):
        return _equal(case, there.secret)
    why = _why_not_behind(case, there.secret, there.digest)
    return _write(case, SyncOutcome.REPLACED) if why is None else _conflict(case, *why)


def _unusable(source: Seen) -> Verdict | None:
    if source.is_gone:
        return Verdict(
            outcome=SyncOutcome.FAILED,
            finding=FindingKind.SOURCE_MISSING,
            message="the source does not have it",
            error_kind=ErrorKind.NOT_FOUND,
        )
    if source.secret is not None and source.secret.managed_by is not None:
        return managed(source.secret)
    if source.digest is None:
        return Verdict(
            outcome=SyncOutcome.SKIPPED,
            finding=FindingKind.SOURCE_NOT_READABLE,
            message="at the source it is disabled or has no version, so nothing is compared",
        )
    return None


def managed(secret: Secret) -> Verdict:
    """What becomes of a secret that a service of the source's cloud keeps.

    Its value is that service's: a certificate's private key, a database's password that changes.
    """
    return Verdict(
        outcome=SyncOutcome.SKIPPED,
        finding=FindingKind.MANAGED,
        message=f"at the source it is kept by {secret.managed_by}, whose secrets are not copied",
    )


def _removed(case: Case, there: Secret) -> Step:
    until = "" if there.recoverable_until is None else f" until {_at(there.recoverable_until)}"
    message = f"it was removed at the destination and can be recovered{until}"
    if case.options.on_conflict is not OnConflict.OVERWRITE:
        return _left(case, FindingKind.REMOVED, message)
    if not case.recovers:
        return _left(case, FindingKind.REMOVED, f"{message}, but not by this cloud's hook")
    return Step(
        verdict=Verdict(outcome=SyncOutcome.REPLACED, finding=FindingKind.REMOVED, message=message),
        recover=True,
    )


def _unreadable(case: Case, there: Secret) -> Step:
    if there.managed_by is not None:
        return _unfit(
            FindingKind.MANAGED,
            f"at the destination it is kept by {there.managed_by}, which alone may write it; "
            "rename the source's",
        )
    if there.current is None and case.pair.made(there.tags):
        # A run ended between the secret and its first version, which are two steps in some clouds.
        return _write(case, SyncOutcome.CREATED)
    if there.current is None:
        message = "at the destination it has no version, so nothing can be compared"
        return Step(
            verdict=Verdict(
                outcome=SyncOutcome.FAILED,
                finding=FindingKind.NOT_READABLE,
                message=f"{message}; remove it there, or write a version",
                error_kind=ErrorKind.PRECONDITION_FAILED,
            )
        )
    message = f"at the destination it is disabled (version {there.current.id})"
    return _conflict(case, FindingKind.NOT_READABLE, message)


def _equal(case: Case, there: Secret) -> Step:
    wanted = {**_source_tags(case), **_mark_that_is_missing(case, there)}
    if all(there.tags.get(key) == value for key, value in wanted.items()):
        return Step(verdict=Verdict(outcome=SyncOutcome.UNCHANGED, version=case.there.version))
    return _fitting(case, SyncOutcome.TAGGED, {**there.tags, **wanted})


def _mark_that_is_missing(case: Case, there: Secret) -> dict[str, str]:
    """The current copy's mark, if the run that wrote the copy ended before it set the mark."""
    key, token = case.pair.tag_of(there.tags), _current(there).token
    if key is None or case.pair.is_last(there.tags, token):
        return {}
    version = case.pair.written_from(token, *case.versions())
    return {} if version is None else {key: case.pair.mark(version, token or "")}


def _why_not_behind(case: Case, there: Secret, digest: bytes) -> tuple[FindingKind, str] | None:
    """Why the destination's value is not simply one that the source had before."""
    current, copy = _current(case.source.secret), _current(there)
    if copy.id in case.written:
        return None
    versions = (
        f"destination: version {copy.id} of {_at(copy.created_at)}; "
        f"source: version {current.id} of {_at(current.created_at)}"
    )
    last = case.pair.last_write(there, *case.versions())
    earlier: SecretVersion | None = None
    for version in case.had(digest):
        if last != current.id and _is_behind(case, there, version, last):
            return None
        earlier = earlier or version
    if earlier is None:
        return (
            FindingKind.UNKNOWN_VALUE,
            f"its value at the destination is none of the {LOOK_BACK} last ones that the source "
            f"still tells of ({versions})",
        )
    return (
        FindingKind.WRITTEN_BACK,
        f"its value at the destination is the source's version {earlier.id}, put back after a "
        f"later one was there ({versions})",
    )


def _is_behind(case: Case, there: Secret, version: SecretVersion, last: str | None) -> bool:
    """Whether a copy with this earlier version's value is simply behind: nobody else wrote it.

    :param last: the version that this pair wrote last. Times are compared only where nothing was:
        they are of two clocks, and a copy that was put back has that of its own writing.
    """
    copy = _current(there)
    if last is None:
        return copy.created_at <= _current(case.source.secret).created_at
    return version.id == last or (not last and case.pair.is_last(there.tags, copy.token))


def _conflict(case: Case, kind: FindingKind, message: str) -> Step:
    if case.options.on_conflict is OnConflict.OVERWRITE:
        return _write(case, SyncOutcome.REPLACED, kind, message)
    return _left(case, kind, message)


def _left(case: Case, kind: FindingKind, message: str) -> Step:
    kept = case.options.on_conflict is OnConflict.KEEP
    return Step(
        verdict=Verdict(
            outcome=SyncOutcome.KEPT if kept else SyncOutcome.CONFLICT,
            finding=kind,
            message=message,
            error_kind=None if kept else ErrorKind.PRECONDITION_FAILED,
        )
    )


def _write(
    case: Case, outcome: SyncOutcome, kind: FindingKind | None = None, message: str = ""
) -> Step:
    """The source's value and tags; what the destination has of its own stays."""
    most = case.rules.largest(text=case.source.text)
    if not case.source.size and not case.rules.takes_empty:
        return _unfit(FindingKind.EMPTY, "its value is empty, which the destination can't have")
    if case.source.size > most:
        return _unfit(
            FindingKind.TOO_LARGE,
            f"its value has {case.source.size} bytes, at most {most} allowed at the destination"
            + ("" if case.source.text else " for values that are not text"),
        )
    had = {} if case.there.secret is None else case.there.secret.tags
    created = outcome is SyncOutcome.CREATED or case.pair.made(had)
    version = _current(case.source.secret).id
    mark = case.pair.mark(version, case.pair.token(version, case.there.version))
    own = {COPY_TAG if created else FROM_TAG: mark}
    kept = {key: value for key, value in had.items() if key not in OWN_TAGS}
    return _fitting(case, outcome, {**kept, **_source_tags(case), **own}, kind, message)


def _fitting(
    case: Case,
    outcome: SyncOutcome,
    tags: Mapping[str, str],
    kind: FindingKind | None = None,
    message: str = "",
) -> Step:
    why = why_unfit(
        tags, of_source=_source_tags(case), most=case.rules.tag_count, check=case.check_tags
    )
    if why is not None:
        return _unfit(FindingKind.TAGS, why)
    return Step(verdict=Verdict(outcome=outcome, finding=kind, message=message), tags=tags)


def _unfit(kind: FindingKind, message: str) -> Step:
    return Step(
        verdict=Verdict(
            outcome=SyncOutcome.FAILED,
            finding=kind,
            message=message,
            error_kind=ErrorKind.INVALID_ARGUMENT,
        )
    )


def _source_tags(case: Case) -> dict[str, str]:
    secret = case.source.secret
    if secret is None or not case.options.preserve_tags:
        return {}
    return {key: value for key, value in secret.tags.items() if key not in OWN_TAGS}


def _current(secret: Secret | None) -> SecretVersion:
    if secret is None or secret.current is None:
        raise ValueError("a secret without a version is decided on before")
    return secret.current


def _at(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
