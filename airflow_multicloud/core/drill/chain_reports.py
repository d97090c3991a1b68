"""What is expected of a chain of evidence, and what was found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from airflow_multicloud.core.signing import PublicKeys
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import ErrorKind, StorageError

#: How many sentences of a kind a report holds; all are counted.
MAX_FOUND = 100

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Flaw(StrEnum):
    """What is wrong with a record, or with the chain."""

    MISSING = "missing"
    """A number has no record, though a later one has."""
    UNREADABLE = "unreadable"
    """The file is no record, or one of a version that is not known here."""
    MISPLACED = "misplaced"
    """The record says that it is another one: of another number or bucket."""
    CHANGED = "changed"
    """The record is not the one that the next record was chained to, or that a witness knows; or
    the page is not its own."""
    UNSIGNED = "unsigned"
    """No allowed key has signed it."""
    NOT_THE_NEWEST = "not_the_newest"
    """A record that is known to have been written, from outside or by a witness, is not there."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known from elsewhere.

    :param keys: whose signatures count; without them none is looked at.
    :param signed_from: the number from which on records must be signed.
    :param at_least: the number of a record that was written.
    :param sha256: that of a record that was written.
    :raises StorageError: kind ``invalid_argument``.
    """

    keys: PublicKeys | None = None
    signed_from: int = 1
    at_least: int | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        for name, number in (("signed_from", self.signed_from), ("at_least", self.at_least)):
            if number is not None and number < 1:
                raise _invalid(f"{name}: {number} given; the first record has the number 1")
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise _invalid(
                f"expected_sha256: {self.sha256!r} given, expected 64 hexadecimal digits in lower "
                "case, as the drill reported them"
            )


@dataclass(frozen=True, slots=True)
class EvidenceReport:
    """What came of checking the chain of evidence in a bucket.

    :param place: the URI of the bucket.
    :param records: how many records there are.
    :param newest: the number of the newest one.
    :param sha256: of the newest one.
    :param signed: on how many records a signature was checked and found right.
    :param findings: how often each :class:`Flaw` was found.
    :param found: the first of them, a sentence each.
    :param notes: what is no flaw of the chain, a sentence each: a page that is lost, a file that is
        no part of it.
    """

    place: str
    records: int
    newest: int
    sha256: str | None
    signed: int
    findings: Mapping[Flaw, int]
    found: tuple[str, ...]
    notes: tuple[str, ...]

    DOCUMENT: ClassVar = Document(
        (
            "place",
            "sound",
            "records",
            "newest",
            "sha256",
            "signed",
            "findings",
            "found",
            "notes",
        )
    )

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


@dataclass(slots=True)
class Findings:
    """What has been found so far."""

    counts: Counter[Flaw] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    signed: int = 0

    def add(self, flaw: Flaw, said: str, *, times: int = 1) -> None:
        """A flaw, in a sentence."""
        self.counts[flaw] += times
        if len(self.found) < MAX_FOUND:
            self.found.append(said)

    def note(self, said: str) -> None:
        """What is no flaw, in a sentence."""
        if len(self.notes) < MAX_FOUND:
            self.notes.append(said)


def _invalid(message: str) -> StorageError:
    return StorageError(message, kind=ErrorKind.INVALID_ARGUMENT)
