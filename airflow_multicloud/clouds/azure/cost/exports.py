"""Cost Management exports in Blob Storage: a folder a billing period, a manifest written last.

https://learn.microsoft.com/azure/cost-management-billing/costs/tutorial-improved-exports: below
``<directory>/<export>/<first>-<last day>/`` lies a folder per run with the files and a
``manifest.json`` that names them. Exports that overwrite delete the run before; those that don't
keep it, and the newest counts.

The folder's name says which days a run is of: a scheduled run of the month to date names the whole
month, a run of selected dates ("Export selected dates") only these. What such a run has takes the
place of the same days of the whole month's newest run, if it is newer than that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
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
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.cost.client import CostBase
from airflow_multicloud.clouds.azure.storage_account import CONN_TYPE
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.months import first_of_month, last_of_month
from airflow_multicloud.ports.cost import CorrectionStyle, ExportedPeriod, FetchedPeriod
from airflow_multicloud.ports.object_store import ObjectMeta, ObjectStore

_DAY = r"(\d{4})(\d{2})(\d{2})"
_MANIFEST = re.compile(rf"{_DAY}-{_DAY}/(?:[^/]+/)*manifest\.json", re.ASCII)

_Days = tuple[date, date]


@dataclass(frozen=True, slots=True)
class _File:
    """A file as the manifest states it."""

    key: str
    size: int | None
    rows: int | None


class CostExports(CostBase):
    """The port's ``list_billing_periods`` and ``fetch_billing_period``."""

    def list_billing_periods(self, export: str) -> Sequence[ExportedPeriod]:
        """The billing periods that have a manifest.

        :param export: ``container/directory/export-name``.
        """
        return exported_periods(self._store(), export)

    def fetch_billing_period(
        self,
        period: ExportedPeriod,
        directory: Path,
        *,
        after: str | None = None,  # noqa: ARG002
    ) -> FetchedPeriod:
        """The files that the period's manifest names; ``after`` means nothing here."""
        return fetch_period(self._store(), period, directory)

    def _store(self) -> ObjectStore:
        if self._exports is None:
            raise self._manager.unusable(
                f"has type {self._manager.conn_type!r}; exports are read from Blob Storage with a "
                f"connection of type {CONN_TYPE!r}"
            )
        return self._exports


@named(NAME)
def exported_periods(store: ObjectStore, export: str) -> Sequence[ExportedPeriod]:
    """The periods that have a manifest, with what it states."""
    doing = f"listing export {export}"
    newest = _manifests(store, export)
    by_month: dict[date, list[_Days]] = {}
    for days in newest:
        by_month.setdefault(first_of_month(days[0]), []).append(days)
    return [
        _period(export, days, newest[days], read_manifest(store, newest[days], doing=doing))
        for _, found in sorted(by_month.items())
        for days in _in_force(found, newest)
    ]


@named(NAME)
def fetch_period(store: ObjectStore, period: ExportedPeriod, directory: Path) -> FetchedPeriod:
    """The files that a period's manifest names."""
    doing = f"fetching {period.billing_period:%Y-%m} of {period.export}"
    meta = _unchanged(store, period, doing)
    manifest = read_manifest(store, meta, doing=doing)
    files = _files(manifest, doing)
    folder = meta.key.rpartition("/")[0] + "/"
    there = {m.key: m for m in listed(store, meta.bucket, folder, doing=doing)}
    if damage := _miscount(manifest, files) or _damage(files, there):
        _unchanged(store, period, doing)  # overwritten meanwhile: that is no damage
        raise _broken(f"{doing}: {damage}", ErrorKind.INTEGRITY)
    blobs = [there[file.key] for file in files]
    written = format_of([file.key for file in files], doing=doing)
    newer = [blob.key for blob in blobs if blob.last_modified > meta.last_modified]
    if newer:
        raise _broken(
            f"{doing}: {newer[0]} is newer than the manifest: the export is being rewritten",
            ErrorKind.SOURCE_CHANGED,
        )
    paths = download(store, blobs, directory, doing=doing)
    return FetchedPeriod(period=period, format=written, files=paths)


