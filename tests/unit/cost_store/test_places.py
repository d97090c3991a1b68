"""Both kinds of places under crashes at every step, and under several processes."""

from __future__ import annotations

import errno
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.core.cost.store.bucket_files import BucketFiles
from airflow_multicloud.core.cost.store.files import Pointer
from airflow_multicloud.core.cost.store.local_files import LocalFiles
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.locations import Location
from airflow_multicloud.ports.cost import CorrectionStyle, FetchedPeriod
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectMeta,
    ObjectRef,
    WriteOptions,
)
from airflow_multicloud.testing.memory_cloud.object_store import NO_DIGESTS, PLAIN, Hook, reset

from .rows import MONTH, Row, fetched, write
from .test_replays import Crash, CrashingFiles, counted, held

if TYPE_CHECKING:
    from typing_extensions import Buffer

OLD = [Row(MONTH, "EC2", Decimal("1.5")), Row(MONTH + timedelta(days=1), "S3", Decimal("0.1"))]
NEW = [Row(MONTH, "EC2", Decimal("1.25")), Row(MONTH + timedelta(days=2), "S3", Decimal(7))]


class CrashingBucket(BucketFiles):
    """Dies before or after its n-th change of the bucket."""

    left = 0

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash

    def publish(self, file: Path, name: str) -> None:
        self.step()
        super().publish(file, name)
        self.step()

    def swap(self, old: Pointer | None, snapshot: str) -> bool:
        self.step()
        done = super().swap(old, snapshot)
        self.step()
        return done


def bucket(cache: Path, kind: type[BucketFiles] = BucketFiles) -> BucketFiles:
    place = Location("mem", None, "costs", "s/")
    return kind(Endpoint("memory", Hook("cost_places"), place), cache)


def crashing_bucket(cache: Path, at: int) -> BucketFiles:
    files = bucket(cache, CrashingBucket)
    assert isinstance(files, CrashingBucket)
    files.left = at
    return files


@pytest.mark.parametrize("style", CorrectionStyle)
@pytest.mark.parametrize("place", ["directory", "bucket"])
def test_a_crash_at_every_step_leaves_old_or_new(
    tmp_path: Path, place: str, style: CorrectionStyle
) -> None:
    step = 0
    crashed = True
    while crashed:
        step += 1
        base = tmp_path / str(step)
        base.mkdir()
        opened: Callable[[int], LocalFiles | BucketFiles]
        if place == "bucket":
            reset("cost_places")
            Hook("cost_places").ensure_bucket("costs")
            opened = lambda at, base=base: crashing_bucket(base / f"cache{at}", at)  # noqa: E731
        else:
            opened = lambda at, base=base: CrashingFiles(base / "store", at)  # noqa: E731
        never = CostStore("store", opened(0))
        never.ingest("aws", fetched(write(base / "a.csv", OLD), "1", style=style))
        after = None if style is CorrectionStyle.REPLACE else "1"
        replaces = style is CorrectionStyle.REPLACE
        new = counted(NEW) if replaces else counted(OLD) + counted(NEW)
        dying = CostStore("store", opened(step))
        try:
            dying.ingest("aws", fetched(write(base / "b.csv", NEW), "2", style=style), after=after)
            crashed = False
        except Crash:
            done = never.current_version("aws", "bucket/export", MONTH) == "2"
            assert held(never) == (new if done else counted(OLD))
            again = fetched(write(base / "b.csv", NEW), "2", style=style)
            assert never.ingest("aws", again, after=after).changed is not done
        # Read by a process that was not there, with a cache of its own.
        assert held(CostStore("store", opened(-1))) == new
    assert step >= 12


def test_a_snapshot_that_lost_is_pruned_with_its_files(tmp_path: Path) -> None:
    """It has the number of the one that won, and must not live as long."""
    store = CostStore("store", LocalFiles(tmp_path / "store"))
    store.ingest("aws", fetched(write(tmp_path / "a.csv", OLD), "1"))
    # Before the swap, after the snapshot's file.
    counting = CrashingFiles(tmp_path / "store", _steps(tmp_path) - 1)
    with pytest.raises(Crash):
        CostStore("s", counting).ingest("aws", fetched(write(tmp_path / "b.csv", NEW), "2"))
    orphan = {*store.files.names()} - store.snapshot().files()
    assert len([n for n in orphan if n.startswith("snapshots/")]) == 2
    store.ingest("aws", fetched(write(tmp_path / "b.csv", NEW), "2"))
    gone = store.prune(keep=1, now=datetime.now(UTC) + timedelta(days=2))
    assert len([n for n in gone if n.startswith("snapshots/")]) == 2
    assert {*store.files.names()} - store.snapshot().files() == {
        (tmp_path / "store" / "CURRENT").read_text()
    }
    assert held(store) == counted(NEW)


class LostAnswers(Hook):
    """What is written on a condition arrives, its answer does not, and it is sent again."""

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = PLAIN,
        *,
        digests: Digests = NO_DIGESTS,
    ) -> ObjectMeta:
        meta = super().put_object(ref, body, options, digests=digests)
        if options.condition is not None:
            super().put_object(ref, body, options, digests=digests)
        return meta


