"""Check a chain of evidence: that every record is there, in order, and as it was written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import ClassVar

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.drill.chain import read_file
from airflow_multicloud.core.drill.records import (
    EVIDENCE_PREFIX,
    FileId,
    Record,
    key_of,
    number_of,
)
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.signing import PublicKeys
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

#: How many sentences of a kind a report holds; all are counted.
MAX_FOUND = 100

_SHA256 = re.compile(r"[0-9a-f]{64}")
#: A file that is gone, or is not what it should be, is a finding. Anything else ends the check.
_SAYS_SOMETHING = (ErrorKind.INTEGRITY, ErrorKind.NOT_FOUND)


class Flaw(StrEnum):
    """What is wrong with a record, or with the chain."""

    MISSING = "missing"
    """A number has no record, though a later one has."""
    UNREADABLE = "unreadable"
    """The file is no record, or one of a version that is not known here."""
    MISPLACED = "misplaced"
    """The record says that it is another one: of another number or bucket."""
    CHANGED = "changed"
    """The record is not the one that the next record was chained to; or the page is not its own."""
    UNSIGNED = "unsigned"
    """No allowed key has signed it."""
    NOT_THE_NEWEST = "not_the_newest"
    """A record that is known to have been written, by its number or its SHA-256, is not there."""


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
class _Findings:
    counts: Counter[Flaw] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    signed: int = 0

    def add(self, flaw: Flaw, said: str, *, times: int = 1) -> None:
        self.counts[flaw] += times
        if len(self.found) < MAX_FOUND:
            self.found.append(said)

    def note(self, said: str) -> None:
        if len(self.notes) < MAX_FOUND:
            self.notes.append(said)


def check_chain(place: Endpoint, expected: Expected = Expected()) -> EvidenceReport:
    """Read every record in a place's bucket, oldest first, and its page.

    Without a public key, and without a number or a SHA-256 that is known from elsewhere, it shows
    damage and mistakes. Who may write in the bucket can write a whole new chain, or take the newest
    records away.

    :raises StorageError: kind ``not_found`` when there is no evidence and none is expected; also as
        the store's calls do.
    """
    result = _Findings()
    numbers, pages = _listed(place, result)
    if not numbers and expected.at_least is None and expected.sha256 is None:
        raise StorageError(
            f"{place.location.with_key(EVIDENCE_PREFIX)}: no evidence is here; a drill writes it "
            "to the buckets that it is told",
            kind=ErrorKind.NOT_FOUND,
            cloud=place.cloud,
        )
    for before, number in pairwise((0, *numbers)):
        if number > before + 1:
            result.add(Flaw.MISSING, _missing(before + 1, number - 1), times=number - before - 1)
    known = expected.sha256
    last: FileId | None = None
    for number in numbers:
        cancellation.check()
        last = _check_record(place, number, last, expected, result)
        if last is not None and last.sha256 == known:
            known = None
    newest = numbers[-1] if numbers else 0
    if expected.at_least is not None and newest < expected.at_least:
        result.add(
            Flaw.NOT_THE_NEWEST,
            f"the newest record is {newest or 'none'}, and record {expected.at_least} was written",
        )
    if known is not None:
        result.add(Flaw.NOT_THE_NEWEST, f"no record has the SHA-256 {known}, and one was written")
    for number in sorted(pages - {*numbers}):
        result.note(f"{key_of(number, 'html')} is a page without a record")
    return EvidenceReport(
        place=str(place.location.with_key("")),
        records=len(numbers),
        newest=newest,
        sha256=last.sha256 if last else None,
        signed=result.signed,
        findings=dict(sorted(result.counts.items())),
        found=tuple(result.found),
        notes=tuple(result.notes),
    )


def _listed(place: Endpoint, result: _Findings) -> tuple[list[int], set[int]]:
    """The numbers of the records, in order, and of the pages."""
    files: dict[str, set[int]] = {"json": set(), "html": set()}
    for meta in place.objects(EVIDENCE_PREFIX):
        found = number_of(meta.key)
        if found is None:
            result.note(f"{meta.key} is no part of the chain")
        else:
            files[found[1]].add(found[0])
    return sorted(files["json"]), files["html"]


def _check_record(
    place: Endpoint, number: int, before: FileId | None, expected: Expected, result: _Findings
) -> FileId | None:
    """What the next record must name; nothing for a file that can't be read at all.

    :param before: the record of the number before, if it is there and can be read.
    """
    try:
        body = read_file(place, key_of(number))
    except CloudError as err:
        if err.kind not in _SAYS_SOMETHING:
            raise
        result.add(Flaw.UNREADABLE, f"record {number} can't be read: {err}")
        return None
    own = FileId(key_of(number), sha256_of(body))
    try:
        record = Record.of(body)
    except CloudError as err:
        result.add(Flaw.UNREADABLE, f"record {number} is no drill evidence: {err}")
        return own
    entry = record.entry
    where = (entry.number, entry.cloud, entry.bucket)
    if where != (number, place.cloud, place.bucket):
        result.add(
            Flaw.MISPLACED,
            f"record {number} says it is number {entry.number} in the bucket {entry.bucket!r} "
            f"({entry.cloud})",
        )
    _check_link(number, record, before, result)
    if expected.keys is not None and number >= expected.signed_from:
        _check_signature(number, record, expected.keys, result)
    _check_page(place, number, record, result)
    return own


def _check_link(number: int, record: Record, before: FileId | None, result: _Findings) -> None:
    named = record.entry.previous
    if number == 1:
        if named is not None:
            result.add(Flaw.MISSING, f"record 1 names one before it ({named.key})")
    elif named is None or named.key != key_of(number - 1):
        what = named.key if named else "none"
        result.add(Flaw.MISPLACED, f"record {number} names {what} as the one before it")
    elif before is not None and before.key == named.key and before.sha256 != named.sha256:
        result.add(
            Flaw.CHANGED,
            f"record {number - 1} is not the one that record {number} was chained to: its SHA-256 "
            f"is {before.sha256}, and was {named.sha256}",
        )


def _check_signature(number: int, record: Record, keys: PublicKeys, result: _Findings) -> None:
    try:
        record.check_signature(keys)
    except CloudError as err:
        result.add(Flaw.UNSIGNED, f"record {number}: {err}")
    else:
        result.signed += 1


def _check_page(place: Endpoint, number: int, record: Record, result: _Findings) -> None:
    key = key_of(number, "html")
    try:
        body = read_file(place, key)
    except CloudError as err:
        if err.kind is ErrorKind.NOT_FOUND:
            result.note(f"record {number} has lost its page ({key})")
            return
        if err.kind not in _SAYS_SOMETHING:
            raise
        result.add(Flaw.CHANGED, f"the page of record {number} can't be read: {err}")
        return
    if record.entry.page != FileId(key, sha256_of(body)):
        result.add(Flaw.CHANGED, f"the page of record {number} is not the one it was written with")


def _missing(first: int, last: int) -> str:
    return (
        f"record {first} is missing" if first == last else f"records {first} to {last} are missing"
    )


def _invalid(message: str) -> StorageError:
    return StorageError(message, kind=ErrorKind.INVALID_ARGUMENT)
