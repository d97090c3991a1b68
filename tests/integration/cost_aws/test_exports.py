"""Data Exports in S3: what the contract of every cloud's bill does not know of AWS's."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import ExportedPeriod, FileFormat
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.bills import AwsExport, Bill, BillOptions, FileOptions

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_multicloud.clouds.aws.cost import CostExplorerHook

    from .exported import Export

SEPTEMBER = date(2026, 9, 1)


def only_period(hook: CostExplorerHook, export: Export) -> ExportedPeriod:
    (period,) = hook.list_billing_periods(export.location)
    return period


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("focus-00001.snappy.parquet", FileFormat.PARQUET),
        ("focus-00001.csv.gz", FileFormat.CSV),
        ("focus-00001.CSV.GZ", FileFormat.CSV),
    ],
)
def test_files_are_brought_as_they_are(
    hook: CostExplorerHook, export: Export, tmp_path: Path, name: str, form: FileFormat
) -> None:
    export.deliver({name: b"first", name.replace("1", "2"): b"second"})
    found = hook.fetch_billing_period(only_period(hook, export), tmp_path)
    assert found.format is form
    assert [path.read_bytes() for path in found.files] == [b"first", b"second"]
    assert found.period.size == 11


def test_partition_in_lower_case(hook: CostExplorerHook, export: Export, tmp_path: Path) -> None:
    """As exports of FOCUS have it."""
    lower = replace(export, partition="billing_period=2026-09")
    lower.deliver({"focus-1.parquet": b"x"})
    period = only_period(hook, lower)
    assert period.billing_period == SEPTEMBER
    assert len(hook.fetch_billing_period(period, tmp_path).files) == 1


def test_other_files_are_not_taken(hook: CostExplorerHook, export: Export, tmp_path: Path) -> None:
    """Earlier executions' files, metadata of other kinds, months that are none."""
    export.put(export.data("2026-09-03T00:00:00.000Z-1/focus-1.parquet"), b"old")
    export.put(export.data("unnamed.parquet"), b"unnamed")
    export.put(f"{export.manifest.replace('Manifest', 'Metadata')}", b"{}")
    export.put(export.manifest.replace("2026-09", "2026-13"), b"no month")
    export.put(export.manifest.replace("focus-M", "other-M"), b"another's")
    export.deliver({"2026-09-04T00:00:00.000Z-2/focus-1.parquet": b"new"})
    found = hook.fetch_billing_period(only_period(hook, export), tmp_path)
    assert [path.read_bytes() for path in found.files] == [b"new"]


def test_files_of_one_name_in_two_folders(
    hook: CostExplorerHook, export: Export, tmp_path: Path
) -> None:
    export.deliver({"b/focus-1.parquet": b"1", "a/focus-1.parquet": b"2"})
    found = hook.fetch_billing_period(only_period(hook, export), tmp_path)
    assert [path.read_bytes() for path in found.files] == [b"1", b"2"]


def test_keys_beside_uris(hook: CostExplorerHook, export: Export, tmp_path: Path) -> None:
    export.deliver({"focus-1.parquet": b"x"}, dataFiles=[export.data("focus-1.parquet")])
    assert len(hook.fetch_billing_period(only_period(hook, export), tmp_path).files) == 1


def test_overwritten_by_the_same_manifest(hook: CostExplorerHook, export: Export) -> None:
    """An overwritten file keeps its name: a manifest of the same bytes is another version."""
    export.deliver({"focus-1.parquet": b"before"})
    before = only_period(hook, export)
    time.sleep(1.1)  # S3 tells the second
    export.deliver({"focus-1.parquet": b"after"})
    after = only_period(hook, export)
    assert after.version != before.version
    assert after.exported_at > before.exported_at


def test_overwritten_while_listed_twice(
    hook: CostExplorerHook, export: Export, tmp_path: Path
) -> None:
    export.deliver({"focus-1.parquet": b"before"})
    before = only_period(hook, export)
    time.sleep(1.1)
    export.deliver({"focus-1.parquet": b"after"})
    with pytest.raises(CostAnalysisError, match="rewritten since it was listed") as caught:
        hook.fetch_billing_period(before, tmp_path)
    assert caught.value.kind is ErrorKind.SOURCE_CHANGED


