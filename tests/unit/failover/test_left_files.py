"""Temporary files of killed fetches go with the next fetch; those of living ones never do."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import api
from airflow_multicloud.core import part_files, run_tokens
from airflow_multicloud.core.failover.leftovers import clear_left
from airflow_multicloud.core.failover.targets import FileTarget, ObjectTarget
from airflow_multicloud.core.run_tokens import current, under_way
from tests.unit.replication.memory import endpoint, uploads

if TYPE_CHECKING:
    from pathlib import Path

KILLED = """
import os, signal, sys
from pathlib import Path
from airflow_multicloud.core import run_tokens
from airflow_multicloud.core.failover.targets import FileTarget

def chunks():
    yield b"half"
    os.kill(os.getpid(), signal.SIGKILL)

with run_tokens.under_way(None):
    FileTarget(Path(sys.argv[1])).stage(chunks())
"""
LIVING = KILLED.replace("os.kill(os.getpid(), signal.SIGKILL)", "print(flush=True); input()")


def left(path: Path) -> Path:
    """What a killed process left of a file."""
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    (found,) = path.parent.glob(f".{path.name[:20]}*.part")
    return found


def elsewhere(path: Path, *, boot: str = "AAAA") -> Path:
    """The same file, as if a process on another machine had left it."""
    token = path.name[-50:-22]
    there = path.with_name(path.name.replace(token, f"{token[:10]}{boot}BBBB{token[18:]}"))
    return path.rename(there)


def age(path: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


@pytest.mark.parametrize("name", ["big.bin", "ä" * 120, "x" * 255])
def test_a_killed_fetch_of_one_file(tmp_path: Path, name: str) -> None:
    part = left(tmp_path / name)
    beside = left(tmp_path / "other")
    assert not (tmp_path / name).exists()
    assert clear_left(FileTarget(tmp_path / name), tree=False) == 1
    assert not part.exists()
    assert beside.exists()
    FileTarget(tmp_path / name).stage([b"whole"]).commit()
    assert (tmp_path / name).read_bytes() == b"whole"


def test_a_killed_fetch_of_a_directory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Also of objects that are gone since."""
    caplog.set_level("INFO")
    assert clear_left(FileTarget(tmp_path), tree=True) == 0
    assert caplog.messages == []
    for name in ("a", "deep/er/b"):
        left(tmp_path / name)
    source = endpoint("data/")
    source.store.put_object(source.ref("data/c"), b"3")
    assert clear_left(FileTarget(tmp_path), tree=True) == 2
    assert caplog.messages == [f"{tmp_path}: 2 files of fetches that are over were removed"]
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_fetch_that_lives(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LIVING, str(tmp_path / "a")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (part,) = tmp_path.glob(".a.*.part")
        age(part, 1000)
        target = FileTarget(tmp_path)
        assert clear_left(target, tree=True) == 0
        # In another container, of which only the lock tells, and on another machine.
        part = elsewhere(part, boot=current()[10:14])
        assert clear_left(target, tree=True) == 0
        (kept,) = api.cleanup(tmp_path, older_than=timedelta(0)).named
        assert (kept.removed, kept.reason) == (False, "its run is under way")
        process.kill()
    assert clear_left(target, tree=True) == 1


def test_another_container_of_this_machine(tmp_path: Path) -> None:
    elsewhere(left(tmp_path / "a"), boot=current()[10:14])
    assert clear_left(FileTarget(tmp_path), tree=True) == 1


@pytest.mark.parametrize(("hours", "gone"), [(23, 0), (25, 1)])
def test_another_machine(tmp_path: Path, hours: float, gone: int) -> None:
    age(elsewhere(left(tmp_path / "a")), hours)
    assert clear_left(FileTarget(tmp_path), tree=True) == gone


def test_an_earlier_try_on_another_machine(tmp_path: Path) -> None:
    part = elsewhere(left(tmp_path / "a"))
    with under_way("task"):
        now = current()
        part.rename(part.with_name(part.name.replace(part.name[-50:-40], now[:10])))
        assert clear_left(FileTarget(tmp_path), tree=True) == 1


@pytest.mark.parametrize(("hours", "gone"), [(23, 0), (25, 1)])
def test_a_file_system_without_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: float, gone: int
) -> None:
    def no_locks(number: int, how: int) -> None:
        raise OSError(95, "not supported")

    age(elsewhere(left(tmp_path / "a"), boot=current()[10:14]), hours)
    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert clear_left(FileTarget(tmp_path), tree=True) == gone
    FileTarget(tmp_path / "b").stage([b"2"]).commit()
    assert (tmp_path / "b").read_bytes() == b"2"


def test_a_file_that_was_taken_for_left_before_it_was_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, removed = fcntl.flock, []

    def late(number: int, how: int) -> None:
        if not removed:
            (path,) = tmp_path.iterdir()
            path.unlink()
            removed.append(path)
        real(number, how)

    monkeypatch.setattr(fcntl, "flock", late)
    part = part_files.create(tmp_path / "a")
    assert part.path.exists()
    assert part.path != removed[0]
    part.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_only_looks_like_one_stays(tmp_path: Path) -> None:
    dead = left(tmp_path / "a")
    kept = tmp_path / "kept"
    kept.write_bytes(b"1")
    link = dead.with_name(dead.name.replace(".a.", ".b."))
    link.symlink_to(kept)
    (tmp_path / ".x.part").write_bytes(b"1")
    assert clear_left(FileTarget(tmp_path), tree=True) == 1
    assert {p.name for p in tmp_path.iterdir()} == {"kept", link.name, ".x.part"}


def test_uploads_of_fetches_to_a_bucket() -> None:
    there = endpoint("copy/")
    with under_way("over"):
        token = current()
    assert run_tokens.state_of(token) is run_tokens.RunState.OVER
    there.store.begin_upload(there.ref("copy/gone"), run=token)  # type: ignore[attr-defined]
    assert clear_left(ObjectTarget(there), tree=True) == 1
    assert uploads(there) == []


def test_cleanup_goes_by_age_as_well(tmp_path: Path) -> None:
    part = left(tmp_path / "a")
    assert api.cleanup(tmp_path).named == ()
    (seen,) = api.cleanup(tmp_path, older_than=timedelta(0), dry_run=True).named
    assert (seen.uri, seen.reason) == (str(part), None)
    assert seen.last_used is not None
    assert datetime.now(UTC) - seen.last_used < timedelta(minutes=5)
    assert api.cleanup(tmp_path, older_than=timedelta(0)).clean
    assert not part.exists()
