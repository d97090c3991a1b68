"""A bill as AWS Data Exports delivers it to S3.

https://docs.aws.amazon.com/cur/latest/userguide/dataexports-export-delivery.html. AWS says that
the manifest holds all columns and the list of files; the names of its fields are those that
public readers rely on: ``executionId``, ``columns`` (name and type), ``dataFiles`` (``s3://``
URIs). It states neither sizes nor row counts.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_multicloud.testing.bills.delivery import (
    Delivery,
    Published,
    delete_others,
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

#: DuckDB's types → the manifest's.
_TYPES = {"VARCHAR": "string", "TIMESTAMP WITH TIME ZONE": "timestamp_milliseconds"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsExport:
    """One export in one bucket.

    :param prefix: may be empty.
    :param mode: ``CREATE_NEW`` keeps the files of every delivery and its manifest, each in a
        folder ``<timestamp>-<execution id>``.
    """

    store: ObjectStore
    bucket: str
    prefix: str = "exports"
    name: str = "focus"
    mode: Delivery = Delivery.OVERWRITE
    files: FileOptions = FileOptions()

    @property
    def location(self) -> str:
        """What :class:`~airflow_multicloud.ports.cost.Cost` is asked for."""
        return joined(self.bucket, self.prefix, self.name)

    def folder(self, kind: str, period: date) -> str:
        """Where a billing period's files (``data``) or manifests (``metadata``) lie."""
        return joined(self.prefix, self.name, kind, f"BILLING_PERIOD={period:%Y-%m}") + "/"

    def publish(
        self, bill: Bill, *, exported_at: datetime | None = None, with_manifest: bool = True
    ) -> Published:
        """Deliver a version: files first, the manifest last.

        :param with_manifest: ``False`` stops short of it: a delivery under way.
        """
        period = bill.options.billing_period
        at = exported_at or datetime.now(UTC)
        execution = run_id(bill, at)
        run = ""
        if self.mode is Delivery.CREATE_NEW:
            run = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z-{execution}/"
        folder = self.folder("data", period) + run
        manifest_key = f"{self.folder('metadata', period)}{run}{self.name}-Manifest.json"
        with tempfile.TemporaryDirectory() as directory:
            written = write_bill(bill, Path(directory), self.files, stem=self.name)
            keys = tuple(folder + path.name for path in written.paths)
            for key, path in zip(keys, written.paths, strict=True):
                put_file(self.store, self.bucket, key, path)
        if self.mode is Delivery.OVERWRITE:
            delete_others(self.store, self.bucket, folder, set(keys))
        manifest = {
            "executionId": str(execution),
            "columns": [
                {"name": name, "type": _type(kind)} for name, kind in written.columns.items()
            ],
            "dataFiles": [f"s3://{self.bucket}/{key}" for key in keys],
        }
        if with_manifest:
            put_manifest(self.store, self.bucket, manifest_key, manifest)
        return Published(
            bucket=self.bucket,
            manifest=manifest_key,
            data=keys,
            rows=written.rows,
            totals=written.totals,
            exported_at=at,
        )


def _type(kind: str) -> str:
    if kind.startswith("MAP"):
        return "map"
    return _TYPES.get(kind, "double")
