"""Exports in memory: manifests that state everything, checked against everything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_multicloud.errors import CloudError, CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import (
    CorrectionStyle,
    ExportedPeriod,
    FetchedPeriod,
    FileFormat,
)
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.memory_cloud import NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_multicloud.ports.object_store import ObjectStore


def failure(message: str, kind: ErrorKind) -> CostAnalysisError:
    """An error of this cloud."""
    return CostAnalysisError(message, kind=kind, cloud=NAME)


def exported_periods(store: ObjectStore, export: str) -> Sequence[ExportedPeriod]:
    """The periods that have a manifest."""
    bucket, path = _split(export)
    with _storage_errors(f"listing export {export}"):
        keys = [meta.key for meta in store.list_objects(bucket, f"{path}/")]
    months = sorted(key.split("/")[-2] for key in keys if key.endswith("/manifest.json"))
    return [_period(export, month, _manifest(store, export, month)) for month in months]


def fetch_period(
    store: ObjectStore, period: ExportedPeriod, directory: Path, after: str | None
) -> FetchedPeriod:
    """The files of the period's version (of every version up to it, in styles that append)."""
    month = f"{period.billing_period:%Y-%m}"
    doing = f"fetching {month} of {period.export}"
    manifest = _manifest(store, period.export, month)
    names = [version["version"] for version in manifest["versions"]]
    replaces = manifest["style"] == CorrectionStyle.REPLACE
    if period.version not in names or (replaces and names[-1] != period.version):
        raise failure(f"{doing}: it was rewritten since it was listed", ErrorKind.SOURCE_CHANGED)
    if after is not None and not replaces and after not in names:
        raise failure(f"after: {after!r} is no version of {doing}", ErrorKind.INVALID_ARGUMENT)
    first = names.index(after) + 1 if after is not None and not replaces else 0
    chosen = manifest["versions"][first : names.index(period.version) + 1]
    form = FileFormat(manifest["format"])
    bucket, _ = _split(period.export)
    found = [file for version in chosen for file in version["files"]]
    paths = []
    for number, file in enumerate(found):
        path = directory / f"{number:05}-{file['key'].rpartition('/')[2]}"
        _download(store, ObjectRef(bucket, file["key"]), file, path, doing)
        _count_rows(path, form, file["rows"], doing)
        paths.append(path)
    now = [version["version"] for version in _manifest(store, period.export, month)["versions"]]
    if period.version not in now or (replaces and now[-1] != period.version):
        raise failure(f"{doing}: it was rewritten meanwhile", ErrorKind.SOURCE_CHANGED)
    return FetchedPeriod(period=period, format=form, files=tuple(paths))


def _period(export: str, month: str, manifest: dict[str, Any]) -> ExportedPeriod:
    last = manifest["versions"][-1]
    files = [file for version in manifest["versions"] for file in version["files"]]
    return ExportedPeriod(
        export=export,
        billing_period=date.fromisoformat(f"{month}-01"),
        version=last["version"],
        style=CorrectionStyle(manifest["style"]),
        exported_at=datetime.fromisoformat(last["exported_at"]),
        rows=sum(file["rows"] for file in files),
        size=sum(file["size"] for file in files),
    )


def _manifest(store: ObjectStore, export: str, month: str) -> dict[str, Any]:
    bucket, path = _split(export)
    key = f"{path}/{month}/manifest.json"
    with _storage_errors(f"manifest {key}", gone=ErrorKind.SOURCE_CHANGED):
        text = bytes(store.get_object(ObjectRef(bucket, key)).read())
    try:
        found: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise failure(f"manifest {key} can't be read: {err}", ErrorKind.INTEGRITY) from err
    return found


def _download(
    store: ObjectStore, ref: ObjectRef, stated: dict[str, Any], path: Path, doing: str
) -> None:
    with _storage_errors(f"{doing}: {ref.key}", gone=ErrorKind.INTEGRITY):
        body = store.get_object(ref)
        path.write_bytes(bytes(body.read()))
    if body.meta.size != stated["size"]:
        raise failure(
            f"{doing}: {ref.key} has {body.meta.size} bytes, the manifest says {stated['size']}",
            ErrorKind.INTEGRITY,
        )
    if body.meta.etag != stated["etag"]:
        raise failure(f"{doing}: {ref.key} was rewritten", ErrorKind.SOURCE_CHANGED)


def _count_rows(path: Path, form: FileFormat, stated: int, doing: str) -> None:
    import duckdb

    reader = "read_parquet" if form is FileFormat.PARQUET else "read_csv"
    every = "" if form is FileFormat.PARQUET else ", all_varchar = true"
    try:
        with duckdb.connect() as connection:
            found = connection.execute(
                f"SELECT count(*) FROM {reader}(?{every})",  # noqa: S608 - our own words
                [str(path)],
            ).fetchone()
    except duckdb.Error as err:
        raise failure(f"{doing}: {path.name} can't be read: {err}", ErrorKind.INTEGRITY) from err
    rows = found[0] if found else 0
    if rows != stated:
        raise failure(
            f"{doing}: {path.name} has {rows} rows, the manifest says {stated}",
            ErrorKind.INTEGRITY,
        )


@contextmanager
def _storage_errors(doing: str, *, gone: ErrorKind = ErrorKind.NOT_FOUND) -> Iterator[None]:
    """Have storage's errors be cost's; ``gone`` is what a missing object means here."""
    try:
        yield
    except CloudError as err:
        kind = gone if err.kind is ErrorKind.NOT_FOUND else err.kind
        raise failure(f"{doing}: {err}", kind) from err


def _split(export: str) -> tuple[str, str]:
    bucket, _, path = export.strip("/").partition("/")
    if not bucket or not path:
        raise failure(
            f"export: {export!r} given, expected bucket/prefix/export-name",
            ErrorKind.INVALID_ARGUMENT,
        )
    return bucket, path
