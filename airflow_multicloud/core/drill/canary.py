"""A small object with a time in it, written to the primary before it is lost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from airflow_multicloud.adapters.digests import SHA256_METADATA, sha256_of
from airflow_multicloud.core.endpoints import Endpoint, check_reserved
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions

#: Below the replicated prefix; every drill replaces it, so nothing piles up.
CANARY_NAME = "_drill/canary.json"


@dataclass(frozen=True, slots=True)
class Canary:
    """What a drill must find again after it has lost the primary."""

    drill_id: str
    written_at: datetime
    sha256: str


def canary_content(drill_id: str, written_at: datetime) -> bytes:
    """The canary of a drill that writes it then."""
    content = {"format_version": 1, "drill_id": drill_id, "written_at": written_at.isoformat()}
    return json.dumps(content).encode()


def write_canary(primary: Endpoint, drill_id: str) -> Canary:
    """Write the canary below the primary's prefix.

    :raises StorageError: kind ``invalid_argument`` when the primary is not a prefix, or is kept
        for this package's own files.
    """
    if not primary.location.is_prefix:
        raise StorageError(
            f"primary: {primary.location} must be a prefix (end with a slash)",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    check_reserved(primary, parameter="primary")
    written_at = datetime.now(UTC)
    body = canary_content(drill_id, written_at)
    sha256 = sha256_of(body)
    attributes = ObjectAttributes(
        content_type="application/json", metadata={SHA256_METADATA: sha256}
    )
    put_stream(
        primary,
        primary.key_of(CANARY_NAME),
        [body],
        WriteOptions(attributes=attributes),
    )
    return Canary(drill_id, written_at, sha256)
