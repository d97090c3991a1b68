"""An AWS data export made by hand: anything a manifest can say, right or wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_multicloud.ports.object_store import ObjectRef

if TYPE_CHECKING:
    from airflow_multicloud.ports.object_store import ObjectStore


@dataclass(frozen=True)
class Export:
    """The export ``focus`` below ``exports`` in a bucket of its own."""

    store: ObjectStore
    bucket: str
    partition: str = "BILLING_PERIOD=2026-09"

    @property
    def location(self) -> str:
        return f"{self.bucket}/exports/focus"

    @property
    def manifest(self) -> str:
        return f"exports/focus/metadata/{self.partition}/focus-Manifest.json"

    def data(self, name: str) -> str:
        return f"exports/focus/data/{self.partition}/{name}"

    def put(self, key: str, content: bytes) -> str:
        """An object; its URI, as manifests name it."""
        self.store.put_object(ObjectRef(self.bucket, key), content)
        return f"s3://{self.bucket}/{key}"

    def deliver(self, files: dict[str, bytes], **manifest: Any) -> None:
        """Data files by name, then the manifest, of which any field can be given."""
        uris = [self.put(self.data(name), content) for name, content in files.items()]
        self.put_manifest(**{"executionId": "1", "columns": [], "dataFiles": uris, **manifest})

    def put_manifest(self, **manifest: Any) -> None:
        self.put(self.manifest, json.dumps(manifest).encode())
