"""Bills in the clouds' layouts: what lies where, and that manifests tell the truth."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from airflow_multicloud.ports.cost import CorrectionStyle, FileFormat
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.bills import (
    AwsExport,
    AzureExport,
    Delivery,
    FileOptions,
    Restatement,
)
from airflow_multicloud.testing.memory_cloud.object_store import Hook, reset
from tests.unit.bills.conftest import small_bill

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 9, 21, 4, 5, 6, 789000, tzinfo=UTC)
LATER = datetime(2026, 9, 22, 4, 5, 6, 789000, tzinfo=UTC)


@pytest.fixture
def store() -> Iterator[Hook]:
    conn_id = f"bills-{uuid.uuid4().hex[:8]}"
    hook = Hook(conn_id)
    hook.ensure_bucket("bills")
    yield hook
    reset(conn_id)


def keys(store: Hook) -> set[str]:
    return {meta.key for meta in store.list_objects("bills")}


def manifest(store: Hook, key: str) -> Any:
    return json.loads(bytes(store.get_object(ObjectRef("bills", key)).read()))


def bring(store: Hook, files: tuple[str, ...], directory: Path) -> list[str]:
    paths = []
    for number, key in enumerate(files):
        path = directory / f"{number}-{key.rpartition('/')[2]}"
        path.write_bytes(bytes(store.get_object(ObjectRef("bills", key)).read()))
        paths.append(str(path))
    return paths


@pytest.mark.parametrize("form", FileFormat)
def test_aws(store: Hook, tmp_path: Path, form: FileFormat) -> None:
    files = FileOptions(format=form, count=2)
    export = AwsExport(store=store, bucket="bills", name="daily", files=files)
    bill = small_bill("aws")
    published = export.publish(bill, exported_at=AT)
    assert export.location == "bills/exports/daily"
    folder = "exports/daily/data/BILLING_PERIOD=2026-09"
    assert published.data == tuple(f"{folder}/daily-0000{n}{files.suffix}" for n in (1, 2))
    key = "exports/daily/metadata/BILLING_PERIOD=2026-09/daily-Manifest.json"
    assert published.manifest == key
    assert keys(store) == {key, *published.data}
    said = manifest(store, key)
    assert said["dataFiles"] == [f"s3://bills/{data}" for data in published.data]
    paths = bring(store, published.data, tmp_path)
    csv = form is FileFormat.CSV
    source = f"read_csv({paths}, all_varchar = true)" if csv else f"read_parquet({paths})"
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT count(*), sum(BilledCost::DECIMAL(28, 10)) FROM {source}"
        ).fetchone()
        described = connection.execute(f"DESCRIBE FROM {source}").fetchall()
    assert found == (3000, bill.totals().total.billed_cost)
    assert [column["name"] for column in said["columns"]] == [row[0] for row in described]


def test_aws_overwrites(store: Hook) -> None:
    """The files before are gone, also those that the new version has no more."""
    export = AwsExport(store=store, bucket="bills", files=FileOptions(count=3))
    export.publish(small_bill(), exported_at=AT)
    before = export.publish(small_bill(), exported_at=AT)
    fewer = AwsExport(store=store, bucket="bills", files=FileOptions(count=1))
    after = fewer.publish(small_bill(seed=2), exported_at=LATER)
    assert keys(store) == {before.manifest, *after.data}


def test_aws_creates_new(store: Hook) -> None:
    export = AwsExport(store=store, bucket="bills", prefix="", mode=Delivery.CREATE_NEW)
    before = export.publish(small_bill(), exported_at=AT)
    after = export.publish(small_bill(), exported_at=LATER)
    assert before.data[0].startswith("focus/data/BILLING_PERIOD=2026-09/2026-09-21T04:05:06.789Z-")
    assert keys(store) == {before.manifest, after.manifest, *before.data, *after.data}
    assert len(keys(store)) == 4


@pytest.mark.parametrize("form", FileFormat)
def test_azure(store: Hook, tmp_path: Path, form: FileFormat) -> None:
    files = FileOptions(format=form, count=2)
    export = AzureExport(store=store, container="bills", files=files)
    bill = small_bill("azure")
    published = export.publish(bill, exported_at=AT)
    folder = published.manifest.removesuffix("manifest.json")
    assert folder.startswith("costs/focus/20260901-20260930/")
    assert published.data == tuple(f"{folder}part_{n}_0001{files.suffix}" for n in (0, 1))
    said = manifest(store, published.manifest)
    sizes = [store.stat_object(ObjectRef("bills", key)).size for key in published.data]
    assert [blob["blobName"] for blob in said["blobs"]] == list(published.data)
    assert [blob["byteCount"] for blob in said["blobs"]] == sizes
    assert (said["byteCount"], said["blobCount"], said["dataRowCount"]) == (sum(sizes), 2, 3000)
    assert said["runInfo"]["endDate"] == "2026-09-20T00:00:00"
    assert said["runInfo"]["runId"] in folder
    with duckdb.connect() as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM '{path}'").fetchone()
            for path in bring(store, published.data, tmp_path)
        ]
    assert [(blob["dataRowCount"],) for blob in said["blobs"]] == counts


def test_azure_overwrites_or_not(store: Hook) -> None:
    for mode, runs in ((Delivery.OVERWRITE, 1), (Delivery.CREATE_NEW, 2)):
        export = AzureExport(store=store, container="bills", name=mode, mode=mode)
        export.publish(small_bill("azure"), exported_at=AT)
        export.publish(small_bill("azure"), exported_at=LATER)
        mine = {key for key in keys(store) if f"/{mode}/" in key}
        assert len(mine) == 2 * runs
    assert any("/20260901-20260930/202609220405/" in key for key in keys(store))


@pytest.mark.parametrize("export_class", [AwsExport, AzureExport])
def test_under_way(store: Hook, export_class: Any) -> None:
    """Stopped before the manifest: the files are there, the manifest is not."""
    place = "container" if export_class is AzureExport else "bucket"
    cloud = "azure" if export_class is AzureExport else "aws"
    export = export_class(store=store, **{place: "bills"})
    published = export.publish(small_bill(cloud), with_manifest=False)
    assert keys(store) == set(published.data)


def test_totals_of_what_was_published(store: Hook) -> None:
    bill = small_bill().restate(
        Restatement(
            style=CorrectionStyle.REPLACE, service="AWS Lambda", day=2, factor=Decimal("0.5")
        )
    )
    published = AwsExport(store=store, bucket="bills").publish(bill)
    assert published.totals == bill.totals()
    assert bill.options.billing_period == date(2026, 9, 1)
