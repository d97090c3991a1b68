"""A bill as Azure Cost Management exports it to Blob Storage.

The folders are those of https://learn.microsoft.com/azure/cost-management-billing/costs/
tutorial-improved-exports, the manifest's fields those of a real one shown in
https://github.com/microsoft/finops-toolkit/issues/527 (newer ones also count bytes and rows).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_multicloud.ports.cost import FileFormat
from airflow_multicloud.testing.bills.delivery import (
    Delivery,
    Published,
    delete_others,
    joined,
    put_file,
    put_manifest,
    run_id,
)
from airflow_multicloud.testing.bills.files import FileOptions, WrittenBill, write_bill

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from airflow_multicloud.ports.object_store import ObjectStore
    from airflow_multicloud.testing.bills.generate import Bill


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureExport:
    """One export in one container.

    :param directory: the export's root folder; may be empty.
    :param mode: ``OVERWRITE`` (``OverwritePreviousReport``) deletes the run before;
        ``CREATE_NEW`` keeps it and adds the time of the run to the folder.
    """

    store: ObjectStore
    container: str
    directory: str = "costs"
    name: str = "focus"
    mode: Delivery = Delivery.OVERWRITE
    files: FileOptions = FileOptions(format=FileFormat.CSV)

    @property
    def location(self) -> str:
        """What :class:`~airflow_multicloud.ports.cost.Cost` is asked for."""
        return joined(self.container, self.directory, self.name)

    def period_prefix(self, period: date, days: int) -> str:
        """Where a billing month's runs lie: named by its first and last day."""
        last = period + timedelta(days=days - 1)
        return joined(self.directory, self.name, f"{period:%Y%m%d}-{last:%Y%m%d}") + "/"

    def publish(
        self, bill: Bill, *, exported_at: datetime | None = None, with_manifest: bool = True
    ) -> Published:
        """Deliver a version: files first, the manifest last.

        :param with_manifest: ``False`` stops short of it: a run under way.
        """
        options = bill.options
        at = exported_at or datetime.now(UTC)
        run = str(run_id(bill, at))
        period_prefix = self.period_prefix(options.billing_period, options.month_days)
        folder = period_prefix
        if self.mode is Delivery.CREATE_NEW:
            folder += f"{at:%Y%m%d%H%M}/"
        folder += f"{run}/"
        keys, sizes = [], []
        with tempfile.TemporaryDirectory() as directory:
            written = write_bill(bill, Path(directory), self.files)
            for number, path in enumerate(written.paths):
                keys.append(f"{folder}part_{number}_0001{self.files.suffix}")
                sizes.append(put_file(self.store, self.container, keys[-1], path))
        manifest_key = f"{folder}manifest.json"
        if self.mode is Delivery.OVERWRITE:
            delete_others(self.store, self.container, period_prefix, set(keys))
        if with_manifest:
            manifest = self._manifest(bill, at, run, written, list(zip(keys, sizes, strict=True)))
            put_manifest(self.store, self.container, manifest_key, manifest)
        return Published(
            bucket=self.container,
            manifest=manifest_key,
            data=tuple(keys),
            rows=written.rows,
            totals=written.totals,
            exported_at=at,
        )

    def _manifest(
        self,
        bill: Bill,
        at: datetime,
        run: str,
        written: WrittenBill,
        blobs: Sequence[tuple[str, int]],
    ) -> dict[str, Any]:
        first = bill.options.billing_period
        last = first + timedelta(days=bill.options.covered - 1)
        parquet = self.files.format is FileFormat.PARQUET
        compression = "snappy" if parquet else "gzip"
        overwrite = self.mode is Delivery.OVERWRITE
        return {
            "manifestVersion": "2024-04-01",
            "byteCount": sum(size for _, size in blobs),
            "blobCount": len(blobs),
            "dataRowCount": written.rows,
            "exportConfig": {
                "exportName": self.name,
                "resourceId": (
                    "/subscriptions/00000000-0000-0000-0000-000000000000/providers/"
                    f"Microsoft.CostManagement/exports/{self.name}"
                ),
                "dataVersion": f"{self.files.focus_version}-preview",
                "apiVersion": "2025-03-01",
                "type": "FocusCost",
                "timeFrame": "MonthToDate",
                "granularity": "Daily",
            },
            "deliveryConfig": {
                "partitionData": True,
                "dataOverwriteBehavior": (
                    "OverwritePreviousReport" if overwrite else "CreateNewReport"
                ),
                "fileFormat": "Parquet" if parquet else "Csv",
                "compressionMode": compression if self.files.compressed else "none",
                "containerUri": (
                    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/costs/"
                    "providers/Microsoft.Storage/storageAccounts/devstoreaccount1"
                ),
                "rootFolderPath": self.directory,
            },
            "runInfo": {
                "executionType": "Scheduled",
                "submittedTime": f"{at:%Y-%m-%dT%H:%M:%S.%f}0Z",
                "runId": run,
                "startDate": f"{first:%Y-%m-%d}T00:00:00",
                "endDate": f"{last:%Y-%m-%d}T00:00:00",
            },
            "blobs": [
                {"blobName": key, "byteCount": size, "dataRowCount": file.rows}
                for (key, size), file in zip(blobs, written.files, strict=True)
            ],
        }
