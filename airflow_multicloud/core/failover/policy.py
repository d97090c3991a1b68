"""When to go on to the next copy, and what to accept: data, not except-clauses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar, TypeVar

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger.memory import Remembered
from airflow_multicloud.core.ledger.names import is_in, place_of
from airflow_multicloud.core.ledger.trust import Verifier
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.lists import texts

T = TypeVar("T")

#: Outages. A missing permission is not among them: it may be a revoked one, and going on
#: would hide it.
OUTAGES = frozenset({ErrorKind.NOT_FOUND, *(kind for kind in ErrorKind if kind.is_outage)})

#: A copy that fails these was reached and found wanting (it is archived, say): the next one is
#: always tried.
REJECTIONS = frozenset({ErrorKind.INTEGRITY, ErrorKind.PRECONDITION_FAILED, ErrorKind.UNSUPPORTED})

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailoverPolicy:
    """How to choose among candidates.

    :param fail_over_on: error kinds that trigger failover to the next candidate; after others no
        candidate is tried any more for the object.
    :param attempt_timeout: the longest one candidate may take, bytes included.
    :param deadline: the overall time limit.
    :param max_staleness: reject an object of a replica that is known to be up to date until
        longer ago than this only, or not known to have been at all; one without a ledger is judged
        by the object's last modification. The live primary is never stale.
    :param expected_sha256: reject any other content.
    :param require_digest: reject content that nothing vouches for: neither
        ``expected_sha256``, nor a ledger, nor a digest reported by the store. The SHA-256 in an
        object's metadata is no such thing: anybody can write it.
    :param hedge_after: start the next candidate too when one takes longer than this; the
        first verified one wins.
    :param live_primary: whether the first candidate is the live primary, which is judged by its
        listing and its store, or a replica, which is judged by its ledger. ``None``: as ledgers
        have it. It is a replica if its ledger says so, unless another candidate's names it as its
        source, as after a failback.
    :param expected_roots: by a URI in a candidate's bucket, the root that the newest commit of its
        ledger must have; or that commit which ``at_least_commits`` names.
    :param at_least_commits: likewise, the number of a commit that its ledger must have reached.
    :param public_keys: reject a replica whose ledger's newest commit none of them has signed.
    :param remembered: commits of candidates' ledgers that were seen: a replica's newest commit must
        be this one, or a later one.
    :param list_unknown: list the replica that the names of a prefix are from as well, and report
        what lies there besides.
    """

    fail_over_on: frozenset[ErrorKind] = OUTAGES
    attempt_timeout: timedelta = timedelta(minutes=15)
    deadline: timedelta = timedelta(hours=1)
    max_staleness: timedelta | None = None
    expected_sha256: str | None = None
    require_digest: bool = False
    hedge_after: timedelta | None = None
    live_primary: bool | None = None
    expected_roots: Mapping[str, str] = field(default_factory=dict)
    at_least_commits: Mapping[str, int] = field(default_factory=dict)
    public_keys: Verifier | None = None
    remembered: tuple[Remembered, ...] = ()
    list_unknown: bool = False

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
        _check_expected(self.expected_roots, self.at_least_commits)

    def expected_at(self, end: Endpoint) -> tuple[str | None, int | None]:
        """The root and the number of a commit that the ledger of a place must have."""
        roots = _given_for(end, self.expected_roots)
        numbers = _given_for(end, self.at_least_commits)
        return next(roots, None), next(numbers, None)

    def remembered_at(self, end: Endpoint) -> Remembered | None:
        """What is remembered of the ledger of a place, unless something is expected of it."""
        if self.expected_at(end) != (None, None):
            return None
        here = place_of(end)
        return next((one for one in self.remembered if one.place == here), None)

    def check_candidates(self, candidates: Mapping[str, str]) -> None:
        """Refuse an expectation of a ledger that no candidate has, or several have.

        :param candidates: the place of the bucket of each, by its URI.
        :raises StorageError: kind ``invalid_argument``, naming it.
        """
        for name in ("expected_roots", "at_least_commits"):
            for uri in getattr(self, name):
                meant = {at for end, at in candidates.items() if is_in(uri, end, at)}
                if not meant:
                    raise _refused(name, repr(uri), "the URI of a candidate, or of its bucket")
                if len(meant) > 1:
                    what = f"one with its connection, as it is in {' and in '.join(sorted(meant))}"
                    raise _refused(name, repr(uri), what)

    def goes_on(self, kind: ErrorKind) -> bool:
        """Whether an error of this kind triggers failover to the next candidate."""
        return kind in self.fail_over_on or kind in REJECTIONS


def _given_for(end: Endpoint, given: Mapping[str, T]) -> Iterator[T]:
    here, bucket = str(end.location), place_of(end)
    return (one for uri, one in given.items() if is_in(uri, here, bucket))


def parse_kinds(given: Iterable[str]) -> frozenset[ErrorKind]:
    """Error kinds from their names.

    :raises StorageError: kind ``invalid_argument``, naming ``fail_over_on``.
    """
    kinds = texts(given, "fail_over_on", what="error kinds")
    for kind in kinds:
        if kind not in tuple(ErrorKind):
            raise _refused("fail_over_on", repr(kind), f"one of {', '.join(ErrorKind)}")
    return frozenset(ErrorKind(kind) for kind in kinds)


def _check_expected(roots: Mapping[str, str], numbers: Mapping[str, int]) -> None:
    for name, given in (("expected_roots", roots), ("at_least_commits", numbers)):
        if not isinstance(given, Mapping):
            raise _refused(name, repr(given), "a mapping, by the URIs of candidates")
    for uri, root in roots.items():
        if not isinstance(root, str) or not _SHA256.fullmatch(root):
            what = "64 lower-case hexadecimal digits: the root of a commit (ledger_root in reports)"
            raise _refused("expected_roots", f"{root!r} for {uri!r}", what)
    for uri, number in numbers.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            what = "the number of a commit, from 1 (commit in reports)"
            raise _refused("at_least_commits", f"{number!r} for {uri!r}", what)


def _refused(parameter: str, given: object, allowed: str) -> StorageError:
    return StorageError(
        f"{parameter}: {given} given, expected {allowed}", kind=ErrorKind.INVALID_ARGUMENT
    )
