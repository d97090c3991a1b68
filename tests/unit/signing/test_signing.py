"""Envelopes: what DSSE and in-toto say, and nothing else counts."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import pickle
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.core.signing import PredicateType, PublicKeys, Signer, Statement
from airflow_multicloud.core.signing.envelopes import MAX_ENVELOPE, closed, pae
from airflow_multicloud.errors import CredentialsError, ErrorKind, StorageError

from .keys import pair

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = pair(1)
OTHER = pair(2)
SAID = Statement("a/b.json", "ab" * 32, PredicateType.DRILL_EVIDENCE, {"number": 3, "ü": None})
ENVELOPE = OURS.signer.sign(SAID)


def refused(envelope: bytes, keys: PublicKeys = OURS.keys) -> str:
    with pytest.raises(StorageError) as raised:
        keys.verify(envelope)
    assert raised.value.kind is ErrorKind.INTEGRITY
    said = str(raised.value)
    assert all(key_id in said for key_id in keys.keys)
    return said


def resigned(**changes: Any) -> bytes:
    """A statement of another form, which the right key has signed."""
    payload = json.dumps({**json.loads(SAID.payload()), **changes}).encode()
    return closed(payload, OURS.signer.key_id, signature(payload))


def signature(payload: bytes, payload_type: str = "application/vnd.in-toto+json") -> bytes:
    return OURS.key.sign(pae(payload_type, payload))


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(ENVELOPE), **changes}).encode()


def test_the_bytes_that_are_signed_are_those_of_the_specification() -> None:
    """The test vector of DSSE's protocol; lengths are of bytes, not of letters."""
    assert (
        pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("ü", b"") == b"DSSEv1 2 \xc3\xbc 0 "


def test_another_program_can_read_and_check_it() -> None:
    assert b"\n" not in ENVELOPE
    found = json.loads(ENVELOPE)
    assert [*found] == ["payload", "payloadType", "signatures"]
    payload = base64.b64decode(found["payload"])
    assert json.loads(payload) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a/b.json", "digest": {"sha256": "ab" * 32}}],
        "predicateType": str(PredicateType.DRILL_EVIDENCE),
        "predicate": {"number": 3, "ü": None},
    }
    (signed,) = found["signatures"]
    public = load_pem_public_key(OURS.public)
    assert isinstance(public, Ed25519PublicKey)
    kind = found["payloadType"]
    text = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    public.verify(base64.b64decode(signed["sig"]), text)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert signed["keyid"] == hashlib.sha256(der).hexdigest() == OURS.signer.key_id


def test_what_was_signed_is_what_is_read() -> None:
    assert OURS.keys.verify(ENVELOPE) == SAID
    assert OURS.signer.sign(SAID) == ENVELOPE


def test_several_keys_while_one_replaces_the_other() -> None:
    both = PublicKeys.from_pem(b"the old one:\n" + OTHER.public + b"\nthe new one:\n" + OURS.public)
    assert set(both.keys) == {OURS.signer.key_id, OTHER.signer.key_id}
    assert both.verify(ENVELOPE) == both.verify(OTHER.signer.sign(SAID)) == SAID
    assert both.signers(ENVELOPE) == (OURS.signer.key_id,)
    assert both.signers(OTHER.signer.sign(SAID)) == (OTHER.signer.key_id,)
    (ours,), (theirs,) = (
        json.loads(made)["signatures"] for made in (ENVELOPE, OTHER.signer.sign(SAID))
    )
    twice = changed(signatures=[theirs, ours])
    assert both.signers(twice) == tuple(sorted(both.keys))
    # What an envelope calls a key decides nothing.
    renamed = changed(signatures=[{**ours, "keyid": OTHER.signer.key_id}])
    assert both.signers(renamed) == (OURS.signer.key_id,)


