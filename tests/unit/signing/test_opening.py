"""The key of a connection, in whatever form a person has put it there."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.opening.signing import open_signer

from .keys import pair

OURS = pair(1)
PEM = OURS.private().decode()
DER = base64.b64encode(OURS.private(encoding=Encoding.DER)).decode()
LOCKED = OURS.private("a long passphrase")
LOCKED_DER = base64.b64encode(OURS.private("a long passphrase", Encoding.DER)).decode()


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Any:
    def give(**fields: object) -> None:
        value = json.dumps({"conn_type": "generic", **fields})
        monkeypatch.setenv("AIRFLOW_CONN_SIGNING_KEY", value)

    return give


@pytest.mark.parametrize(
    "fields",
    [
        {"password": PEM},
        {"password": PEM, "extra": {"other": 1}},
        # As a form, a shell and a secrets backend may leave it.
        {"password": PEM.replace("\n", "")},
        {"password": PEM.replace("\n", " ")},
        {"password": PEM.replace("\n", "\\n")},
        {"password": PEM.replace("\n", "\r\n")},
        {"password": f"  {PEM}\n\n"},
        {"password": DER},
        {"password": LOCKED.decode(), "extra": {"passphrase": "a long passphrase"}},
        {"password": LOCKED_DER, "extra": {"passphrase": "a long passphrase"}},
    ],
)
def test_a_key_is_read_in_every_form(connection: Any, fields: dict[str, Any]) -> None:
    connection(**fields)
    signer = open_signer("signing_key")
    assert signer is not None
    assert signer.key_id == OURS.signer.key_id


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "it has no password"),
        ({"password": "CANARY-1234"}, "its password is no private key in PEM"),
        ({"password": "CANARY-ü"}, "its password is no private key in PEM"),
        ({"password": base64.b64encode(b"CANARY-1234").decode()}, "can't be read"),
        ({"password": OURS.public.decode()}, "can't be read"),
        ({"password": LOCKED.decode()}, "encrypted, and no passphrase"),
        ({"password": LOCKED.decode(), "extra": {"passphrase": "CANARY"}}, "with this passphrase"),
        ({"password": PEM, "extra": {"passphrase": "CANARY"}}, "not encrypted"),
        ({"password": PEM, "extra": {"passphrase": 7}}, "the passphrase in its extra is no text"),
    ],
)
def test_what_is_wrong_is_said_without_the_secret(
    connection: Any, fields: dict[str, Any], why: str
) -> None:
    connection(**fields)
    with pytest.raises(CredentialsError) as raised:
        open_signer("signing_key")
    said = str(raised.value)
    assert raised.value.kind is ErrorKind.INVALID_ARGUMENT
    assert why in said
    assert "signing_conn_id: connection 'signing_key'" in said
    assert "CANARY" not in said
    assert PEM.splitlines()[1] not in said


def test_without_a_connection_nothing_is_signed() -> None:
    assert open_signer(None) is None


def test_a_connection_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(CredentialsError, match="'no_such_key' does not exist") as raised:
        open_signer("no_such_key")
    assert raised.value.kind is ErrorKind.NOT_FOUND
