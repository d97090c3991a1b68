"""Whoever may write to a store's place can make or delete no file of his choosing on a worker."""

from __future__ import annotations

import hashlib
import os
import stat
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.core.cost.store.bucket_files import BucketFiles
from airflow_multicloud.core.cost.store.local_files import LocalFiles
from airflow_multicloud.core.cost.store.names import digest_in, is_name, made_at, path_of, word
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.errors import CostAnalysisError, ErrorKind
from airflow_multicloud.locations import Location
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.memory_cloud.object_store import Hook, reset

from .forging import forge, snapshot_name
from .rows import MONTH, Row, fetched, write

BILL = [Row(MONTH, "EC2", Decimal("1.5"))]
RUN = "20261101T000000Z-0123abcd"
SHA = "0" * 64
#: What no store ever called a file.
STRANGE = [
    "/etc/cron.d/evil",
    "../../../evil.py",
    "snapshots/../../evil.py",
    f"snapshots/00000001-{RUN}-{SHA}.json/../../../evil",
    "focus/aws/../../../../evil.parquet",
    f"focus/aws/../2026-10/{RUN}/2026-10-01-{SHA}.parquet",
    f"focus/aws/.ssh/2026-10/{RUN}/2026-10-01-{SHA}.parquet",
    f"rollup/aws/export/2026-13/{RUN}-{SHA}.parquet",
    f"raw/aws/export/2026-10/{RUN}/.bashrc",
    f"raw/aws/export/2026-10/{RUN}/00000-{SHA}-a/b.csv",
    f"snapshots/00000001-{RUN}-{SHA}.json\n",
    f"snapshots/00000001-{RUN}-{SHA}.json\0",
    f"snapshots/0000000\u0661-{RUN}-{SHA}.json",  # a digit, but of another script
    "CURRENT",
    ".work/x",
    "",
    "README.md",
]


@pytest.fixture
def cloud() -> Hook:
    reset("cost_names")
    hook = Hook("cost_names")
    hook.ensure_bucket("costs")
    return hook


def bucket(hook: Hook, cache: Path) -> CostStore:
    place = Location("mem", None, "costs", "s/")
    return CostStore("mem://costs/s/", BucketFiles(Endpoint("memory", hook, place), cache))


def put(hook: Hook, name: str, body: bytes) -> None:
    hook.put_object(ObjectRef("costs", f"s/{name}"), body)


def files_below(directory: Path) -> set[str]:
    return {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_names_are_no_names(tmp_path: Path, name: str) -> None:
    assert not is_name(name)
    with pytest.raises(CostAnalysisError) as caught:
        path_of(tmp_path, name)
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [n for n in STRANGE if n == n.strip()] + [f"focus/a/b/2026-10/{RUN}/2026-10-01-{SHA}.parquet"],
)
def test_a_pointer_to_elsewhere_makes_no_file(tmp_path: Path, cloud: Hook, name: str) -> None:
    put(cloud, "CURRENT", name.encode())
    if name:
        put(cloud, name, b"import os")
    with pytest.raises(CostAnalysisError, match="CURRENT names") as caught:
        bucket(cloud, tmp_path / "a" / "b" / "cache").snapshot()
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert files_below(tmp_path) == set()


@pytest.mark.parametrize("name", [n for n in STRANGE if n])
def test_a_snapshot_that_names_elsewhere_makes_no_file(tmp_path: Path, name: str) -> None:
    root = tmp_path / "store"
    store = CostStore.open(root)
    store.ingest("aws", fetched(write(tmp_path / "a.parquet", BILL), "1"))
    rollup = store.snapshot().periods[0].rollup
    assert rollup is not None
    shown = name.replace("\n", "\\n").replace("\0", "\\u0000")
    forge(root, lambda text: text.replace(rollup, shown))
    with pytest.raises(CostAnalysisError, match="no file of a cost store") as caught:
        store.snapshot()
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_names_carry_the_digest_of_what_they_name(tmp_path: Path) -> None:
    root = tmp_path / "store"
    store = CostStore.open(root)
    for version, amount in (("1", "1.5"), ("2", "2.5")):
        rows = [Row(MONTH, "EC2", Decimal(amount))]
        store.ingest("aws", fetched(write(tmp_path / "a.csv", rows), version))
    names = set(store.files.names())
    assert {name.partition("/")[0] for name in names} == {
        "snapshots", "restatements", "rollup", "focus", "raw",
    }  # fmt: skip
    for name in names:
        assert digest_in(name) == hashlib.sha256((root / name).read_bytes()).hexdigest()
        assert made_at(name) is not None
    # And the snapshot, which CURRENT names, has them all.
    assert names >= store.snapshot().files()


