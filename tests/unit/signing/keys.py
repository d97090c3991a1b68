"""Keys for tests, in the forms that people have them."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from airflow_multicloud.core.signing import PublicKeys, Signer


@dataclass(frozen=True)
class Pair:
    """A private key and its public one."""

    key: Ed25519PrivateKey

    @property
    def signer(self) -> Signer:
        return Signer.from_pem(self.private())

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def keys(self) -> PublicKeys:
        return PublicKeys.from_pem(self.public)

    def private(
        self,
        password: str | None = None,
        encoding: Encoding = Encoding.PEM,
        form: PrivateFormat = PrivateFormat.PKCS8,
    ) -> bytes:
        hidden = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        return self.key.private_bytes(encoding, form, hidden)


def pair(number: int = 0) -> Pair:
    """The same key for the same number."""
    return Pair(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))
