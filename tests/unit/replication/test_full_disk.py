"""A temporary directory without room: which, how much, and how to move the file."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.replication import temporary
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog, Listed
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests

# In a process of its own: a limit on the size of files stands in for a small disk.
_FILLING = """
import resource, sys
from datetime import UTC, datetime
from airflow_multicloud.core.replication.catalog import SOURCE, Catalog, Listed
from airflow_multicloud.errors import StorageError
from airflow_multicloud.ports.object_store import Digests

resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
now = datetime.now(UTC)
with Catalog() as catalog:
    try:
        catalog.add_listing(
            SOURCE, (Listed(f"{n:064}", n, "0" * 32, None, now, Digests()) for n in range(200_000))
        )
    except StorageError as err:
        print(err.kind, err)
"""


def test_the_run_of_many_objects_says_where_it_had_no_room(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _FILLING],
        env={"SQLITE_TMPDIR": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.startswith("quota the run's temporary file in ")
    for said in (
        str(tmp_path),
        "bytes are free there",
        "650 bytes for each object",
        "SQLITE_TMPDIR",
    ):
        assert said in ended.stdout


def test_a_size_that_no_database_holds() -> None:
    now = datetime.now(UTC)
    with Catalog() as catalog, pytest.raises(StorageError, match="impossible") as caught:
        catalog.add_listing(SOURCE, [Listed("a", 1 << 70, "e", None, now, Digests())])
    assert caught.value.kind is ErrorKind.INTEGRITY


def test_the_directory_is_the_one_of_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path / "none"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert temporary.directory() == tmp_path
    monkeypatch.delenv("SQLITE_TMPDIR")
    monkeypatch.delenv("TMPDIR")
    assert temporary.directory() == Path("/var/tmp")


def test_a_full_target_says_what_is_free(tmp_path: Path) -> None:
    class Full:
        def __iter__(self) -> object:
            raise OSError(28, "No space left on device")

    with pytest.raises(
        StorageError, match=r"No space left .*; nothing was left there \([\d,]+ bytes are free in "
    ) as caught:
        FileTarget(tmp_path / "a").stage(Full())  # type: ignore[arg-type]
    assert caught.value.kind is ErrorKind.QUOTA