def test_a_lost_answer_is_no_other_run(tmp_path: Path) -> None:
    reset("cost_places")
    hook = LostAnswers("cost_places")
    hook.ensure_bucket("costs")
    place = Location("mem", None, "costs", "s/")
    store = CostStore("s", BucketFiles(Endpoint("memory", hook, place), tmp_path / "cache"))
    for version, rows in (("1", OLD), ("2", NEW)):
        assert store.ingest("aws", fetched(write(tmp_path / "a.csv", rows), version)).changed
        assert held(store) == counted(rows)
    assert len(store.remove("bucket/export")) == 1
    assert (store.snapshot().sequence, store.snapshot().periods) == (3, ())
    assert len([n for n in store.files.names() if n.startswith("snapshots/")]) == 3


class Deaf(LocalFiles):
    """Can't be read once the pointer was swapped."""

    swapped = False

    def swap(self, old: Pointer | None, snapshot: str) -> bool:
        self.swapped = super().swap(old, snapshot)
        return self.swapped

    def read(self, name: str) -> bytes:
        if self.swapped:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(name)


def test_nothing_that_follows_the_swap_can_fail(tmp_path: Path) -> None:
    root = tmp_path / "store"
    store = CostStore("s", Deaf(root))
    assert store.ingest("aws", fetched(write(tmp_path / "a.csv", OLD), "1")).changed
    assert held(CostStore.open(root)) == counted(OLD)


class Overtaken(LocalFiles):
    """Another run brings another version of the period first, once; notes what is read."""

    def __init__(self, root: Path, other: FetchedPeriod | None = None) -> None:
        super().__init__(root)
        self.other = other
        self.read_again: list[str] = []

    def swap(self, old: Pointer | None, snapshot: str) -> bool:
        if self.other is not None:
            other, self.other = self.other, None
            CostStore("other", LocalFiles(self.directory)).ingest("aws", other)
        return super().swap(old, snapshot)

    def local(self, names: Iterable[str]) -> list[Path]:
        asked = list(names)
        self.read_again += [name for name in asked if name.startswith("raw/")]
        return super().local(asked)


def test_raw_files_are_read_again_only_by_a_run_that_was_overtaken(tmp_path: Path) -> None:
    alone = Overtaken(tmp_path / "alone")
    CostStore("s", alone).ingest("aws", fetched(write(tmp_path / "a.csv", OLD), "1"))
    assert not alone.read_again
    files = Overtaken(tmp_path / "store", fetched(write(tmp_path / "b.csv", OLD), "1"))
    store = CostStore("s", files)
    assert store.ingest("aws", fetched(write(tmp_path / "c.csv", NEW), "2")).changed
    assert held(store) == counted(NEW)
    assert files.read_again == list(store.snapshot().periods[0].batches[0].raw)


def _steps(tmp_path: Path) -> int:
    files = CrashingFiles(tmp_path / "measured", 1_000)
    store = CostStore("s", files)
    store.ingest("aws", fetched(write(tmp_path / "a.csv", OLD), "1"))
    files.left = 1_000
    store.ingest("aws", fetched(write(tmp_path / "b.csv", NEW), "2"))
    return 1_000 - files.left


def test_prune_sweeps_what_killed_runs_were_writing(tmp_path: Path) -> None:
    store = CostStore("store", LocalFiles(tmp_path / "store"))
    store.ingest("aws", fetched(write(tmp_path / "a.csv", OLD), "1"))
    left = tmp_path / "store" / ".work" / "killed"
    left.mkdir()
    (left / "part.parquet").touch()
    store.prune()
    assert left.exists()  # its run may still be at it
    store.prune(now=datetime.now(UTC) + timedelta(days=2))
    assert not left.exists()


CLOUDS = ("aws", "gcp", "azure")
VERSIONS = 4


def _run(root: str, cloud: str, start: object) -> None:
    """One process: its cloud's versions one after the other, and the others' too."""
    start.wait()  # type: ignore[attr-defined]
    base = Path(root) / f"{cloud}-{os.getpid()}"
    base.mkdir()
    store = CostStore.open(Path(root) / "store")
    for version in range(1, VERSIONS + 1):
        file = write(base / "a.csv", [Row(MONTH, cloud, Decimal(version))])
        store.ingest(cloud, fetched(file, str(version)))
        # All race for this one: exactly one of them brings each version.
        file = write(base / "b.csv", [Row(MONTH, "shared", Decimal(version))])
        store.ingest("shared", fetched(file, str(version)))


def test_several_processes_lose_and_duplicate_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(len(CLOUDS))
    runs = [context.Process(target=_run, args=(str(tmp_path), c, start)) for c in CLOUDS]
    for run in runs:
        run.start()
    for run in runs:
        run.join(120)
    assert [run.exitcode for run in runs] == [0, 0, 0]
    store = CostStore.open(tmp_path / "store")
    last = Decimal(VERSIONS)
    assert held(store) == Counter((MONTH, name, last, "USD") for name in (*CLOUDS, "shared"))
    # Later versions may overtake earlier ones of the shared month; no version lands twice.
    assert len(CLOUDS) * VERSIONS < store.snapshot().sequence <= (len(CLOUDS) + 1) * VERSIONS