def test_the_key_id_decides_nothing() -> None:
    (signed,) = json.loads(ENVELOPE)["signatures"]
    for key_id in ("", "x", OTHER.signer.key_id):
        assert OURS.keys.verify(changed(signatures=[{**signed, "keyid": key_id}])) == SAID
    assert OURS.keys.verify(changed(signatures=[{"sig": signed["sig"]}])) == SAID
    # Nor does it make another key's signature ours.
    forged = OTHER.signer.sign(SAID).replace(
        OTHER.signer.key_id.encode(), OURS.signer.key_id.encode()
    )
    assert "no allowed key has made it" in refused(forged)


def test_one_signature_of_several_is_enough() -> None:
    (signed,) = json.loads(ENVELOPE)["signatures"]
    wrong = {"keyid": "x", "sig": base64.b64encode(bytes(64)).decode()}
    assert OURS.keys.verify(changed(signatures=[wrong, signed])) == SAID


def test_both_alphabets_of_base64_are_read() -> None:
    found = json.loads(ENVELOPE)
    (signed,) = found["signatures"]
    swap = str.maketrans("+/", "-_")
    urlsafe = changed(
        payload=found["payload"].translate(swap),
        signatures=[{**signed, "sig": signed["sig"].translate(swap)}],
    )
    assert OURS.keys.verify(urlsafe) == SAID


@pytest.mark.parametrize(
    ("envelope", "why"),
    [
        (b"", "truncated"),
        (b"\xff", "malformed"),
        (b'{"payload": "\xff"}', "utf-8"),
        (b"[" * 100_000, "array"),
        (b'{"x":' + b"[" * 100_000, ""),
        (b"null", "object"),
        (b"{}", "payload"),
        (ENVELOPE + b"{}", "trailing"),
        (changed(signatures=[]), "it has no signature"),
        (changed(signatures=None), "array"),
        (changed(signatures=[{"sig": "AA=="}]), "no allowed key"),
        (changed(signatures=[{"sig": "AA"}]), "a signature is no base64"),
        (changed(signatures=[{"sig": "AA==\n"}]), "a signature is no base64"),
        (changed(signatures=[{"sig": "ü"}]), "ASCII"),
        (changed(signatures=[{"sig": "AA=="}] * 17), "more than 16 signatures"),
        (changed(payload="!"), "its payload is no base64"),
        (changed(payload=1), "str"),
        (changed(payloadType="application/json"), "no allowed key"),
        (changed(x="y" * MAX_ENVELOPE), "larger than"),
        (resigned(_type="https://in-toto.io/Statement/v0.1"), "no statement"),
        (resigned(subject=[]), "about 0 files"),
        (resigned(subject=json.loads(SAID.payload())["subject"] * 2), "about 2 files"),
        (resigned(subject=[{"name": "a", "digest": {"md5": "x"}}]), "names no SHA-256"),
        (resigned(subject=[{"name": "a", "digest": {"sha256": "AB" * 32}}]), "names no SHA-256"),
        (resigned(subject=[{"name": "a"}]), "digest"),
        (resigned(predicate=[]), "predicate"),
        (resigned(predicateType=None), "predicateType"),
        (closed(b"\xff", "", signature(b"\xff")), "malformed"),
        (closed(b"[" * 100_000, "", signature(b"[" * 100_000)), ""),
    ],
)
def test_anything_else_is_refused_with_its_reason(envelope: bytes, why: str) -> None:
    assert why in refused(envelope)


def test_a_payload_of_another_type_is_no_statement_though_it_is_signed() -> None:
    """What the same key has signed for another purpose."""
    payload = SAID.payload()
    envelope = json.loads(closed(payload, "", signature(payload, "text/plain")))
    assert "text/plain" in refused(json.dumps({**envelope, "payloadType": "text/plain"}).encode())


def test_a_statement_that_was_changed_is_refused() -> None:
    other = replace(SAID, name="a/c.json").payload()
    payload = base64.b64encode(other).decode()
    assert "no allowed key has made it" in refused(changed(payload=payload))
    assert OURS.signer.key_id in refused(ENVELOPE, OTHER.keys)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(envelope: bytes) -> None:
    refused(envelope)


