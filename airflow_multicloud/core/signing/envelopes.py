"""The form of what is signed: an in-toto statement in a DSSE envelope, written and read."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"

#: A larger envelope is not read. One of this package has about a thousand bytes.
MAX_ENVELOPE = 1 << 20
#: An envelope with more signatures than this is not read.
MAX_SIGNATURES = 16
#: How much of a text that somebody else wrote stands in an error.
_SHOWN = 100

_SHA256 = re.compile(r"[0-9a-f]{64}")


class PredicateType(StrEnum):
    """What kinds of records this package signs: names that stay as they are, wherever it moves."""

    DRILL_EVIDENCE = (
        "https://github.com/airflow-multicloud/airflow-multicloud/predicates/drill-evidence/v1"
    )
    LEDGER_COMMIT = (
        "https://github.com/airflow-multicloud/airflow-multicloud/predicates/ledger-commit/v1"
    )


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said of one file.

    :param name: of the file, as a reader finds it.
    :param sha256: of its bytes, in lower-case hexadecimal.
    :param predicate_type: what kind of record it is: one of :class:`PredicateType`.
    :param predicate: what else is said of it, as JSON holds it.
    """

    name: str
    sha256: str
    predicate_type: str
    predicate: Mapping[str, Any]

    def payload(self) -> bytes:
        """As in-toto writes it."""
        return _compact(
            {
                "_type": STATEMENT_TYPE,
                "subject": [{"name": self.name, "digest": {"sha256": self.sha256}}],
                "predicateType": self.predicate_type,
                "predicate": self.predicate,
            }
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """What lies in an envelope, before anything of it is believed.

    :param signatures: each with the id of the key that it claims.
    """

    payload_type: str
    payload: bytes
    signatures: Sequence[tuple[str, bytes]]

    @property
    def claimed(self) -> str:
        """The ids of the keys that it claims, for an error."""
        return ", ".join(sorted({key_id[:_SHOWN] or "none" for key_id, _ in self.signatures}))

    def statement(self) -> Statement:
        """What it says; only to be asked once a signature has been found to be right.

        :raises ValueError: for what is no statement about one file.
        """
        if self.payload_type != PAYLOAD_TYPE:
            raise ValueError(f"its payload is of the type {self.payload_type[:_SHOWN]!r}")
        said = msgspec.json.decode(self.payload, type=_Payload)
        if said.type != STATEMENT_TYPE:
            raise ValueError(f"its payload is {said.type[:_SHOWN]!r}, no statement")
        if len(said.subject) != 1:
            raise ValueError(f"it is about {len(said.subject)} files, and not about one")
        (subject,) = said.subject
        sha256 = subject.digest.get("sha256", "")
        if not _SHA256.fullmatch(sha256):
            raise ValueError("it names no SHA-256")
        return Statement(subject.name, sha256, said.predicate_type, said.predicate)


class _Signature(msgspec.Struct, frozen=True):
    sig: str
    keyid: str = ""


class _Envelope(msgspec.Struct, frozen=True, rename="camel"):
    payload: str
    payload_type: str
    signatures: tuple[_Signature, ...] = ()


class _Subject(msgspec.Struct, frozen=True):
    digest: dict[str, str]
    name: str = ""


class _Payload(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    type: str = msgspec.field(name="_type")
    subject: tuple[_Subject, ...]
    predicate_type: str
    predicate: dict[str, Any] = {}


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that a DSSE signature is made of ("pre-authentication encoding")."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def closed(payload: bytes, key_id: str, signature: bytes) -> bytes:
    """The envelope of a statement that one key has signed: JSON in one line."""
    return _compact(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": key_id, "sig": base64.b64encode(signature).decode()}],
        }
    )


def opened(envelope: bytes) -> Opened:
    """What lies in an envelope.

    :raises ValueError: for what is none, or one that is larger than anybody needs.
    :raises RecursionError: for JSON that is nested too deeply.
    """
    if len(envelope) > MAX_ENVELOPE:
        raise ValueError(f"it is larger than {MAX_ENVELOPE} bytes")
    found = msgspec.json.decode(envelope, type=_Envelope)
    if not found.signatures:
        raise ValueError("it has no signature")
    if len(found.signatures) > MAX_SIGNATURES:
        raise ValueError(f"it has more than {MAX_SIGNATURES} signatures")
    return Opened(
        found.payload_type,
        _decoded(found.payload, "its payload"),
        tuple((one.keyid, _decoded(one.sig, "a signature")) for one in found.signatures),
    )


def _compact(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def _decoded(text: str, what: str) -> bytes:
    """Either alphabet of base64: DSSE has readers take both."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error as err:
        raise ValueError(f"{what} is no base64: {err}") from err
