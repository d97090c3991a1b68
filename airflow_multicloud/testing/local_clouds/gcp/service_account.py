"""A service account of the local Google Cloud; each process makes a new key for it.

It signs URLs: Cloud Storage's own local server takes any token and checks no signature, so its
connection ``gcp_local`` is anonymous; but an anonymous caller can't sign. The local Compute
Engine's administration gives tokens for it. The gRPC services (Cloud Monitoring,
Cloud Logging, Secret Manager) know who it is: the tokens that they take are given for what its key
has signed.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from airflow_multicloud.testing.local_clouds.gcp import PROJECT, connection

#: Of the endpoint that gives tokens.
TOKEN_PATH: Final = "/token"  # noqa: S105  # a path
#: Which variable tells a server's process what the account's signatures are checked with.
PUBLIC_KEY: Final = "MULTICLOUD_PUBLIC_KEY"


_MAKING: Final = threading.Lock()


def signing_connection(storage: Mapping[str, Any], token_server: str) -> dict[str, object]:
    """The connection to Cloud Storage as the service account.

    :param storage: the anonymous one.
    :param token_server: what gives tokens, at :data:`TOKEN_PATH`.
    """
    kept = {name: value for name, value in storage["extra"].items() if name != "is_anonymous"}
    return account_connection(token_server, **kept)


def account_connection(token_server: str, **extra: object) -> dict[str, object]:
    """A connection of the service account.

    :param token_server: as in :func:`signing_connection`.
    :param extra: beside its key.
    """
    account = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "1",
        "private_key": _private_key(),
        "client_email": f"deployer@{PROJECT}.iam.gserviceaccount.com",
        "token_uri": f"{token_server}{TOKEN_PATH}",
    }
    found = connection(**extra, keyfile_dict=json.dumps(account))
    told: Any = found["extra"]
    del told["is_anonymous"]
    return found


def public_key() -> str:
    """What its signatures are checked with, as PEM."""
    # Imported here: see below.
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(_private_key().encode(), password=None).public_key()
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode()


def _private_key() -> str:
    # Servers are started at once, each by a thread: without the lock, two could make a key each.
    with _MAKING:
        return _made_key()


@cache
def _made_key() -> str:
    return new_key()


def new_key() -> str:
    """A private key, as PEM."""
    # Imported here: the extra ``local`` brings it, and only who signs needs it.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode()
