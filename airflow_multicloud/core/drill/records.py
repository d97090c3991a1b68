"""One record of a chain of evidence, as the bytes of one file.

It is JSON in lines. A signature is the second of them: without that line the file is, byte by
byte, what was signed (``sed 2d``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from airflow_multicloud import __version__
from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core.drill.evidence import Evidence
from airflow_multicloud.core.endpoints import RESERVED_PREFIX
from airflow_multicloud.core.signing import PredicateType, PublicKeys, Signer, Statement
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

EVIDENCE_PREFIX = f"{RESERVED_PREFIX}evidence/"
#: A larger file is not read: a record has some tens of thousands of bytes.
MAX_FILE = 8 << 20

_DIGITS = 10
#: The last number that a key has room for.
MAX_NUMBER = 10**_DIGITS - 1
_KEY = re.compile(rf"{re.escape(EVIDENCE_PREFIX)}(\d{{{_DIGITS}}})\.(json|html)")
_SIGNATURE = b'  "signature": '


def key_of(number: int, suffix: str = "json") -> str:
    """The key of a record; with the suffix ``html``, that of its page."""
    return f"{EVIDENCE_PREFIX}{number:0{_DIGITS}}.{suffix}"


def number_of(key: str) -> tuple[int, str] | None:
    """The number and the suffix of a key that :func:`key_of` made."""
    found = _KEY.fullmatch(key)
    return (int(found[1]), found[2]) if found and int(found[1]) else None


@dataclass(frozen=True, slots=True)
class FileId:
    """A file, and the SHA-256 of its bytes."""

    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class NewestRecord:
    """The newest record of another bucket, when a drill wrote to both.

    :param bucket: as :class:`ChainEntry`'s.
    :param number: of that record.
    :param sha256: of its bytes.
    """

    cloud: str
    bucket: str
    number: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ChainEntry:
    """Where a record stands.

    :param number: in its bucket, from 1 on.
    :param cloud: of the bucket.
    :param bucket: the bucket that it was written to; with ``@`` and its store, where the cloud has
        several.
    :param previous: the record before it, as it was found; none for the first.
    :param page: the same evidence, for people.
    :param siblings: how far the chains in the drill's other buckets were.
    """

    number: int
    cloud: str
    bucket: str
    previous: FileId | None
    page: FileId
    siblings: tuple[NewestRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A record that was read.

    :param sha256: of all bytes of the file, which the next record names.
    :param entry: where it says it stands.
    :param signed: the bytes that its signature is about.
    :param envelope: its signature.
    """

    evidence: Evidence
    sha256: str
    entry: ChainEntry
    signed: bytes = field(repr=False)
    envelope: bytes | None = field(repr=False)

    @classmethod
    def of(cls, body: bytes) -> Self:
        """The record that these bytes are.

        :raises StorageError: kind ``integrity`` for what is none; ``unsupported`` for one of a
            version that this one does not know.
        """
        signed, envelope = _split(body)
        document = _document(signed)
        evidence = read_evidence_document(document)
        try:
            entry = read_document(ChainEntry, document.get("chain"), what="its chain entry")
        except CloudError as err:
            raise _no_record(f"a part of it is missing or wrong ({err})") from err
        return cls(evidence, sha256_of(body), entry, signed, envelope)

    def check_signature(self, keys: PublicKeys) -> None:
        """See that one of these keys has signed this record, under its own name.

        :raises StorageError: kind ``integrity``, with the reason.
        """
        if self.envelope is None:
            raise _no_record("it is not signed")
        said = keys.verify(self.envelope)
        if said.predicate_type != PredicateType.DRILL_EVIDENCE:
            raise _no_record(f"what was signed is no drill evidence, but {said.predicate_type!r}")
        if (said.name, said.sha256) != (key_of(self.entry.number), sha256_of(self.signed)):
            raise _no_record(f"its signature is about other bytes ({said.name} as it was signed)")


def write_record(evidence: Evidence, entry: ChainEntry, signer: Signer | None) -> bytes:
    """The file of a record.

    :raises StorageError: kind ``invalid_argument`` for one that is larger than readers take.
    """
    document = {**to_document(evidence), "chain": to_document(entry)}
    signed = (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
    body = signed if signer is None else _with_signature(signed, evidence, entry, signer)
    if len(body) > MAX_FILE:
        raise StorageError(
            f"the evidence of drill {evidence.drill_id} has {len(body)} bytes, and readers take "
            f"at most {MAX_FILE}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return body


def read_evidence_document(document: Mapping[str, Any]) -> Evidence:
    """The evidence that a document holds.

    :raises StorageError: as :meth:`Record.of`.
    """
    try:
        return read_document(Evidence, document, what="the record")
    except (CloudError, RecursionError) as err:
        if not isinstance(err, CloudError) or err.kind is not ErrorKind.UNSUPPORTED:
            raise _no_record(f"a part of it is missing or wrong ({err})") from err
        raise StorageError(
            f"it is drill evidence of version {document['format_version']!r}; this is "
            f"airflow-multicloud {__version__}, which can't read it. Read it with the version of "
            f"airflow-multicloud that wrote it ({_writer(document)}) or a later one; the page "
            "beside it (.html) opens in any browser",
            kind=ErrorKind.UNSUPPORTED,
        ) from err


def read_record_document(body: bytes) -> Mapping[str, Any]:
    """The document of a record's file, without its signature.

    :raises StorageError: kind ``integrity`` for what has no format and version.
    """
    return _document(_split(body)[0])


def _with_signature(signed: bytes, evidence: Evidence, entry: ChainEntry, signer: Signer) -> bytes:
    envelope = signer.sign(
        Statement(
            name=key_of(entry.number),
            sha256=sha256_of(signed),
            predicate_type=PredicateType.DRILL_EVIDENCE,
            predicate={
                "number": entry.number,
                "drill_id": evidence.drill_id,
                "verdict": evidence.verdict.value,
                "written_at": evidence.written_at.isoformat(),
            },
        )
    )
    first, _, rest = signed.partition(b"\n")
    return b"".join((first, b"\n", _SIGNATURE, envelope, b",\n", rest))


def _split(body: bytes) -> tuple[bytes, bytes | None]:
    """What was signed, and the envelope, if there is one."""
    first, _, rest = body.partition(b"\n")
    second, _, others = rest.partition(b"\n")
    if second.startswith(_SIGNATURE) and second.endswith(b","):
        return first + b"\n" + others, second[len(_SIGNATURE) : -1]
    return body, None


def _document(signed: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(signed)
    except (ValueError, RecursionError) as err:
        raise _no_record("it is not JSON") from err
    if not isinstance(found, Mapping) or "format_version" not in found:
        raise _no_record("it has no format and version")
    return found


def _writer(document: Mapping[str, Any]) -> str:
    versions = document.get("versions")
    found = versions.get("airflow-multicloud") if isinstance(versions, Mapping) else None
    return str(found) if found else "which it does not name"


def _no_record(why: str) -> StorageError:
    return StorageError(why, kind=ErrorKind.INTEGRITY)
