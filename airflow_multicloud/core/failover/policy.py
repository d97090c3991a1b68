"""When to go on to the next copy, and what to accept: data, not except-clauses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from airflow_multicloud.documents import Document
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.lists import texts

#: Outages. A missing permission is not among them: it may be a revoked one, and going on
#: would hide it.
OUTAGES = frozenset(
    {
        ErrorKind.UNAVAILABLE,
        ErrorKind.BUSY,
        ErrorKind.TIMEOUT,
        ErrorKind.THROTTLED,
        ErrorKind.NOT_FOUND,
    }
)

#: A copy that fails these was reached and found wanting (it is archived, say): the next one is
#: always tried.
REJECTIONS = frozenset({ErrorKind.INTEGRITY, ErrorKind.PRECONDITION_FAILED, ErrorKind.UNSUPPORTED})

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailoverPolicy:
    """How to choose among candidates.

    :param fail_over_on: error kinds that trigger failover to the next candidate; others end the
        fetch.
    :param attempt_timeout: the longest one candidate may take, bytes included.
    :param deadline: the overall time limit.
    :param max_staleness: reject a replica whose last complete replication began longer ago
        than this; one without a manifest is judged by the object's last modification. The
        primary is never stale.
    :param expected_sha256: reject any other content.
    :param require_digest: reject content that nothing vouches for: neither
        ``expected_sha256``, nor a manifest, nor a digest reported by the store. The SHA-256 in an
        object's metadata is no such thing: anybody can write it.
    :param hedge_after: start the next candidate too when one takes longer than this; the
        first verified one wins.
    """

    fail_over_on: frozenset[ErrorKind] = OUTAGES
    attempt_timeout: timedelta = timedelta(minutes=15)
    deadline: timedelta = timedelta(hours=1)
    max_staleness: timedelta | None = None
    expected_sha256: str | None = None
    require_digest: bool = False
    hedge_after: timedelta | None = None

    #: What a drill shows of it.
    DOCUMENT: ClassVar = Document(("fail_over_on", "attempt_timeout", "deadline", "require_digest"))

    def __post_init__(self) -> None:
        """Refuse what makes no sense, naming the parameter."""
        object.__setattr__(self, "fail_over_on", parse_kinds(self.fail_over_on))
        for name in ("attempt_timeout", "deadline", "max_staleness", "hedge_after"):
            given: timedelta | None = getattr(self, name)
            if given is not None and given <= timedelta(0):
                raise _refused(name, given, "a positive duration")
        if self.expected_sha256 is not None:
            lowered = self.expected_sha256.lower()
            if not _SHA256.fullmatch(lowered):
                raise _refused("expected_sha256", self.expected_sha256, "64 hexadecimal digits")
            object.__setattr__(self, "expected_sha256", lowered)

    def goes_on(self, kind: ErrorKind) -> bool:
        """Whether an error of this kind triggers failover to the next candidate."""
        return kind in self.fail_over_on or kind in REJECTIONS


def parse_kinds(given: Iterable[str]) -> frozenset[ErrorKind]:
    """Error kinds from their names.

    :raises StorageError: kind ``invalid_argument``, naming ``fail_over_on``.
    """
    kinds = texts(given, "fail_over_on", what="error kinds")
    for kind in kinds:
        if kind not in tuple(ErrorKind):
            raise _refused("fail_over_on", repr(kind), f"one of {', '.join(ErrorKind)}")
    return frozenset(ErrorKind(kind) for kind in kinds)


def _refused(parameter: str, given: object, allowed: str) -> StorageError:
    return StorageError(
        f"{parameter}: {given} given, expected {allowed}", kind=ErrorKind.INVALID_ARGUMENT
    )
