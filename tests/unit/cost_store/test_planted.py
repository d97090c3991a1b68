"""What others put into a local store's directory, or into an export's name, costs no file."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.core.cost.store.files import Pointer
from airflow_multicloud.core.cost.store.local_files import LocalFiles
from airflow_multicloud.core.cost.store.names import made_at
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.ports.cost import FetchedPeriod

from .rows import MONTH, Row, fetched, write

BILL = [Row(MONTH, "EC2", Decimal("1.5"))]
STAMPS = ("b/exports-20200101T000000Z", "20200101T000000Z", "b/x-99999999T999999Z")
LATER = timedelta(days=2)


def bill(path: Path, rows: list[Row], version: str, export: str) -> FetchedPeriod:
    found = fetched(write(path, rows), version)
    return replace(found, period=replace(found.period, export=export))


def total(store: CostStore) -> Decimal:
    with store.connect() as connection:
        found = connection.execute("SELECT sum(BilledCost) FROM costs").fetchall()
    return Decimal(found[0][0])


class Interrupted(LocalFiles):
    """Prunes, as another task may, before each swap of the pointer."""

    def swap(self, old: Pointer | None, snapshot: str) -> bool:
        CostStore("other", LocalFiles(self.directory)).prune()
        return super().swap(old, snapshot)


@pytest.mark.parametrize("export", STAMPS)
def test_a_time_in_an_exports_name_is_no_files_age(tmp_path: Path, export: str) -> None:
    root = tmp_path / "store"
    store = CostStore("store", Interrupted(root))
    store.ingest("aws", bill(tmp_path / "a.csv", BILL, "1", export))
    names = set(store.files.names())
    assert names >= store.snapshot().files()
    assert total(store) == Decimal("1.5")
    now = datetime.now(UTC)
    for name in names:
        made = made_at(name)
        assert made is not None
        assert abs(now - made) < timedelta(minutes=5), name
    # And they do grow old.
    store.ingest("aws", bill(tmp_path / "a.csv", [Row(MONTH, "EC2", Decimal(2))], "2", export))
    gone = store.prune(keep=1, now=now + LATER)
    assert any(name.startswith("focus/") for name in gone)


def three(tmp_path: Path) -> tuple[CostStore, list[Path]]:
    store = CostStore.open(tmp_path / "store")
    for number in range(1, 4):
        rows = [Row(MONTH, "EC2", Decimal(number))]
        store.ingest("aws", fetched(write(tmp_path / "a.csv", rows), str(number)))
    return store, sorted((tmp_path / "store" / "snapshots").iterdir())


def test_an_earlier_snapshot_that_is_damaged_costs_no_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, (first, second, third) = three(tmp_path)
    second.write_bytes(b"damaged")
    store = CostStore.open(tmp_path / "store")
    with caplog.at_level(logging.WARNING):
        gone = store.prune(keep=2, now=datetime.now(UTC) + LATER)
    # Which files the second one needs nobody knows: only the first goes.
    assert gone == (f"snapshots/{first.name}",)
    assert second.name in caplog.text
    assert third.exists()
    assert total(store) == 3
    # Once it is not kept any more, the rest goes with it.
    assert len(store.prune(keep=1, now=datetime.now(UTC) + LATER)) > 1
    assert total(store) == 3


def test_no_link_in_a_store_is_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    for name in (".lock", ".CURRENT.partial"):
        root = tmp_path / name.strip(".")
        root.mkdir()
        victim.write_text("precious")
        (root / name).symlink_to(victim)
        store = CostStore.open(root)
        if name == ".lock":
            with pytest.raises(CostAnalysisError, match="is a link"):
                store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
        else:
            store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
            assert total(store) == Decimal("1.5")
        assert victim.read_text() == "precious"


def test_a_linked_workspace_is_neither_used_nor_swept(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "store"
    (outside / "mine").mkdir(parents=True)
    os.utime(outside / "mine", (1, 1))
    store = CostStore.open(root)
    store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    (root / ".work").rmdir()
    (root / ".work").symlink_to(outside)
    for change in (
        lambda: store.prune(now=datetime.now(UTC) + LATER),
        lambda: store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "2")),
    ):
        with pytest.raises(CostAnalysisError, match="is a link") as caught:
            change()
        assert caught.value.kind is ErrorKind.INTEGRITY
    assert [path.name for path in outside.iterdir()] == ["mine"]


def test_a_link_in_a_workspace_is_not_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "store"
    outside.mkdir()
    os.utime(outside, (1, 1))
    store = CostStore.open(root)
    store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    (root / ".work" / "planted").symlink_to(outside)
    (root / ".work" / "nowhere").symlink_to(tmp_path / "nowhere")
    store.prune(now=datetime.now(UTC) + LATER)
    assert outside.exists()


def test_a_pointer_that_is_no_file_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("root:x:0:0:root:/root:/bin/bash")
    for number, plant in enumerate((lambda p: p.symlink_to(secret), os.mkfifo)):
        root = tmp_path / f"store{number}"
        root.mkdir()
        plant(root / "CURRENT")
        with pytest.raises(CostAnalysisError) as caught:
            CostStore.open(root).snapshot()
        assert caught.value.kind is ErrorKind.INTEGRITY
        assert "root:" not in str(caught.value)


def test_a_snapshot_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    _, (*_, last) = three(tmp_path)
    body = last.read_bytes()
    (tmp_path / "elsewhere").write_bytes(body)
    last.unlink()
    last.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CostAnalysisError, match="is a link"):
        CostStore.open(tmp_path / "store").snapshot()


def test_of_what_is_no_name_little_is_shown(tmp_path: Path) -> None:
    store, _ = three(tmp_path)
    (tmp_path / "store" / "CURRENT").write_text("a" * 40 + "secret")
    with pytest.raises(CostAnalysisError) as caught:
        store.snapshot()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_directorys_name_is_no_column(tmp_path: Path, suffix: str) -> None:
    """Not where the store is, nor where its bill comes from."""
    source = tmp_path / "ServiceName=theirs"
    source.mkdir()
    store = CostStore.open(tmp_path / "ServiceName=zz" / "BilledCost=9")
    store.ingest("aws", fetched(write(source / f"a.{suffix}", BILL), "1"))
    with store.connect() as connection:
        for table in ("costs", "rollup"):
            found = connection.execute(f"SELECT ServiceName, BilledCost FROM {table}").fetchall()
            assert found == [("EC2", Decimal("1.5"))]
