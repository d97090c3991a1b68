"""A temporary directory without room: which, how much, and how to move the file."""

from __future__ import annotations

import os
import sqlite3
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


def test_a_directory_that_cant_be_written_to_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    file = tmp_path / "file"
    file.write_bytes(b"")

    def access(path: str, mode: int) -> bool:
        assert mode == os.W_OK | os.X_OK  # Files are made in it.
        return path != str(closed)

    monkeypatch.setattr(os, "access", access)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for other in (closed, file):
        monkeypatch.setenv("SQLITE_TMPDIR", str(other))
        assert temporary.directory() == tmp_path
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert temporary.directory() == Path()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, ErrorKind.QUOTA),
        (sqlite3.SQLITE_IOERR_WRITE, ErrorKind.QUOTA),
        (sqlite3.SQLITE_IOERR_FSYNC, ErrorKind.QUOTA),
        (sqlite3.SQLITE_IOERR_READ, ErrorKind.UNAVAILABLE),
        (None, ErrorKind.UNAVAILABLE),
    ],
)
def test_a_full_disk_is_told_from_a_broken_one(code: int | None, kind: ErrorKind) -> None:
    failed = sqlite3.OperationalError("disk I/O error")
    if code is not None:
        failed.sqlite_errorcode = code
    told = "can't be written or read: disk I/O error"
    with pytest.raises(StorageError, match=told) as caught, temporary.temporary_errors():
        raise failed
    assert caught.value.kind is kind


def test_a_mistake_in_a_statement_is_none_of_the_disk() -> None:
    with pytest.raises(sqlite3.ProgrammingError), temporary.temporary_errors():
        raise sqlite3.ProgrammingError("closed")


def test_a_full_target_says_what_is_free(tmp_path: Path) -> None:
    class Full:
        def __iter__(self) -> object:
            raise OSError(28, "No space left on device")

    with pytest.raises(
        StorageError, match=r"No space left .*; nothing was left there \([\d,]+ bytes are free in "
    ) as caught:
        FileTarget(tmp_path / "a").stage(Full())  # type: ignore[arg-type]
    assert caught.value.kind is ErrorKind.QUOTA