def _manifests(store: ObjectStore, export: str) -> dict[_Days, ObjectMeta]:
    """First and last day → the newest manifest of these."""
    container, path = split_export(
        export, cloud=NAME, shape="container/directory/export-name (container/export-name)"
    )
    newest: dict[_Days, ObjectMeta] = {}
    for meta in listed(store, container, f"{path}/", doing=f"listing export {export}"):
        found = _MANIFEST.fullmatch(meta.key.removeprefix(f"{path}/"))
        days = found and _days(*found.groups())
        if not days:
            continue
        old = newest.get(days)
        if old is None or _age(meta) > _age(old):
            newest[days] = meta
    return newest


def _days(*parts: str) -> _Days | None:
    """The days that a folder's name says; ``None`` when there are none such."""
    try:
        first, last = date(*map(int, parts[:3])), date(*map(int, parts[3:]))
    except ValueError:
        return None
    return (first, last) if first <= last else None


def _in_force(found: Sequence[_Days], newest: Mapping[_Days, ObjectMeta]) -> list[_Days]:
    """One month's runs that count, in this order: the whole month's, then newer ones of days."""
    ordered = sorted(found, key=lambda days: _age(newest[days]))
    whole = [place for place, days in enumerate(ordered) if _is_month(days)]
    return ordered[whole[-1] :] if whole else ordered


def _is_month(days: _Days) -> bool:
    first, last = days
    return first.day == 1 and last == last_of_month(first)


def _age(meta: ObjectMeta) -> tuple[datetime, str]:
    return meta.last_modified, meta.key


def _period(
    export: str, days: _Days, meta: ObjectMeta, manifest: Mapping[str, Any]
) -> ExportedPeriod:
    return ExportedPeriod(
        export=export,
        billing_period=first_of_month(days[0]),
        version=meta.etag,
        style=CorrectionStyle.REPLACE,
        exported_at=meta.last_modified,
        rows=_count(manifest, "dataRowCount"),
        size=_count(manifest, "byteCount"),
        days=None if _is_month(days) else days,
    )


def _unchanged(store: ObjectStore, period: ExportedPeriod, doing: str) -> ObjectMeta:
    month = period.billing_period
    whole = (month, last_of_month(month))
    meta = _manifests(store, period.export).get(period.days or whole)
    if meta is None or meta.etag != period.version:
        raise _broken(
            f"{doing}: the export was rewritten since it was listed", ErrorKind.SOURCE_CHANGED
        )
    return meta


def _files(manifest: Mapping[str, Any], doing: str) -> list[_File]:
    blobs = manifest.get("blobs")
    if not isinstance(blobs, list) or not all(
        isinstance(blob, dict) and isinstance(blob.get("blobName"), str) for blob in blobs
    ):
        raise _broken(f"{doing}: the manifest has no list blobs of blobName", ErrorKind.INTEGRITY)
    return [
        _File(blob["blobName"].strip("/"), _count(blob, "byteCount"), _count(blob, "dataRowCount"))
        for blob in blobs
    ]


def _miscount(manifest: Mapping[str, Any], files: Sequence[_File]) -> str | None:
    """Whether the manifest contradicts itself; rows are counted by who reads the files."""
    stated = _count(manifest, "dataRowCount")
    rows = [file.rows for file in files if file.rows is not None]
    if stated is None or len(rows) < len(files) or sum(rows) == stated:
        return None
    return f"the manifest states {stated} rows, and {sum(rows)} for its files together"


def _damage(files: Sequence[_File], there: Mapping[str, ObjectMeta]) -> str | None:
    missing = [file.key for file in files if file.key not in there]
    if missing:
        return (
            f"{len(missing)} of {len(files)} files that the manifest names are not there, among "
            f"them {missing[0]}"
        )
    for file in files:
        size = there[file.key].size
        if file.size is not None and size < file.size:
            return f"{file.key} has {size} bytes, the manifest states {file.size}"
    return None


def _count(stated: Mapping[str, Any], name: str) -> int | None:
    """A number that older manifests don't have."""
    value = stated.get(name)
    return value if type(value) is int and value >= 0 else None


def _broken(message: str, kind: ErrorKind) -> CostAnalysisError:
    return CostAnalysisError(message, kind=kind, cloud=NAME)