@given(st.integers(0, len(ENVELOPE) - 1), st.integers(1, 255))
def test_a_changed_byte_gives_the_same_statement_or_none(at: int, by: int) -> None:
    """The key id is not signed, and a letter more in the name of a field is ignored."""
    damaged = bytearray(ENVELOPE)
    damaged[at] ^= by
    try:
        said = OURS.keys.verify(bytes(damaged))
    except StorageError as err:
        kind = err.kind
    else:
        kind = ErrorKind.INTEGRITY if said == SAID else None
    assert kind is ErrorKind.INTEGRITY


def test_an_envelope_that_no_reader_takes_is_not_made() -> None:
    with pytest.raises(StorageError, match=r"statement: .* readers take at most") as raised:
        OURS.signer.sign(replace(SAID, predicate={"x": "y" * MAX_ENVELOPE}))
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT


def test_a_private_key_stays_where_it_is() -> None:
    signer = OURS.signer
    secret = OURS.private(encoding=Encoding.Raw, form=PrivateFormat.Raw)
    assert repr(signer) == str(signer) == f"Signer(key_id={signer.key_id!r})"
    assert secret.hex() not in repr(signer)
    leaks: list[Callable[[Signer], object]] = [pickle.dumps, copy.copy, copy.deepcopy]
    for leak in leaks:
        with pytest.raises(TypeError, match="is not pickled"):
            leak(signer)


def private_pem(key: Any) -> bytes:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


OTHER_KINDS = [
    (rsa.generate_private_key(65537, 2048), "RSA"),
    (ec.generate_private_key(ec.SECP256R1()), "EC"),
    (ed448.Ed448PrivateKey.generate(), "Ed448"),
]


@pytest.mark.parametrize(("key", "kind"), OTHER_KINDS, ids=[kind for _, kind in OTHER_KINDS])
def test_keys_of_other_kinds_are_refused(key: Any, kind: str) -> None:
    with pytest.raises(CredentialsError, match=f"another kind .*{kind}.*openssl genpkey") as raised:
        Signer.from_pem(private_pem(key))
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(StorageError, match=f"another kind .*{kind}") as refusal:
        PublicKeys.from_pem(OURS.public + public)
    assert refusal.value.kind is ErrorKind.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("pem", "password", "why"),
    [
        (b"", None, "can't be read as a private key in PEM"),
        (b"CANARY", None, "can't be read as a private key in PEM"),
        (OURS.public, None, "can't be read as a private key in PEM"),
        (OURS.private(form=PrivateFormat.OpenSSH), None, "can't be read"),
        (OURS.private(), b"CANARY", "not encrypted, but a passphrase is given"),
        (OURS.private("right"), None, "encrypted, and no passphrase is given"),
        (OURS.private("right"), b"CANARY", "can't be read .* with this passphrase"),
    ],
)
def test_what_is_no_private_key_is_refused(pem: bytes, password: bytes | None, why: str) -> None:
    with pytest.raises(CredentialsError, match=why) as raised:
        Signer.from_pem(pem, password)
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT
    assert "CANARY" not in str(raised.value)


@pytest.mark.parametrize(
    ("pem", "why"),
    [
        (b"", "it has no public key"),
        (b"\xff" * 100, "it has no public key"),
        (OURS.public[:60], "it has no public key"),
        (OURS.private(), "a PRIVATE KEY, which is no public key"),
        (OURS.public.replace(b"M", b"\xff"), "a key in it can't be read"),
        (OURS.public * 1000, "more than 65536 bytes"),
    ],
)
def test_what_is_no_public_key_is_refused(pem: bytes, why: str) -> None:
    with pytest.raises(StorageError, match=why) as raised:
        PublicKeys.from_pem(pem)
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT
    assert "-pubout" in str(raised.value)


def test_an_encrypted_key_signs_as_well() -> None:
    assert Signer.from_pem(OURS.private("right"), b"right").sign(SAID) == ENVELOPE