@pytest.mark.parametrize("part", ["focus", "rollup", "snapshots"])
def test_what_was_replaced_in_the_bucket_is_refused(tmp_path: Path, cloud: Hook, part: str) -> None:
    store = bucket(cloud, tmp_path / "writer")
    store.ingest("aws", fetched(write(tmp_path / "a.parquet", BILL), "1"))
    (name,) = (n for n in store.files.names() if n.startswith(part))
    put(cloud, name, bytes(cloud.get_object(ObjectRef("costs", f"s/{name}")).read()) + b" ")
    reader = bucket(cloud, tmp_path / "reader")
    wrong = pytest.raises(CostAnalysisError, match=f"{name} is not what was written")
    with wrong as caught, reader.connect() as engine:
        engine.execute("SELECT count(*) FROM costs").fetchall()
    assert caught.value.kind is ErrorKind.INTEGRITY
    assert name not in files_below(tmp_path / "reader")


def test_what_was_damaged_in_the_cache_is_fetched_again(tmp_path: Path, cloud: Hook) -> None:
    cache = tmp_path / "cache"
    store = bucket(cloud, cache)
    store.ingest("aws", fetched(write(tmp_path / "a.parquet", BILL), "1"))
    for path in list(cache.rglob("*.*")):
        if path.is_file():
            path.write_bytes(b"damaged")
    with bucket(cloud, cache).connect() as engine:
        found = engine.execute("SELECT sum(BilledCost) FROM rollup").fetchall()
    assert found == [(Decimal("1.5"),)]


def test_the_cache_is_private(tmp_path: Path, cloud: Hook) -> None:
    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    cache = tmp_path / "cache"
    bucket(cloud, cache).ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    assert mode(cache) == 0o700
    cache.chmod(0o777)
    bucket(cloud, cache).snapshot()
    assert mode(cache) == 0o700


def test_a_cache_that_is_a_link_is_refused(tmp_path: Path, cloud: Hook) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "cache").symlink_to(elsewhere)
    store = bucket(cloud, tmp_path / "cache")
    with pytest.raises(CostAnalysisError, match="is a link; it must be a directory") as caught:
        store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED
    assert files_below(elsewhere) == set()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_cache_of_somebody_else_is_refused(tmp_path: Path, cloud: Hook) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    os.chown(cache, 12345, -1)
    with pytest.raises(CostAnalysisError, match="belongs to the user with id 12345") as caught:
        bucket(cloud, cache).ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    assert caught.value.kind is ErrorKind.PERMISSION_DENIED


def test_a_link_within_the_cache_is_not_followed(tmp_path: Path, cloud: Hook) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "focus").symlink_to(elsewhere)
    with pytest.raises(CostAnalysisError, match="is a link to elsewhere"):
        bucket(cloud, tmp_path / "cache").ingest(
            "aws", fetched(write(tmp_path / "a.csv", BILL), "1")
        )
    assert files_below(elsewhere) == set()


def test_prune_leaves_what_is_none_of_the_stores(tmp_path: Path, cloud: Hook) -> None:
    store = bucket(cloud, tmp_path / "cache")
    store.ingest("aws", fetched(write(tmp_path / "a.csv", BILL), "1"))
    later = datetime.now(UTC) + timedelta(days=2)
    strange = [n for n in STRANGE if n and n != "CURRENT"]
    for name in strange:
        put(cloud, name, b"mine")
    forged = snapshot_name(b"{}", 0)  # the grammar's, but nothing needs it
    put(cloud, forged, b"{}")
    victim = tmp_path / "evil.py"
    victim.touch()
    assert store.prune(keep=1, now=later) == (forged,)
    left = {meta.key for meta in cloud.list_objects("costs", "s/")}
    assert {f"s/{name}" for name in strange} <= left
    assert victim.exists()


def test_a_reader_keeps_its_files_for_a_day(tmp_path: Path) -> None:
    """However few states are kept: what was current a moment ago may be in use."""
    store = CostStore("store", LocalFiles(tmp_path / "store"))
    start = datetime(2026, 11, 1, tzinfo=UTC)
    for day in range(3):
        rows = [Row(MONTH, "EC2", Decimal(day + 1))]
        bill = fetched(write(tmp_path / "a.csv", rows), str(day + 1))
        store.ingest("aws", bill, now=start + timedelta(days=3 * day))
    with store.connect() as reader:
        bill = fetched(write(tmp_path / "a.csv", BILL), "9")
        store.ingest("aws", bill, now=start + timedelta(days=9))
        soon = start + timedelta(days=9, hours=20)
        gone = store.prune(keep=1, now=soon)
        assert len([n for n in gone if n.startswith("snapshots/")]) == 2
        assert reader.execute("SELECT sum(BilledCost) FROM costs").fetchall() == [(3,)]
    gone = store.prune(keep=1, now=start + timedelta(days=11))
    assert len([n for n in gone if n.startswith("snapshots/")]) == 1


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("part_0.csv.gz", "part_0.csv.gz"),
        ("..", "-"),
        (".bashrc", "bashrc"),
        ("a/b*[c]?.csv", "a-b--c--.csv"),
        ("é\n\x1b.csv", "---.csv"),
        ("x" * 500 + ".parquet", "x" * 112 + ".parquet"),
    ],
)
def test_what_others_called_a_file_becomes_a_word(text: str, kept: str) -> None:
    assert word(text) == kept
