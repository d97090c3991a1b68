"""What speaks for a ledger besides itself: what a caller remembers, other ledgers, a signature.

Whoever can write to a bucket can rewrite its ledger. What it says is then well-formed, and only
somebody who knew it before can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from airflow_multicloud.core.endpoints import Endpoint, naming
from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.ledger.chain import End, search
from airflow_multicloud.core.ledger.commits import Sibling
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.text import printable

#: How many commits of a ledger are looked at for the one that another ledger has seen.
FURTHEST = 2_000
#: Old commits may be deleted, as each later one has the whole state; not so soon after a run has
#: seen them in another ledger.
KEPT = timedelta(days=30)

_SHA256 = re.compile(r"[0-9a-f]{64}")

_MEANING = (
    "the ledger was rolled back, written anew or restarted since then; find out who wrote to the "
    "bucket, and compare with other replicas; if this is known and right, expect the commit that "
    "is there now"
)
_WHO_IS_RIGHT = (
    "which of the two is right can't be told from them alone, but only by a third ledger, by "
    "expected_root, or by a signature"
)


class Signed(Protocol):
    """What a signature is about."""

    @property
    def sha256(self) -> str:
        """The root of the commit that was signed."""
        ...


class Verifier(Protocol):
    """The public keys whose signatures count."""

    def verify(self, envelope: bytes) -> Signed:
        """What an envelope says.

        :raises StorageError: kind ``integrity`` unless one of the keys has signed it.
        """
        ...

    def signers(self, envelope: bytes) -> tuple[str, ...]:
        """The ids of the keys that have signed an envelope that counts."""
        ...


def check_expectation(expected_root: str | None, at_least_commit: int | None) -> None:
    """Refuse what can't name a commit.

    :raises StorageError: kind ``invalid_argument``, naming the parameter.
    """
    if expected_root is not None and not _SHA256.fullmatch(expected_root):
        raise StorageError(
            f"expected_root: {expected_root!r} given, expected the 64 lower-case hexadecimal "
            "digits of a commit's root (ledger_root in reports)",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    if at_least_commit is not None and at_least_commit < 1:
        raise StorageError(
            f"at_least_commit: {at_least_commit} given, expected the number of a commit, from 1",
            kind=ErrorKind.INVALID_ARGUMENT,
        )


def check_expected(head: Head, expected_root: str | None, at_least_commit: int | None) -> None:
    """Refuse a ledger that is not the one that a caller remembers.

    :param head: its newest commit.
    :param expected_root: alone, the newest commit must have it; with ``at_least_commit``, the
        commit of that number, which is the newest or comes before it.
    :param at_least_commit: alone, the newest commit must have this number or a greater one.
    :raises StorageError: kind ``integrity``.
    """
    check_expectation(expected_root, at_least_commit)
    now = _named(head.commit.number, head.root)
    if at_least_commit is not None and head.commit.number < at_least_commit:
        wanted = _named(at_least_commit, expected_root)
        raise _unexpected(head.end, f"the newest commit is {now}, but {wanted} was expected")
    if expected_root is None:
        return
    if at_least_commit is None:
        if head.root != expected_root:
            raise _unexpected(
                head.end,
                f"the newest commit is {now}, but one of root {expected_root} was expected (where "
                "later ones are right too, give its number as at_least_commit as well)",
            )
        return
    found = search(head, at_least_commit, furthest=None)
    if found.root != expected_root:
        wanted = _named(at_least_commit, expected_root)
        raise _unexpected(
            head.end, f"{wanted} was expected among the commits up to {now}, but {found.why}"
        )


def check_none_expected(
    end: Endpoint, expected_root: str | None, at_least_commit: int | None
) -> None:
    """Refuse that there is no ledger where a caller remembers one.

    :raises StorageError: kind ``integrity``.
    """
    check_expectation(expected_root, at_least_commit)
    if expected_root is not None or at_least_commit is not None:
        wanted = _named(at_least_commit, expected_root)
        raise _unexpected(end, f"there is no ledger in this bucket, but {wanted} was expected")


def check_signature(head: Head, keys: Verifier | None) -> tuple[str, ...]:
    """Refuse a commit that none of these keys has signed.

    A commit holds the whole state after it, so the signature of the newest one covers all.

    :param keys: ``None``: signatures are not looked at.
    :return: the ids of those that have signed it.
    :raises StorageError: kind ``integrity``.
    """
    if keys is None:
        return ()
    if head.signature is None:
        raise _unsigned(head, "it is not signed")
    try:
        signed = keys.verify(head.signature)
    except CloudError as err:
        raise _unsigned(head, str(err)) from err
    if signed.sha256 != head.root:
        raise _unsigned(head, f"its signature is about {signed.sha256}, and its root {head.root}")
    return keys.signers(head.signature)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two ledgers that can't both be right.

    :param other: the place of the ledger that this one is compared with.
    """

    other: str
    reason: str

    def __str__(self) -> str:
        """One line."""
        return printable(self.reason)


