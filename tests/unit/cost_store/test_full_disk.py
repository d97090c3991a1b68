"""A full disk at every step of an ingestion: the store stays as it was, and one error says where.

The kernel refuses the writes; nothing is mocked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from airflow_multicloud.core.cost.disk import disk_errors
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.core.cost.store.local_files import LocalFiles
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

from .rows import MONTH, Row, fetched, write
from .test_replays import counted, held

BEFORE = (
    Row(MONTH, "EC2", Decimal("1.5")),
    Row(MONTH + timedelta(days=1), "S3", Decimal("0.1")),
)
#: Both known days are restated, so that every kind of file is written.
AFTER = (
    Row(MONTH, "EC2", Decimal("1.75")),
    Row(MONTH + timedelta(days=1), "S3", Decimal("0.2")),
    Row(MONTH + timedelta(days=2), "S3", Decimal("0.3")),
)
_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
#: What each way must at least have found full: days, rollup, raw files, log, snapshot, pointer.
_LEAST = {"limit": 10, "mount": 3}


def can_mount() -> bool:
    """Whether a file system can be mounted without being root."""
    probe = [*_NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    try:
        return subprocess.run(probe, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("how", ["limit", "mount"])
def test_whatever_step_finds_the_disk_full(tmp_path: Path, how: str, suffix: str) -> None:
    if how == "mount" and not can_mount():
        pytest.skip("no file system can be mounted here without being root")
    seed = CostStore.open(tmp_path / "store")
    seed.ingest("aws", fetched(write(tmp_path / f"1.{suffix}", BEFORE), "1"))
    known = set(seed.files.names())
    for number, error in enumerate(_errors(how, tmp_path, suffix), start=1):
        root = tmp_path / f"store-{number}"
        store = CostStore.open(root)
        assert error["kind"] == "quota"
        assert error["message"].startswith("ingesting billing period 2026-10 of bucket/export: ")
        assert f" in {error['directory']}, where " in error["message"]
        assert "KiB are needed. Make room there, or move the directory to" in error["message"]
        assert error["message"].endswith("; the cost store is as it was")
        assert held(store) == counted(BEFORE)
        assert store.current_version("aws", "bucket/export", MONTH) == "1"
        assert set(store.files.names()) == known
        assert not list((root / ".work").iterdir())
        store.ingest("aws", fetched(write(tmp_path / f"again.{suffix}", AFTER), "2"))
        assert held(store) == counted(AFTER)
    assert number >= _LEAST[how]
    assert held(CostStore.open(tmp_path / f"store-{number + 1}")) == counted(AFTER)


class Full(LocalFiles):
    """A directory in which no new file has room."""

    def publish(self, file: Path, name: str) -> None:
        with Path("/dev/full").open("wb") as full:
            full.write(file.read_bytes())
        super().publish(file, name)


def test_an_export_is_not_taken_out_on_a_full_disk(tmp_path: Path) -> None:
    root = tmp_path / "store"
    CostStore.open(root).ingest("aws", fetched(write(tmp_path / "1.csv", BEFORE), "1"))
    full = CostStore("store", Full(root))
    with pytest.raises(
        CostAnalysisError, match=r"^removing bucket/export: No space left"
    ) as caught:
        full.remove("bucket/export")
    assert caught.value.kind is ErrorKind.QUOTA
    assert held(full) == counted(BEFORE)


def test_a_full_disk_is_said_of_python_and_of_the_engine(tmp_path: Path) -> None:
    with (
        pytest.raises(CostAnalysisError, match=f"^reading: No space left on device in {tmp_path}"),
        disk_errors(tmp_path, "reading"),
        Path("/dev/full").open("w", encoding="utf-8") as full,
    ):
        full.write("text")
    with (
        pytest.raises(CostAnalysisError) as caught,
        disk_errors(tmp_path, "reading"),
        duckdb.connect() as engine,
    ):
        engine.execute("COPY (SELECT range FROM range(100000)) TO '/dev/full' (FORMAT csv)")
    assert caught.value.kind is ErrorKind.QUOTA
    assert "No space left on device" in str(caught.value)


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), disk_errors(tmp_path, "reading"):
        (tmp_path / "absent").read_bytes()
    with (
        pytest.raises(duckdb.IOException),
        disk_errors(tmp_path, "reading"),
        duckdb.connect() as engine,
    ):
        engine.execute(f"FROM read_csv('{tmp_path}/absent.csv')")


def _errors(how: str, tmp_path: Path, suffix: str) -> list[dict[str, str]]:
    """What went wrong until there was room."""
    file = write(tmp_path / f"2.{suffix}", AFTER)
    command = [sys.executable, "-m", "tests.unit.cost_store.filling", how]
    if how == "mount":
        command = [*_NAMESPACE, *command]
    done = subprocess.run(
        [*command, str(tmp_path / "store"), str(file)],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found
