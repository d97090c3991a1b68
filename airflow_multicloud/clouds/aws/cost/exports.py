"""AWS Data Exports in S3: billing periods as folders, each with a manifest written last.

https://docs.aws.amazon.com/cur/latest/userguide/dataexports-export-delivery.html: data lies
below ``<export>/data/BILLING_PERIOD=YYYY-MM/``, the manifest below ``<export>/metadata/`` of the
same partition. An export that creates new files has a folder for each execution in ``data``,
so the manifest alone tells which files are the month; it states neither sizes nor row counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from airflow_multicloud.adapters.exports import (
    download,
    format_of,
    listed,
    named,
    read_manifest,
    split_export,
)
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.cost.client import CostBase
from airflow_multicloud.clouds.aws.object_store import S3ObjectStoreHook
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.months import parse_month
from airflow_multicloud.ports.cost import CorrectionStyle, ExportedPeriod, FetchedPeriod
from airflow_multicloud.ports.object_store import ObjectMeta, ObjectStore

# The partition is BILLING_PERIOD= in the exports of CUR 2.0, billing_period= in those of FOCUS.
_PERIOD = re.compile(r"/billing_period=((?!0000)[0-9]{4}-(?:0[1-9]|1[0-2]))/", re.IGNORECASE)


class DataExports(CostBase):
    """The bill itself: the verbs of the port ``Cost``.

    :param aws_conn_id: an Airflow connection of type ``aws``.
    """

    def __init__(self, aws_conn_id: str | None = CostBase.default_conn_name) -> None:
        super().__init__(aws_conn_id)
        # Here, so that a wrong extra for S3 is found while the hook is made.
        self._exports: ObjectStore = S3ObjectStoreHook(self.aws_conn_id, session=self._session)

    def list_billing_periods(self, export: str) -> Sequence[ExportedPeriod]:
        """The billing periods that have a manifest.

        :param export: ``bucket/prefix/export-name``.
        """
        return exported_periods(self._exports, export)

    def fetch_billing_period(
        self,
        period: ExportedPeriod,
        directory: Path,
        *,
        after: str | None = None,  # noqa: ARG002
    ) -> FetchedPeriod:
        """The files that the period's manifest names; ``after`` means nothing here."""
        return fetch_period(self._exports, period, directory)


@named(NAME)
def exported_periods(store: ObjectStore, export: str) -> Sequence[ExportedPeriod]:
    """The periods that have a manifest, oldest first.

    :raises CostAnalysisError: as :meth:`airflow_multicloud.ports.cost.Cost.list_billing_periods`.
    """
    doing = f"listing export {export}"
    bucket, _ = _split(export)
    found = []
    for billing_period, meta in sorted(_manifests(store, export).items()):
        _data_files(store, meta, bucket, doing)
        found.append(
            ExportedPeriod(
                export=export,
                billing_period=billing_period,
                version=_version(meta),
                style=CorrectionStyle.REPLACE,
                exported_at=meta.last_modified,
            )
        )
    return found


@named(NAME)
def fetch_period(store: ObjectStore, period: ExportedPeriod, directory: Path) -> FetchedPeriod:
    """The files that a period's manifest names, and no others.

    :raises CostAnalysisError: as :meth:`airflow_multicloud.ports.cost.Cost.fetch_billing_period`.
    """
    doing = f"fetching {period.billing_period:%Y-%m} of {period.export}"
    bucket, _ = _split(period.export)
    manifest = _unchanged(store, period, doing)
    keys = _data_files(store, manifest, bucket, doing)
    written = format_of(keys, doing=doing)
    metas = _located(store, bucket, keys, doing)
    if len(metas) < len(keys):
        _unchanged(store, period, doing)  # overwritten meanwhile: that is no damage
        missing = [key for key in keys if key not in {meta.key for meta in metas}]
        raise _damaged(
            f"{doing}: {len(missing)} of {len(keys)} files that the manifest names are not there, "
            f"among them {missing[0]}"
        )
    for meta in metas:
        # Files are overwritten before the manifest is: an old manifest may name new files.
        if meta.last_modified > manifest.last_modified:
            raise _changed(
                f"{doing}: {meta.key} was written at {meta.last_modified.isoformat()}, after the "
                f"manifest ({manifest.last_modified.isoformat()}): the export is being rewritten"
            )
    files = download(store, metas, directory, doing=doing)
    _unchanged(store, period, doing)
    size = sum(meta.size for meta in metas)
    # A month without charges has a manifest that names no file.
    rows = period.rows if files else 0
    return FetchedPeriod(period=replace(period, size=size, rows=rows), format=written, files=files)


def _manifests(store: ObjectStore, export: str) -> dict[date, ObjectMeta]:
    """Billing period → its newest manifest."""
    bucket, path = _split(export)
    name = path.rpartition("/")[2]
    newest: dict[date, ObjectMeta] = {}
    for meta in listed(store, bucket, f"{path}/metadata/", doing=f"listing export {export}"):
        found = _PERIOD.search(meta.key)
        if found is None or not meta.key.endswith(f"/{name}-Manifest.json"):
            continue
        period = parse_month(found[1])
        old = newest.get(period)
        if old is None or (meta.last_modified, meta.key) > (old.last_modified, old.key):
            newest[period] = meta
    return newest


def _version(manifest: ObjectMeta) -> str:
    """What the manifest says, and when.

    An overwritten file keeps its name, so two deliveries' manifests may be the same bytes.
    """
    return f"{manifest.etag}@{manifest.last_modified.isoformat()}"


def _unchanged(store: ObjectStore, period: ExportedPeriod, doing: str) -> ObjectMeta:
    """The period's manifest, which is that of the version listed."""
    manifest = _manifests(store, period.export).get(period.billing_period)
    if manifest is None or _version(manifest) != period.version:
        raise _changed(f"{doing}: the export was rewritten since it was listed")
    return manifest


def _data_files(store: ObjectStore, meta: ObjectMeta, bucket: str, doing: str) -> list[str]:
    """The keys of the data files, which the manifest names by URI."""
    manifest: Mapping[str, Any] = read_manifest(store, meta, doing=doing)
    where = f"{doing}: manifest {meta.key}"
    files = manifest.get("dataFiles")
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        raise _damaged(f"{where} has no list dataFiles of texts")
    if len(set(files)) < len(files):
        raise _damaged(f"{where} names a file twice")
    root = f"s3://{bucket}/"
    elsewhere = [file for file in files if "://" in file and not file.startswith(root)]
    if elsewhere:
        raise _damaged(f"{where} names {elsewhere[0]}, which is not in bucket {bucket}")
    return [file.removeprefix(root) for file in files]


def _located(store: ObjectStore, bucket: str, keys: Sequence[str], doing: str) -> list[ObjectMeta]:
    """Those of the objects that are there, in this order."""
    # Only the folders named: the partition may hold the files of every execution before.
    folders = sorted({key.rpartition("/")[0] + "/" for key in keys})
    there = {
        meta.key: meta for folder in folders for meta in listed(store, bucket, folder, doing=doing)
    }
    return [there[key] for key in keys if key in there]


def _split(export: str) -> tuple[str, str]:
    return split_export(export, cloud=NAME, shape="bucket/prefix/export-name")


def _damaged(message: str) -> CostAnalysisError:
    return CostAnalysisError(message, kind=ErrorKind.INTEGRITY, cloud=NAME)


def _changed(message: str) -> CostAnalysisError:
    return CostAnalysisError(message, kind=ErrorKind.SOURCE_CHANGED, cloud=NAME)
