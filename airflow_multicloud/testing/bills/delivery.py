"""What the clouds' ways of delivering an export to object storage have in common."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from airflow_multicloud.ports.object_store import ObjectRef

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_multicloud.ports.object_store import ObjectStore
    from airflow_multicloud.testing.bills.generate import Bill, Totals


class Delivery(StrEnum):
    """What becomes of the files of the version before."""

    OVERWRITE = "overwrite"
    CREATE_NEW = "create_new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A version of a bill as it lies in the bucket.

    :param manifest: the key of the manifest, which the cloud writes last.
    :param data: the keys of the files.
    """

    bucket: str
    manifest: str
    data: tuple[str, ...]
    rows: int
    totals: Totals
    exported_at: datetime


def run_id(bill: Bill, exported_at: datetime) -> uuid.UUID:
    """The id of one delivery: differs for each bill, version and time."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{bill!r} {exported_at.isoformat()}")


def put_file(store: ObjectStore, bucket: str, key: str, path: Path) -> int:
    """Write one file as an object; its size in bytes.

    It goes up in one request: spread a bill that is large over more files.
    """
    content = path.read_bytes()
    store.put_object(ObjectRef(bucket, key), content)
    return len(content)


def put_manifest(store: ObjectStore, bucket: str, key: str, manifest: dict[str, Any]) -> None:
    """Write the manifest, which makes the delivery complete."""
    store.put_object(ObjectRef(bucket, key), json.dumps(manifest, indent=2).encode())


def delete_others(store: ObjectStore, bucket: str, prefix: str, keep: set[str]) -> None:
    """Delete what lies under a prefix and does not belong to this delivery."""
    for meta in list(store.list_objects(bucket, prefix)):
        if meta.key not in keep:
            store.delete_object(ObjectRef(bucket, meta.key))


def joined(*parts: str) -> str:
    """A key of these parts, without the empty ones."""
    return "/".join(part.strip("/") for part in parts if part.strip("/"))
