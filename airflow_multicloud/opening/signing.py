"""The key that records are signed with, from an Airflow connection."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode

from airflow_multicloud import registry
from airflow_multicloud.core.signing import Signer
from airflow_multicloud.errors import CredentialsError, ErrorKind

_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----([^-]+)-----END \1-----")
_EXPECTED = (
    "expected a connection (of type generic, say) whose password is an Ed25519 private key in PEM, "
    "and whose extra has its passphrase, if it has one"
)


def open_signer(conn_id: str | None) -> Signer | None:
    """The signer of a connection; none without one.

    :param conn_id: of a connection whose password is a private key: PEM, or the base64 of PKCS #8
        in DER. A form field has taken the line breaks out of it, perhaps. Its extra may have a
        ``passphrase``.
    :raises CredentialsError: when there is no such connection, or no such key in it; it names the
        connection and nothing of its content.
    """
    if conn_id is None:
        return None
    connection = registry.read_connection(conn_id)
    passphrase = connection.extra_dejson.get("passphrase")
    if passphrase is not None and not isinstance(passphrase, str):
        raise _unusable(conn_id, "the passphrase in its extra is no text")
    text = connection.password
    if not text:
        raise _unusable(conn_id, "it has no password")
    secret = passphrase.encode() if passphrase else None
    pem = _pem(text, encrypted=secret is not None)
    if pem is None:
        raise _unusable(conn_id, "its password is no private key in PEM")
    try:
        return Signer.from_pem(pem, secret)
    except CredentialsError as err:
        raise err.with_context(f"signing_conn_id: connection {conn_id!r}") from None


def _pem(text: str, *, encrypted: bool) -> bytes | None:
    """A key with its line breaks where they belong; nothing for what is no PEM and no base64."""
    text = text.replace("\\n", "\n")
    found = _PEM.search(text)
    label = found[1] if found else f"{'ENCRYPTED ' * encrypted}PRIVATE KEY"
    try:
        content = b64decode("".join((found[2] if found else text).split()), validate=True)
    except (binascii.Error, ValueError):  # the latter for letters beyond ASCII
        return None
    return (
        f"-----BEGIN {label}-----\n{b64encode(content).decode()}\n-----END {label}-----\n".encode()
    )


def _unusable(conn_id: str, why: str) -> CredentialsError:
    return CredentialsError(
        f"signing_conn_id: connection {conn_id!r} has no key to sign with: {why}; {_EXPECTED}",
        kind=ErrorKind.INVALID_ARGUMENT,
    )
