"""A certificate authority that lives as long as the server, and the server's certificate."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

_LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """PEM files: what clients trust, and what the server shows."""

    authority: Path
    certificate: Path
    key: Path


def issue(directory: Path) -> Certificates:
    """Make a new authority and have it certify a server on loopback; its key is not kept."""
    directory.mkdir(parents=True, exist_ok=True)
    found = Certificates(
        authority=directory / "ca.pem",
        certificate=directory / "server.pem",
        key=directory / "server.key",
    )
    authority = trustme.CA(path_length=0, organization_name="airflow-multicloud local authority")
    server = authority.issue_cert("127.0.0.1", "localhost", not_after=datetime.now(UTC) + _LIFETIME)
    found.key.unlink(missing_ok=True)
    with os.fdopen(os.open(found.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(server.private_key_pem.bytes())
    found.certificate.write_bytes(b"".join(pem.bytes() for pem in server.cert_chain_pems))
    found.authority.write_bytes(authority.cert_pem.bytes())
    return found
