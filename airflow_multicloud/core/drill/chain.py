"""The chain of evidence in a bucket: a record is added, and never changed.

Each record has the next number, names the one before it by its SHA-256, and is created only if
nothing has its key. Of two drills that end at once, one gets the number; the other one reads what
came between, and takes the next. That works where nothing may be overwritten or deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.drill.evidence import Evidence
from airflow_multicloud.core.drill.records import (
    EVIDENCE_PREFIX,
    MAX_FILE,
    MAX_NUMBER,
    ChainEntry,
    FileId,
    NewestRecord,
    Record,
    key_of,
    number_of,
    read_evidence_document,
    read_record_document,
    write_record,
)
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.signing import Signer
from airflow_multicloud.core.streams import PERHAPS_OURS, put_stream
from airflow_multicloud.errors import CloudError, ErrorKind, RetentionError, StorageError
from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions

#: How often another drill may take the number that this one wanted.
_TRIES = 50


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record that was written to a bucket.

    :param uri: of the record, which is JSON.
    :param page: the URI of the same as a page.
    :param number: in the bucket's chain.
    :param sha256: of the record's bytes. Kept elsewhere, it shows later that the record is there
        and is the same: ``verify_evidence`` takes it.
    :param page_sha256: of the page's bytes.
    """

    uri: str
    page: str
    number: int
    sha256: str
    page_sha256: str = ""


def store(
    evidence: Evidence,
    place: Endpoint,
    signer: Signer | None = None,
    siblings: Iterable[NewestRecord] = (),
) -> StoredRecord:
    """Add a record to the chain of a place's bucket, and its page; nothing is ever replaced.

    Evidence that the newest record already is, is not added again: a write whose answer got lost
    meets its own record.

    :param siblings: how far the chains in the drill's other buckets are.
    :raises StorageError: kind ``integrity`` when the newest record is too large to be read,
        ``precondition_failed`` when its number is the last there is, ``already_exists`` when
        something else has the key of the page, ``busy`` when others always were faster; also as
        the store's calls do.
    """
    page = evidence.html()
    last = max(numbers_of(place), default=0)
    for _ in range(_TRIES):
        cancellation.check()
        body = read_file(place, key_of(last)) if last else b""
        if last and _is_of(body, evidence, signer):
            return _stored(place, last, body, page)
        number = last + 1
        if number > MAX_NUMBER:
            raise StorageError(
                f"{place.location.with_key(key_of(last))} has the last number there is: no drill "
                "has written it. Find out who has, and move it away",
                kind=ErrorKind.PRECONDITION_FAILED,
                cloud=place.cloud,
            )
        entry = ChainEntry(
            number=number,
            cloud=place.cloud,
            bucket=place.bucket_and_store,
            previous=FileId(key_of(last), sha256_of(body)) if last else None,
            page=FileId(key_of(number, "html"), sha256_of(page)),
            siblings=tuple(siblings),
        )
        record = write_record(evidence, entry, signer)
        if _created(place, key_of(number), record, "application/json"):
            return _stored(place, number, record, page)
        last = number
    raise StorageError(
        f"{place.location}: {_TRIES} other records were added to the evidence in this bucket, each "
        "at the moment when this one was; try again",
        kind=ErrorKind.BUSY,
        cloud=place.cloud,
    )


def newest(place: Endpoint) -> NewestRecord | None:
    """How far the chain in a place's bucket is; nothing where no drill has written.

    :raises StorageError: kind ``integrity`` when that record is too large to be read; also as the
        store's calls do.
    """
    number = max(numbers_of(place), default=0)
    if not number:
        return None
    sha256 = sha256_of(read_file(place, key_of(number)))
    return NewestRecord(place.cloud, place.bucket_and_store, number, sha256)


def read(place: Endpoint) -> Evidence:
    """A record that :func:`store` wrote, from its JSON form. Nothing of its chain is checked.

    :raises StorageError: kind ``unsupported`` for a version that this one does not know,
        ``invalid_argument`` for what is no such record; both name the place.
    """
    try:
        return read_evidence_document(read_record_document(read_file(place, place.location.key)))
    except CloudError as err:
        if err.kind is ErrorKind.UNSUPPORTED:
            raise err.with_context(str(place.location)) from err
        if err.kind is not ErrorKind.INTEGRITY:
            raise
        raise StorageError(
            f"{place.location} is no drill evidence in JSON: {err}; give the URI of a .json "
            f"file below {EVIDENCE_PREFIX} of a bucket",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=place.cloud,
        ) from err


def read_file(place: Endpoint, key: str) -> bytes:
    """A file of a chain, of at most :data:`~airflow_multicloud.core.drill.records.MAX_FILE` bytes.

    :raises StorageError: kind ``integrity`` for a larger one.
    """
    content = bytearray()
    found = place.store.get_object(place.ref(key))
    if found.meta.size <= MAX_FILE:
        for chunk in found:
            content += chunk
            if len(content) > MAX_FILE:
                break
        else:
            return bytes(content)
    raise StorageError(
        f"{key} has more than {MAX_FILE} bytes, which no record has",
        kind=ErrorKind.INTEGRITY,
        cloud=place.cloud,
    )


def numbers_of(place: Endpoint) -> Iterator[int]:
    """The numbers of the records in a place's bucket, as they are listed."""
    for meta in place.objects(EVIDENCE_PREFIX):
        found = number_of(meta.key)
        if found is not None and found[1] == "json":
            yield found[0]


def _is_of(body: bytes, evidence: Evidence, signer: Signer | None) -> bool:
    """Whether a record is what this evidence would be in its place; what it is else is no matter.

    A record that is damaged is for ``verify_evidence`` to find. It ends no chain.
    """
    try:
        entry = Record.of(body).entry
    except CloudError:
        return False
    return write_record(evidence, entry, signer) == body


def _stored(place: Endpoint, number: int, record: bytes, page: bytes) -> StoredRecord:
    """With its page, which is written once the number is taken."""
    key = key_of(number, "html")
    if not _created(place, key, page, "text/html; charset=utf-8"):
        raise StorageError(
            f"{place.location.with_key(key)} is there already, and is not the page of this record: "
            "something else than a drill has written it",
            kind=ErrorKind.ALREADY_EXISTS,
            cloud=place.cloud,
        )
    return StoredRecord(
        uri=str(place.location.with_key(key_of(number))),
        page=str(place.location.with_key(key)),
        number=number,
        sha256=sha256_of(record),
        page_sha256=sha256_of(page),
    )


def _created(place: Endpoint, key: str, body: bytes, content_type: str) -> bool:
    """Whether these bytes are there now: another drill's are left alone."""
    condition = place.condition(None)
    options = WriteOptions(
        attributes=ObjectAttributes(content_type=content_type), condition=condition
    )
    try:
        put_stream(place, key, [body], options)
    except CloudError as err:
        if err.kind not in PERHAPS_OURS and not isinstance(err, RetentionError):
            raise
        found = _perhaps(place, key)
        if found is None:
            raise  # Nothing is there, so no number was taken: the bucket is missing, say.
        return found == body
    # Without conditional writes another drill may have overwritten it by now.
    return condition is not None or _perhaps(place, key) == body


def _perhaps(place: Endpoint, key: str) -> bytes | None:
    """What is there now; nothing for what is too large to be ours."""
    try:
        return read_file(place, key)
    except CloudError as err:
        if err.kind is ErrorKind.NOT_FOUND:
            return None
        if err.kind is ErrorKind.INTEGRITY:
            return b""
        raise