@dataclass(frozen=True, slots=True)
class Corroboration:
    """What other ledgers make of one.

    :param contradictions: what can't be.
    :param unknown: what could not be compared, and why; a sentence each.
    :param heads: the newest commits of those that could be read.
    """

    contradictions: tuple[Contradiction, ...] = ()
    unknown: tuple[str, ...] = ()
    heads: tuple[Head, ...] = ()


def ask(head: Head, siblings: Iterable[Endpoint]) -> Corroboration:
    """Compare a ledger with those of other replicas, as far as they can be read.

    :param siblings: any place in the bucket of each.
    :raises StorageError: kind ``not_found`` when one has no bucket; as :func:`corroborate` else.
    """
    heads: list[Head] = []
    contradictions: list[Contradiction] = []
    unknown: list[str] = []
    for end in siblings:
        place = place_of(end)
        try:
            with naming("siblings", end):
                found = reading.newest(end)
        except CloudError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                raise
            unknown.append(printable(f"the ledger of {place} can't be read: {err.kind}: {err}"))
            continue
        if found is not None and found.root == head.root:
            unknown.append(f"{end.location} has the same ledger")
        elif found is not None:
            heads.append(found)
        elif seen := _said(head, place):
            why = f"{_has_seen(head, seen[0])}, and there is none now; {_WHO_IS_RIGHT}"
            contradictions.append(Contradiction(place, why))
        else:
            unknown.append(f"{end.location} has no ledger")
    compared = corroborate(head, heads)
    return Corroboration(
        (*contradictions, *compared.contradictions), (*unknown, *compared.unknown), tuple(heads)
    )


def corroborate(head: Head, others: Iterable[Head]) -> Corroboration:
    """Compare a ledger with others: each says which commit of the others a run has seen.

    :raises StorageError: kind ``integrity`` when this ledger's own commits do not follow on each
        other; of the others that is unknown only.
    """
    contradictions: list[Contradiction] = []
    unknown: list[str] = []
    for other in others:
        here, there = head.commit.place, other.commit.place
        claims = [(other, seen, head) for seen in _said(other, here)]
        claims += [(head, seen, other) for seen in _said(head, there)]
        if not claims:
            unknown.append(f"the ledgers of {here} and {there} say nothing of each other")
        for says, seen, about in claims:
            try:
                wrong, why = _judge(says, seen, about)
            except CloudError as err:
                if about is head:
                    raise
                wrong, why = False, f"the ledger of {there} can't be followed back: {err}"
            if why and wrong:
                contradictions.append(Contradiction(there, why))
            elif why:
                unknown.append(printable(why))
    return Corroboration(tuple(contradictions), tuple(unknown))


def _said(head: Head, place: str) -> list[Sibling]:
    return [one for one in head.commit.siblings if one.place == place]


def _judge(says: Head, seen: Sibling, about: Head) -> tuple[bool, str | None]:
    """Whether a ledger is not the one that another one saw, or why that can't be told."""
    said = _has_seen(says, seen)
    if seen.number > about.commit.number:  # It may have been made after this one was read.
        about = reading.newest(about.end) or about
    if seen.number > about.commit.number:
        return True, f"{said}, which now ends with commit {about.commit.number}; {_WHO_IS_RIGHT}"
    found = search(about, seen.number, furthest=FURTHEST)
    if found.root == seen.root:
        return False, None
    wrong = found.end is not End.TOO_FAR and not (
        found.end is End.DELETED and datetime.now(UTC) - seen.seen > KEPT
    )
    if wrong:
        return True, f"{said}, but {found.why}; {_WHO_IS_RIGHT}"
    return False, f"{said}; whether that is so can't be told, as {found.why}"


def _has_seen(says: Head, seen: Sibling) -> str:
    return (
        f"the ledger of {says.commit.place} has seen {_named(seen.number, seen.root)} of the "
        f"ledger of {seen.place} at {seen.seen.isoformat(timespec='seconds')}"
    )


def _named(number: int | None, root: str | None) -> str:
    of_root = f" of root {root}" if root else ""
    return f"a commit{of_root}" if number is None else f"commit {number}{of_root}"


def _unexpected(end: Endpoint, why: str) -> StorageError:
    return StorageError(
        f"{place_of(end)}: {why}: {_MEANING}", kind=ErrorKind.INTEGRITY, cloud=end.cloud
    )


def _unsigned(head: Head, why: str) -> StorageError:
    return StorageError(
        f"{head.uri}: {why}; only commits that were signed with one of the given keys count: have "
        "every run sign, or find out who wrote this one",
        kind=ErrorKind.INTEGRITY,
        cloud=head.end.cloud,
    )