def test_file_newer_than_the_manifest(
    hook: CostExplorerHook, export: Export, tmp_path: Path
) -> None:
    export.deliver({"focus-1.parquet": b"before", "focus-2.parquet": b"before"})
    period = only_period(hook, export)
    time.sleep(1.1)
    export.put(export.data("focus-2.parquet"), b"after")
    with pytest.raises(CostAnalysisError, match=r"focus-2\.parquet was written at .* rewritten"):
        hook.fetch_billing_period(period, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("manifest", "complaint"),
    [
        ({"dataFiles": None}, "no list dataFiles"),
        ({"dataFiles": [1]}, "no list dataFiles"),
        ({"dataFiles": ["s3://elsewhere/a.parquet"]}, "not in bucket bills-"),
        ({"dataFiles": ["a.parquet", "a.parquet"]}, "names a file twice"),
    ],
)
def test_manifest_that_names_no_files(
    hook: CostExplorerHook, export: Export, manifest: dict[str, object], complaint: str
) -> None:
    export.deliver({}, **manifest)
    with pytest.raises(CostAnalysisError, match=complaint) as caught:
        hook.list_billing_periods(export.location)
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert caught.value.cloud == "aws"
    assert export.manifest in str(caught.value)


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (["a.parquet", "b.csv.gz"], "found a.parquet, b.csv.gz"),
        (["a.orc"], "found a.orc"),
        (["a.parquet", "b.parquet"], "1 of 2 files .* are not there, among them .*/b.parquet"),
    ],
)
def test_files_that_are_no_month(
    hook: CostExplorerHook, export: Export, tmp_path: Path, files: list[str], complaint: str
) -> None:
    uris = [f"s3://{export.bucket}/{export.data(name)}" for name in files]
    export.deliver(dict.fromkeys(files[:1], b"x"), dataFiles=uris)
    with pytest.raises(CostAnalysisError, match=complaint) as caught:
        hook.fetch_billing_period(only_period(hook, export), tmp_path)
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert caught.value.cloud == "aws"


@pytest.mark.parametrize("form", list(FileFormat))
def test_truncated_file_leaves_the_store_as_it_was(
    hook: CostExplorerHook, export: Export, tmp_path: Path, form: FileFormat
) -> None:
    """The manifest states no sizes: reading the file tells."""
    files = FileOptions(format=form)
    writer = AwsExport(store=export.store, bucket=export.bucket, files=files)
    bill = Bill(BillOptions(cloud="aws", billing_period=SEPTEMBER, days=5, rows=300, seed=3))
    published = writer.publish(bill)
    store = CostStore.open(tmp_path / "store")
    period = only_period(hook, export)
    store.ingest("aws", hook.fetch_billing_period(period, tmp_path / "whole"))

    time.sleep(1.1)
    first = ObjectRef(export.bucket, published.data[0])
    content = bytes(export.store.get_object(first).read())
    export.store.put_object(first, content[: len(content) // 2])
    manifest = ObjectRef(export.bucket, published.manifest)
    export.store.put_object(manifest, bytes(export.store.get_object(manifest).read()))
    found = hook.fetch_billing_period(only_period(hook, export), tmp_path / "cut")
    with pytest.raises(CostAnalysisError) as caught:
        store.ingest("aws", found)
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert store.current_version("aws", export.location, SEPTEMBER) == period.version


def test_closed_server(closed_s3: str) -> None:
    from airflow_multicloud.clouds.aws.cost import CostExplorerHook

    with pytest.raises(CostAnalysisError, match="listing export bucket/exports/focus") as caught:
        CostExplorerHook(closed_s3).list_billing_periods("bucket/exports/focus")
    assert caught.value.kind is ErrorKind.UNAVAILABLE
