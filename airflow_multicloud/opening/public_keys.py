"""The keys whose signatures count, from a file."""

from __future__ import annotations

from pathlib import Path

from airflow_multicloud.core.signing import MAX_KEY_FILE, PublicKeys
from airflow_multicloud.errors import StorageError, kind_of_os_error


def open_public_keys(given: bytes | Path | None) -> PublicKeys | None:
    """The keys of a parameter ``public_keys``; none without one.

    :param given: one or more Ed25519 public keys in PEM, or the file that has them.
    :raises StorageError: for a file that can't be read; kind ``invalid_argument`` for what is no
        such key.
    """
    if given is None:
        return None
    if isinstance(given, bytes):
        return PublicKeys.from_pem(given)
    try:
        with given.open("rb") as file:
            pem = file.read(MAX_KEY_FILE + 1)
    except OSError as err:
        raise StorageError(
            f"public_keys: {given} can't be read: {err.strerror}", kind=kind_of_os_error(err)
        ) from err
    return PublicKeys.from_pem(pem)
