"""Manifests of Cost Management exports that say what they must not."""

from __future__ import annotations

import json
import time
import uuid
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from airflow_multicloud.clouds.azure.cost.exports import exported_periods, fetch_period
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.object_store import BucketCreation, ObjectRef, ObjectStore
from airflow_multicloud.testing.contracts.rigs import as_capable
from airflow_multicloud.testing.memory_cloud.object_store import Hook

FOLDER = "costs/focus/20260901-20260930/run-1"
BLOB = {"blobName": f"{FOLDER}/part_0_0001.csv", "byteCount": 4, "dataRowCount": 1}
WHOLE: dict[str, Any] = {"dataRowCount": 1, "byteCount": 4, "blobs": [BLOB]}


@pytest.fixture
def store() -> ObjectStore:
    made: ObjectStore = Hook(memory_conn_id=f"memory_{uuid.uuid4().hex}")
    as_capable(made, BucketCreation).ensure_bucket("bills")
    made.put_object(ObjectRef("bills", f"{FOLDER}/part_0_0001.csv"), b"a\n1\n")
    return made


def publish(store: ObjectStore, manifest: object) -> None:
    content = json.dumps(manifest).encode()
    store.put_object(ObjectRef("bills", f"{FOLDER}/manifest.json"), content)


def fetch(store: ObjectStore, directory: Path) -> tuple[Path, ...]:
    period = exported_periods(store, "bills/costs/focus")[0]
    return fetch_period(store, period, directory).files


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(WHOLE, id="whole"),
        pytest.param({"blobs": [{"blobName": BLOB["blobName"]}]}, id="older: counts nothing"),
        pytest.param({"blobs": [{**BLOB, "blobName": f"/{BLOB['blobName']}"}]}, id="a slash first"),
    ],
)
def test_read(store: ObjectStore, tmp_path: Path, manifest: object) -> None:
    publish(store, manifest)
    assert [path.read_bytes() for path in fetch(store, tmp_path)] == [b"a\n1\n"]


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ([], "no JSON object"),
        ({}, "no list blobs"),
        ({"blobs": {}}, "no list blobs"),
        ({"blobs": ["a"]}, "no list blobs"),
        ({"blobs": [], "dataRowCount": 2}, "states 2 rows, and 0 for its files"),
        ({**WHOLE, "dataRowCount": 2}, "states 2 rows, and 1 for its files"),
        ({"blobs": [{**BLOB, "byteCount": 5}]}, "has 4 bytes, the manifest states 5"),
        ({"blobs": [{"blobName": "elsewhere.csv"}]}, "1 of 1 files .* elsewhere.csv"),
    ],
)
def test_refused(store: ObjectStore, tmp_path: Path, manifest: object, said: str) -> None:
    publish(store, manifest)
    with pytest.raises(CostAnalysisError, match=said) as caught:
        fetch(store, tmp_path)
    assert (caught.value.kind, caught.value.cloud) == (ErrorKind.INTEGRITY, "azure")


@pytest.mark.parametrize("manifest", [{"blobs": []}, {"blobs": [], "dataRowCount": 0}])
def test_a_month_without_rows_has_no_files(
    store: ObjectStore, tmp_path: Path, manifest: object
) -> None:
    publish(store, manifest)
    assert fetch(store, tmp_path) == ()


def run_of(store: ObjectStore, folder: str) -> None:
    key = f"costs/focus/{folder}/run/part_0_0001.csv"
    store.put_object(ObjectRef("bills", key), b"a\n1\n")
    content = json.dumps({"blobs": [{"blobName": key}]}).encode()
    store.put_object(ObjectRef("bills", f"costs/focus/{folder}/run/manifest.json"), content)
    time.sleep(0.01)  # the memory cloud's clock is the machine's


def test_days_follow_the_month_that_they_are_of(store: ObjectStore, tmp_path: Path) -> None:
    """Selected days count for themselves, unless the whole month was exported after them."""
    month, week, later = (date(2026, 10, 1), None), (10, 16), (15, 20)
    for folder in ("20261010-20261016", "20261001-20261031", "20261015-20261020"):
        run_of(store, folder)
    found = exported_periods(store, "bills/costs/focus")
    days = [(p.billing_period, p.days) for p in found]
    assert days == [month, (month[0], tuple(date(2026, 10, day) for day in later))]
    run_of(store, "20261010-20261016")
    found = exported_periods(store, "bills/costs/focus")
    assert [p.days and (p.days[0].day, p.days[1].day) for p in found] == [None, later, week]
    for number, period in enumerate(found):
        assert fetch_period(store, period, tmp_path / f"{number}").period == period
    run_of(store, "20261001-20261031")
    (period,) = exported_periods(store, "bills/costs/focus")
    assert period.days is None


def test_folders_of_no_days_are_no_deliveries(store: ObjectStore) -> None:
    for folder in ("20261301-20261331", "20261010-20261001", "00000101-00000131"):
        run_of(store, folder)
    assert list(exported_periods(store, "bills/costs/focus")) == []


def test_a_manifest_of_endless_depth_is_refused(store: ObjectStore) -> None:
    key = ObjectRef("bills", f"{FOLDER}/manifest.json")
    store.put_object(key, b"[" * 200_000)
    with pytest.raises(CostAnalysisError, match=r"manifest\.json can't be read"):
        exported_periods(store, "bills/costs/focus")


def test_other_files_are_no_manifests(store: ObjectStore) -> None:
    for key in ("costs/focus/manifest.json", "costs/focus/2026/manifest.json"):
        store.put_object(ObjectRef("bills", key), b"{}")
    assert list(exported_periods(store, "bills/costs/focus")) == []
