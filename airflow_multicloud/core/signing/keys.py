"""The keys: a private one signs, public ones say which signatures count."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from airflow_multicloud.core.signing.envelopes import (
    MAX_ENVELOPE,
    PAYLOAD_TYPE,
    Opened,
    Statement,
    closed,
    opened,
    pae,
)
from airflow_multicloud.errors import CredentialsError, ErrorKind, StorageError

#: A file of public keys that is larger is none.
MAX_KEY_FILE = 1 << 16

HOW_TO_MAKE = "make one with: openssl genpkey -algorithm ed25519 -out signing.pem"
HOW_TO_PUBLISH = "openssl pkey -in signing.pem -pubout -out signing.pub"

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Signer:
    """A private key. It is neither shown nor pickled: whoever needs it reads it again."""

    _key: Ed25519PrivateKey

    @classmethod
    def from_pem(cls, pem: bytes, password: bytes | None = None) -> Self:
        """The key of a PEM text (PKCS #8).

        :param pem: begins with ``-----BEGIN PRIVATE KEY-----``, or ``ENCRYPTED PRIVATE KEY``.
        :param password: what the PEM is encrypted with, if it is.
        :raises CredentialsError: kind ``invalid_argument`` for what is no such key.
        """
        try:
            key = load_pem_private_key(pem, password or None)
        except TypeError:  # cryptography's, for a password too many or one that is missing
            why = "not encrypted, but a" if password else "encrypted, and no"
            raise _no_private_key(f"the key is {why} passphrase is given") from None
        except (ValueError, UnsupportedAlgorithm):
            hint = " with this passphrase" if password else ""
            raise _no_private_key(f"it can't be read as a private key in PEM{hint}") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise _no_private_key(f"it is a key of another kind ({_kind_of(key)})")
        return cls(key)

    @property
    def key_id(self) -> str:
        """The SHA-256 of the public key's ``SubjectPublicKeyInfo`` in DER, in hexadecimal."""
        return _key_id(self._key.public_key())

    def sign(self, statement: Statement) -> bytes:
        """The envelope of a statement: JSON in one line. The same statement gives the same bytes.

        :raises StorageError: kind ``invalid_argument`` for one that no reader would take.
        """
        payload = statement.payload()
        envelope = closed(payload, self.key_id, self._key.sign(pae(PAYLOAD_TYPE, payload)))
        if len(envelope) > MAX_ENVELOPE:
            raise StorageError(
                f"statement: the envelope for {statement.name} has {len(envelope)} bytes, and "
                f"readers take at most {MAX_ENVELOPE}; sign less with it",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
        return envelope

    def __repr__(self) -> str:
        """The id of its public key."""
        return f"Signer(key_id={self.key_id!r})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied."""
        raise TypeError("a signing key is not pickled; read it again from its connection")


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The keys whose signatures count.

    :param keys: by their ids.
    """

    keys: Mapping[str, Ed25519PublicKey]

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """One or more public keys, one PEM block after the other.

        :raises StorageError: kind ``invalid_argument`` for what is no such file.
        """
        if len(pem) > MAX_KEY_FILE:
            raise _no_public_keys(f"it has more than {MAX_KEY_FILE} bytes")
        found: dict[str, Ed25519PublicKey] = {}
        for block in _PEM.finditer(pem):
            label = block[1].decode()
            if label != "PUBLIC KEY":
                raise _no_public_keys(f"it has a {label}, which is no public key")
            try:
                key = load_pem_public_key(block[0])
            except (ValueError, UnsupportedAlgorithm):
                raise _no_public_keys("a key in it can't be read") from None
            if not isinstance(key, Ed25519PublicKey):
                raise _no_public_keys(f"it has a key of another kind ({_kind_of(key)})")
            found[_key_id(key)] = key
        if not found:
            raise _no_public_keys("it has no public key")
        return cls(found)

    def verify(self, envelope: bytes) -> Statement:
        """What an envelope says, if one of these keys has signed it.

        The key id in an envelope is only a hint, and decides nothing.

        :raises StorageError: kind ``integrity`` for any other envelope; no other error, whatever
            it holds.
        """
        try:
            found = opened(envelope)
            self._check(found)
            return found.statement()
        except (ValueError, RecursionError) as err:
            allowed = ", ".join(sorted(self.keys))
            raise StorageError(
                f"the signature does not count: {err}; allowed keys: {allowed}",
                kind=ErrorKind.INTEGRITY,
            ) from None

    def signers(self, envelope: bytes) -> tuple[str, ...]:
        """The ids of those of these keys that have signed an envelope.

        :param envelope: one that :meth:`verify` takes.
        """
        return self._signers(opened(envelope))

    def _check(self, found: Opened) -> None:
        if not self._signers(found):
            raise ValueError(f"no allowed key has made it (it names the key {found.claimed})")

    def _signers(self, found: Opened) -> tuple[str, ...]:
        signed = pae(found.payload_type, found.payload)
        return tuple(
            key_id
            for key_id, key in sorted(self.keys.items())
            if any(_is_by(key, signature, signed) for _, signature in found.signatures)
        )


def _is_by(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _key_id(key: Ed25519PublicKey) -> str:
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _kind_of(key: object) -> str:
    """``RSA`` for cryptography's class of such a key."""
    return re.sub(r"(Private|Public)Key$", "", type(key).__name__)


def _no_private_key(why: str) -> CredentialsError:
    return CredentialsError(
        f"signing key: {why}; expected an Ed25519 private key in PEM (PKCS #8); {HOW_TO_MAKE}",
        kind=ErrorKind.INVALID_ARGUMENT,
    )


def _no_public_keys(why: str) -> StorageError:
    return StorageError(
        f"public key: {why}; expected Ed25519 public keys in PEM, as this writes: {HOW_TO_PUBLISH}",
        kind=ErrorKind.INVALID_ARGUMENT,
    )
