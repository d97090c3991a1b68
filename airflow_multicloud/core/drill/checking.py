"""Check a chain of evidence: that every record is there, in order, and as it was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.drill.chain import read_file
from airflow_multicloud.core.drill.chain_reports import EvidenceReport, Expected, Findings, Flaw
from airflow_multicloud.core.drill.records import (
    EVIDENCE_PREFIX,
    FileId,
    NewestRecord,
    Record,
    key_of,
    number_of,
)
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.signing import PublicKeys
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

#: A file that is gone, or is not what it should be, is a finding. Anything else ends the check.
_SAYS_SOMETHING = (ErrorKind.INTEGRITY, ErrorKind.NOT_FOUND)


def check_chain(
    place: Endpoint, expected: Expected = Expected(), witnesses: Sequence[Endpoint] = ()
) -> EvidenceReport:
    """Read every record in a place's bucket, oldest first, and its page.

    Without a public key, and without a number or a SHA-256 that is known from elsewhere, it shows
    damage and mistakes. Who may write in the bucket can write a whole new chain, or take the newest
    records away.

    :param witnesses: other buckets that the same drills wrote to. What their records say of this
        chain must hold; they are not checked themselves.
    :raises StorageError: kind ``not_found`` when there is no evidence and none is expected; also as
        the store's calls do.
    """
    result = Findings()
    numbers, pages = _listed(place, result)
    for before, number in pairwise((0, *numbers)):
        if number > before + 1:
            result.add(Flaw.MISSING, _missing(before + 1, number - 1), times=number - before - 1)
    known = expected.sha256
    last: FileId | None = None
    found: dict[int, str] = {}
    for number in numbers:
        cancellation.check()
        last = _check_record(place, number, last, expected, result)
        if last is not None:
            found[number] = last.sha256
    newest = numbers[-1] if numbers else 0
    if expected.at_least is not None and newest < expected.at_least:
        result.add(
            Flaw.NOT_THE_NEWEST,
            f"the newest record is {newest or 'none'}, and record {expected.at_least} was written",
        )
    if known is not None and known not in found.values():
        result.add(Flaw.NOT_THE_NEWEST, f"no record has the SHA-256 {known}, and one was written")
    for witness in witnesses:
        _check_witness(witness, place, found, expected.keys, result)
    if not numbers and not result.counts:
        raise StorageError(
            f"{place.location.with_key(EVIDENCE_PREFIX)}: no evidence is here; a drill writes it "
            "to the buckets that it is told",
            kind=ErrorKind.NOT_FOUND,
            cloud=place.cloud,
        )
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


def _listed(place: Endpoint, result: Findings) -> tuple[list[int], set[int]]:
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
    place: Endpoint, number: int, before: FileId | None, expected: Expected, result: Findings
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
    if where != (number, place.cloud, place.bucket_and_store):
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


def _check_link(number: int, record: Record, before: FileId | None, result: Findings) -> None:
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


def _check_signature(number: int, record: Record, keys: PublicKeys, result: Findings) -> None:
    try:
        record.check_signature(keys)
    except CloudError as err:
        result.add(Flaw.UNSIGNED, f"record {number}: {err}")
    else:
        result.signed += 1


def _check_witness(
    witness: Endpoint,
    place: Endpoint,
    found: Mapping[int, str],
    keys: PublicKeys | None,
    result: Findings,
) -> None:
    for number, said in _testimonies(witness, place, keys):
        # Buckets may have one name in two stores that have none: the other's is no matter.
        if any(found.get(one.number) == one.sha256 for one in said):
            continue
        known = said[0]
        what = f"record {number} of {witness.location.with_key('')} knows a record {known.number}"
        if known.number not in found:
            result.add(Flaw.NOT_THE_NEWEST, f"{what}, which is not here")
        else:
            result.add(Flaw.CHANGED, f"{what} with another SHA-256 ({known.sha256})")


def _testimonies(
    witness: Endpoint, place: Endpoint, keys: PublicKeys | None
) -> Iterator[tuple[int, Sequence[NewestRecord]]]:
    """What each record of a witness says of a place; one that is not signed says nothing."""
    for number in _listed(witness, Findings())[0]:
        cancellation.check()
        try:
            record = Record.of(read_file(witness, key_of(number)))
            if keys is not None:
                record.check_signature(keys)
        except CloudError as err:
            if err.kind not in (*_SAYS_SOMETHING, ErrorKind.UNSUPPORTED):
                raise
            continue
        own = (place.cloud, place.bucket_and_store)
        said = [one for one in record.entry.siblings if (one.cloud, one.bucket) == own]
        if said:
            yield number, said


def _check_page(place: Endpoint, number: int, record: Record, result: Findings) -> None:
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
