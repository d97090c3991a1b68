"""What a fetch does to its target, and whose fault it says a failure is."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import api
from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.local_names import QUOTE
from airflow_multicloud.core.failover.policy import OUTAGES, FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError
from airflow_multicloud.core.failover.targets import FileTarget, ObjectTarget
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests, ObjectMeta, ObjectRef, WriteOptions
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.stores import candidates
from tests.unit.replication.memory import endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from typing_extensions import Buffer

    from airflow_multicloud.core.failover.candidates import Candidate
    from airflow_multicloud.core.failover.targets import Target

CONTENT = b"content"
#: Whatever a candidate ends with, the next one would be tried.
ANY = FailoverPolicy(fail_over_on=OUTAGES | {ErrorKind.PERMISSION_DENIED, ErrorKind.QUOTA})


class Failing(object_store.Hook):
    """A store that takes nothing."""

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = WriteOptions(),
        *,
        digests: Digests = Digests(),
    ) -> ObjectMeta:
        raise StorageError("no writing today", kind=ErrorKind.UNAVAILABLE)


def copies() -> list[Candidate]:
    """Two that would serve."""
    ends = [endpoint("object"), endpoint("object")]
    for there in ends:
        there.store.put_object(there.location.ref, CONTENT)
    return candidates(*ends)


def refused(target: Target) -> FailoverError:
    with pytest.raises(FailoverError) as caught:
        fetch(copies(), target, ANY)
    assert str(caught.value).startswith("target: ")
    assert caught.value.attempts == ()  # no candidate is to blame, and the second was not asked
    return caught.value


def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    """``--to /dev/null``, by root, would otherwise take the device away from everybody."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "stdout"
    link.symlink_to(pipe)
    for target in (pipe, link):
        assert refused(FileTarget(target)).kind is ErrorKind.INVALID_ARGUMENT
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert link.is_symlink()
    assert {p.name for p in tmp_path.iterdir()} == {"pipe", "stdout"}


def test_a_directory_or_a_loop_is_refused(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for target in (tmp_path, loop):
        assert refused(FileTarget(target)).kind is ErrorKind.INVALID_ARGUMENT


def test_a_link_is_followed_and_permissions_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"old")
    real.chmod(0o600)
    link.symlink_to("real")
    fetch(copies(), FileTarget(link))
    assert link.is_symlink()
    assert real.read_bytes() == CONTENT
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    dangling = tmp_path / "dangling"
    dangling.symlink_to("new")
    fetch(copies(), FileTarget(dangling))
    assert (tmp_path / "new").read_bytes() == CONTENT
    assert {p.name for p in tmp_path.iterdir()} == {"real", "link", "dangling", "new"}


def test_a_target_that_fails_ends_the_fetch_and_blames_no_candidate(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert refused(FileTarget(tmp_path / "file/below")).kind is ErrorKind.INVALID_ARGUMENT
    broken = endpoint("copy", Failing)
    # It is written when everything has arrived: the store's own error, as it is.
    with pytest.raises(StorageError, match=r"^no writing today$"):
        fetch(copies(), ObjectTarget(broken), ANY)


def test_a_store_that_takes_no_part_is_the_targets_fault() -> None:
    @dataclass(frozen=True)
    class Full:
        def stage(self, chunks: Iterator[Buffer]) -> object:
            next(iter(chunks))
            raise StorageError("target: full", kind=ErrorKind.QUOTA)

    assert refused(Full()).kind is ErrorKind.QUOTA  # type: ignore[arg-type]


def test_a_candidate_that_breaks_off_is_no_fault_of_the_target(tmp_path: Path) -> None:
    first, second = copies()
    assert first.endpoint is not None
    other = first.endpoint
    other.store.put_object(other.location.ref, b"other")
    policy = FailoverPolicy(expected_sha256=hashlib.sha256(CONTENT).hexdigest())
    served = fetch([first, second], FileTarget(tmp_path / "file"), policy)
    assert [a.kind for a in served.attempts] == [ErrorKind.INTEGRITY, None]
    assert served.served_by == second.uri


@pytest.fixture
def uri(memory_account: Callable[[str, str], str]) -> str:
    """The URI of a prefix in the memory cloud with one object below it."""
    conn_id = memory_account("targets", "lab")
    object_store.Hook(conn_id).put_object(ObjectRef("lab", "data/file"), CONTENT)
    return f"mem://{conn_id}@lab/data/"


def test_no_target_is_refused(uri: str) -> None:
    """``--to "$TARGET"`` with the variable unset; it was the working directory."""
    with pytest.raises(StorageError, match=r"^target: nothing given"):
        api.failover_fetch([f"{uri}file"], "")


def test_a_path_that_ends_with_a_slash_is_a_directory(uri: str, tmp_path: Path) -> None:
    api.failover_fetch([f"{uri}file"], f"{tmp_path}/new/")
    assert (tmp_path / "new/file").read_bytes() == CONTENT


def test_one_object_keeps_its_name_below_a_prefix(uri: str) -> None:
    there = uri.replace("data/", "copy/")
    assert api.failover_fetch([f"{uri}file"], there).target == f"{there}file"


def test_a_key_never_leads_out_of_the_directory(uri: str, tmp_path: Path) -> None:
    bucket, key = "lab", "data/.."
    object_store.Hook(uri.partition("@")[0].removeprefix("mem://")).put_object(
        ObjectRef(bucket, key), CONTENT
    )
    top = tmp_path / "top"
    top.mkdir()
    served = api.failover_fetch([f"{uri}.."], top)
    assert served.target == f"{top}/{QUOTE}.."
    assert (top / f"{QUOTE}..").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["top"]


def test_a_prefix_goes_to_no_object(uri: str) -> None:
    """``copy`` would have become ``copyfile``."""
    with pytest.raises(StorageError, match=r"^target: .*/copy must be a prefix"):
        api.failover_fetch([uri], uri.replace("data/", "copy"))
