"""What exports in a bucket share: a manifest written last, and the files that it names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from airflow_multicloud.errors import CloudError, CostAnalysisError, ErrorKind, StorageError
from airflow_multicloud.ports.cost import FileFormat
from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef, ObjectStore

_MANIFEST_LIMIT = 16 << 20
_NAME_LENGTH = 100


@contextmanager
def named(cloud: str) -> Iterator[None]:
    """Have this module's errors say which cloud they are of."""
    try:
        yield
    except CostAnalysisError as err:
        raise err.on_cloud(cloud) from err


def split_export(export: str, *, cloud: str, shape: str) -> tuple[str, str]:
    """``bucket/path`` as the bucket and the path.

    :raises CostAnalysisError: kind ``invalid_argument``, saying the ``shape`` expected.
    """
    bucket, _, path = export.strip("/").partition("/")
    if not bucket or not path:
        raise CostAnalysisError(
            f"export: {export!r} given, expected {shape}",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=cloud,
        )
    return bucket, path


def listed(store: ObjectStore, bucket: str, prefix: str, *, doing: str) -> list[ObjectMeta]:
    """All objects below a prefix, with storage's errors made cost's."""
    try:
        return list(store.list_objects(bucket, prefix))
    except CloudError as err:
        raise as_cost_error(err, doing) from err


def read_manifest(store: ObjectStore, meta: ObjectMeta, *, doing: str) -> Mapping[str, Any]:
    """A manifest, exactly the one that was listed.

    :raises CostAnalysisError: kind ``source_changed`` when it was rewritten since; kind
        ``integrity`` when it is no JSON object.
    """
    where = f"{doing}: manifest {meta.key}"
    if meta.size > _MANIFEST_LIMIT:
        raise CostAnalysisError(
            f"{where} has {meta.size} bytes, more than a manifest has", kind=ErrorKind.INTEGRITY
        )
    try:
        ref = ObjectRef(meta.bucket, meta.key)
        text = bytes(store.get_object(ref, if_etag=meta.etag).read())
    except CloudError as err:
        raise as_cost_error(err, where) from err
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise CostAnalysisError(f"{where} can't be read: {err}", kind=ErrorKind.INTEGRITY) from err
    if not isinstance(found, dict):
        raise CostAnalysisError(f"{where} is no JSON object", kind=ErrorKind.INTEGRITY)
    return found


def download(
    store: ObjectStore, files: Sequence[ObjectMeta], directory: Path, *, doing: str
) -> tuple[Path, ...]:
    """Bring objects into a directory, each exactly as it was listed, in this order.

    :raises CostAnalysisError: kind ``source_changed`` when one was rewritten or deleted
        since; whatever is in the directory then is not to be used.
    """
    directory.mkdir(parents=True, exist_ok=True)
    fetched = []
    for number, meta in enumerate(files):
        # Numbered: files of different folders may share a name.
        path = directory / f"{number:05d}-{_file_name(meta.key)}"
        got = 0
        try:
            with path.open("wb") as out:
                ref = ObjectRef(meta.bucket, meta.key)
                for chunk in store.get_object(ref, if_etag=meta.etag):
                    got += out.write(chunk)
        except CloudError as err:
            raise as_cost_error(err, f"{doing}: {meta.key}", gone_means_changed=True) from err
        if got != meta.size:
            raise CostAnalysisError(
                f"{doing}: {got} of {meta.size} bytes of {meta.key} arrived",
                kind=ErrorKind.INTEGRITY,
            )
        fetched.append(path)
    return tuple(fetched)


def _file_name(key: str) -> str:
    """What a key calls its file, as any file system takes it and no program for a pattern."""
    name = key.rpartition("/")[2]
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in name)
    return plain[-_NAME_LENGTH:]


def format_of(names: Sequence[str], *, doing: str) -> FileFormat:
    """How files are written, by their names; where there are none it does not matter.

    :raises CostAnalysisError: kind ``integrity`` when they are of several formats, or another.
    """
    if not names:
        return FileFormat.CSV
    formats = {_format(name) for name in names}
    if len(formats) != 1 or None in formats:
        shown = ", ".join(sorted({name.rpartition("/")[2] for name in names})[:3])
        raise CostAnalysisError(
            f"{doing}: expected Parquet or CSV files, all of one format, found {shown or 'none'}",
            kind=ErrorKind.INTEGRITY,
        )
    found = formats.pop()
    assert found is not None  # noqa: S101 - refused above
    return found


def _format(name: str) -> FileFormat | None:
    lowered = name.lower()
    if lowered.endswith((".parquet", ".snappy")):
        return FileFormat.PARQUET
    return FileFormat.CSV if lowered.endswith((".csv", ".csv.gz")) else None


def as_cost_error(err: CloudError, doing: str, *, gone_means_changed: bool = False) -> CloudError:
    """A storage error as the cost port's, credentials' errors as they are."""
    if not isinstance(err, StorageError):
        return err
    kind = err.kind
    if kind is ErrorKind.PRECONDITION_FAILED or (
        gone_means_changed and kind is ErrorKind.NOT_FOUND
    ):
        kind = ErrorKind.SOURCE_CHANGED
    return CostAnalysisError(f"{doing}: {err}", kind=kind, cloud=err.cloud, code=err.code)
