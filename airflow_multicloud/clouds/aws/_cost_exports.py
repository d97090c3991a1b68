"""AWS Data Exports in S3: billing periods as folders, each with a manifest written last.

https://docs.aws.amazon.com/cur/latest/userguide/dataexports-export-delivery.html: data lies
below ``<export>/data/BILLING_PERIOD=YYYY-MM/``, the manifest below ``<export>/metadata/`` of the
same partition; exports that create new files rather than overwrite have a folder per
execution in both, of which the newest counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from airflow_multicloud.clouds._exports import (
    download,
    format_of,
    listed,
    read_manifest,
    split_export,
)
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import CorrectionStyle, ExportedPeriod, FetchedPeriod
from airflow_multicloud.ports.object_store import ObjectMeta, ObjectStore

_PERIOD = re.compile(r"/BILLING_PERIOD=(\d{4})-(\d{2})/")


def exported_periods(store: ObjectStore, export: str) -> Sequence[ExportedPeriod]:
    """The periods that have a manifest."""
    manifests = _manifests(store, export)
    return [
        ExportedPeriod(
            export=export,
            billing_period=period,
            version=meta.etag,
            style=CorrectionStyle.REPLACE,
            exported_at=meta.last_modified,
        )
        for period, meta in sorted(manifests.items())
    ]


def fetch_period(store: ObjectStore, period: ExportedPeriod, directory: Path) -> FetchedPeriod:
    """The files that a period's manifest names."""
    doing = f"fetch {period.billing_period:%Y-%m} of {period.export}"
    bucket, path = _split(period.export)
    meta = _unchanged(store, period, doing)
    manifest = read_manifest(store, meta, doing=doing)
    keys = _data_files(manifest, bucket, doing)
    folder = f"{path}/data/BILLING_PERIOD={period.billing_period:%Y-%m}/"
    there = {m.key: m for m in listed(store, bucket, folder, doing=doing)}
    missing = [key for key in keys if key not in there]
    if missing:
        _unchanged(store, period, doing)  # overwritten meanwhile: that is no damage
        raise CostAnalysisError(
            f"{doing}: {len(missing)} of {len(keys)} files that the manifest names are not there, "
            f"among them {missing[0]}",
            kind=ErrorKind.INTEGRITY,
            cloud=NAME,
        )
    written = format_of(keys, doing=doing)
    files = download(store, [there[key] for key in keys], directory, doing=doing)
    # Files are overwritten before the manifest is: an old manifest may name new files.
    _unchanged(store, period, doing)
    newer = [key for key in keys if there[key].last_modified > meta.last_modified]
    if newer:
        raise CostAnalysisError(
            f"{doing}: {newer[0]} is newer than the manifest: the export is being rewritten",
            kind=ErrorKind.SOURCE_CHANGED,
            cloud=NAME,
        )
    return FetchedPeriod(period=period, format=written, files=files)


def _manifests(store: ObjectStore, export: str) -> dict[date, ObjectMeta]:
    """Billing period → its newest manifest."""
    bucket, path = _split(export)
    name = path.rpartition("/")[2]
    newest: dict[date, ObjectMeta] = {}
    for meta in listed(store, bucket, f"{path}/metadata/", doing=f"list export {export}"):
        found = _PERIOD.search(meta.key)
        if found is None or not meta.key.endswith(f"/{name}-Manifest.json"):
            continue
        period = date(int(found[1]), int(found[2]), 1)
        old = newest.get(period)
        if old is None or (meta.last_modified, meta.key) > (old.last_modified, old.key):
            newest[period] = meta
    return newest


def _unchanged(store: ObjectStore, period: ExportedPeriod, doing: str) -> ObjectMeta:
    meta = _manifests(store, period.export).get(period.billing_period)
    if meta is None or meta.etag != period.version:
        raise CostAnalysisError(
            f"{doing}: the export was rewritten since it was listed",
            kind=ErrorKind.SOURCE_CHANGED,
            cloud=NAME,
        )
    return meta


def _data_files(manifest: Mapping[str, Any], bucket: str, doing: str) -> list[str]:
    """The keys of the data files, which the manifest names by URI."""
    files = manifest.get("dataFiles")
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        raise CostAnalysisError(
            f"{doing}: the manifest has no list dataFiles", kind=ErrorKind.INTEGRITY, cloud=NAME
        )
    return [file.removeprefix(f"s3://{bucket}/") for file in files]


def _split(export: str) -> tuple[str, str]:
    return split_export(export, cloud=NAME, shape="bucket/prefix/export-name")
