"""A bill as the in-memory cloud exports it: any correction style, and everything stated.

``<prefix>/<name>/YYYY-MM/manifest.json`` names every version's files with their sizes, ETags
and row counts; the files lie beside it in a folder per version.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.cost import CorrectionStyle
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.bills.delivery import (
    Published,
    joined,
    put_file,
    put_manifest,
    run_id,
)
from airflow_multicloud.testing.bills.files import FileOptions, write_bill

if TYPE_CHECKING:
    from datetime import date

    from airflow_multicloud.ports.object_store import ObjectStore
    from airflow_multicloud.testing.bills.generate import Bill


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryExport:
    """One export in one bucket of the in-memory object store (or of any other).

    :param style: ``REPLACE``: every version is whole. ``APPEND`` and ``ADJUST``: each holds
        only the rows that it adds.
    """

    store: ObjectStore
    bucket: str
    prefix: str = "exports"
    name: str = "focus"
    style: CorrectionStyle = CorrectionStyle.REPLACE
    files: FileOptions = FileOptions()

    @property
    def location(self) -> str:
        """What :class:`~airflow_multicloud.ports.cost.Cost` is asked for."""
        return joined(self.bucket, self.prefix, self.name)

    def manifest_key(self, period: date) -> str:
        """The manifest of a billing period."""
        return joined(self.prefix, self.name, f"{period:%Y-%m}", "manifest.json")

    def publish(
        self, bill: Bill, *, exported_at: datetime | None = None, with_manifest: bool = True
    ) -> Published:
        """Deliver a version: files first, the manifest last.

        :param with_manifest: ``False`` stops short of it: a delivery under way.
        """
        period = bill.options.billing_period
        at = exported_at or datetime.now(UTC)
        manifest = self._manifest(period)
        appends = self.style is not CorrectionStyle.REPLACE
        since = bill.version if appends and manifest["versions"] else 0
        version = f"{len(manifest['versions']) + 1:05}-{run_id(bill, at)}"
        folder = joined(self.prefix, self.name, f"{period:%Y-%m}", version)
        files = []
        with tempfile.TemporaryDirectory() as directory:
            written = write_bill(bill, Path(directory), self.files, since=since)
            for file in written.files:
                key = f"{folder}/{file.path.name}"
                size = put_file(self.store, self.bucket, key, file.path)
                etag = self.store.stat_object(ObjectRef(self.bucket, key)).etag
                files.append({"key": key, "etag": etag, "size": size, "rows": file.rows})
        versions = manifest["versions"] if appends else []
        versions = [
            *versions,
            {"version": version, "exported_at": at.isoformat(), "files": files},
        ]
        manifest |= {"versions": versions, "format": self.files.format, "style": self.style}
        if with_manifest:
            put_manifest(self.store, self.bucket, self.manifest_key(period), manifest)
        return Published(
            bucket=self.bucket,
            manifest=self.manifest_key(period),
            data=tuple(str(file["key"]) for file in files),
            rows=written.rows,
            totals=written.totals,
            exported_at=at,
        )

    def _manifest(self, period: date) -> dict[str, Any]:
        """What the manifest says now; without versions when there is none."""
        ref = ObjectRef(self.bucket, self.manifest_key(period))
        try:
            found: dict[str, Any] = json.loads(bytes(self.store.get_object(ref).read()))
        except StorageError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            return {"versions": []}
        return found
