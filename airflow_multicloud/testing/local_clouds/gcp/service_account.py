"""A service account of the local Google Cloud, which can sign URLs.

Cloud Storage's own local server takes any token and checks no signature, so its connection
``gcp_local`` is anonymous; but an anonymous caller can't sign. Here is a key, made anew in every
process; the local Compute Engine's administration gives tokens for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from airflow_multicloud.testing.local_clouds.gcp import PROJECT, connection

#: Of the endpoint that gives tokens.
TOKEN_PATH: Final = "/token"  # noqa: S105  # a path


def signing_connection(storage: Mapping[str, Any], token_server: str) -> dict[str, object]:
    """The connection to Cloud Storage as the service account.

    :param storage: the anonymous one.
    :param token_server: what gives tokens, at :data:`TOKEN_PATH`.
    """
    account = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "1",
        "private_key": _private_key(),
        "client_email": f"deployer@{PROJECT}.iam.gserviceaccount.com",
        "token_uri": f"{token_server}{TOKEN_PATH}",
    }
    kept = {name: value for name, value in storage["extra"].items() if name != "is_anonymous"}
    found = connection(**kept, keyfile_dict=json.dumps(account))
    extra: Any = found["extra"]
    del extra["is_anonymous"]
    return found


@cache
def _private_key() -> str:
    # Imported here: the extra ``local`` brings it, and only who signs needs it.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode()
