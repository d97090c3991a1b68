"""FailoverFetchOperator and ``api.failover_fetch`` when candidates are really lost."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import Asset
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from airflow_multicloud import api
from airflow_multicloud.core.drill.faults import Fault, FaultedStore
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.operators.object_store import FailoverFetchOperator
from airflow_multicloud.testing.local_clouds import LocalClouds

from .airflow_runs import Bare
from .lab import TREE, Lab, at, delete, fill, flip, get, put, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.core.endpoints import Endpoint

SECOND = timedelta(seconds=1)
#: No retries, so that a test of four dead servers does not take minutes.
_IMPATIENT: dict[str, dict[str, Any]] = {
    "aws": {"config_kwargs": {"retries": {"total_max_attempts": 1}}},
    "google_cloud_platform": {"num_retries": 0},
    "wasb": {"retry_total": 0},
}
BIG = bytes(range(256)) * 4096


def run(
    candidates: list[str], target: Path | str, context: Bare | None = None, **given: Any
) -> Any:
    operator = FailoverFetchOperator(
        task_id="fetch", candidates=candidates, target=str(target), **given
    )
    return operator.execute(context or Bare())  # type: ignore[arg-type]


def kinds(error: api.FailoverError) -> list[str | None]:
    return [a.kind for a in error.attempts]


@pytest.fixture
def replicated(lab: Lab) -> Lab:
    fill(lab.s3)
    api.replicate(lab.s3, lab.replicas)
    return lab


@pytest.fixture(scope="module")
def mortal(request: pytest.FixtureRequest) -> Iterator[LocalClouds]:
    """Clouds of this module's own, to be killed; reached by the usual connections' twins."""
    request.getfixturevalue("local_clouds")  # installs what has to be installed
    with LocalClouds() as clouds, pytest.MonkeyPatch.context() as patch:
        for name, value in clouds.conn_env().items():
            connection = json.loads(value)
            connection["extra"].update(_IMPATIENT[connection["conn_type"]])
            patch.setenv(name.replace("_LOCAL", "_MORTAL"), json.dumps(connection))
        yield clouds


def test_killed_servers_one_after_the_other(
    mortal: LocalClouds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = "mortal"
    uris = [
        f"{scheme}://{conn}_mortal@{bucket}/x/"
        for scheme, conn in (("s3", "aws"), ("gs", "gcp"), ("abfs", "wasb"))
    ]
    for uri in uris:
        at(uri).store.ensure_bucket(bucket)  # type: ignore[attr-defined]
    fill(uris[0])
    api.replicate(uris[0], uris[1:])
    objects = [uri + "deep/er/b.bin" for uri in uris]
    context, asset = Bare(), Asset("fetched")

    facts = run(objects, tmp_path / "b", context, outlets=[asset])
    assert (facts["served_by"], facts["failed_over"]) == (objects[0], False)
    assert context["outlet_events"][asset].extra == {"multicloud": facts}
    mortal.aws.kill()
    facts = run(objects, tmp_path / "b")
    assert (facts["served_by"], facts["failed_over"]) == (objects[1], True)
    assert [a["kind"] for a in facts["attempts"]] == ["unavailable", None]
    assert (facts["verified_by"], facts["findings"]) == ("ledger", [])
    assert facts["sha256"] == hashlib.sha256(TREE["deep/er/b.bin"]).hexdigest()
    tree = run(uris, tmp_path / "tree")
    assert tree["served"] == {uris[1]: len(TREE)}
    for name, content in TREE.items():
        assert (tmp_path / "tree" / name).read_bytes() == content

    mortal.gcp.kill()
    facts = run(objects, tmp_path / "b")
    assert (facts["served_by"], facts["findings"]) == (objects[2], [])
    assert [a["kind"] for a in facts["attempts"]] == ["unavailable", "unavailable", None]
    mortal.azure.kill()
    with pytest.raises(api.FailoverError) as raised:
        run(objects, tmp_path / "c")
    assert kinds(raised.value) == ["unavailable"] * 3
    assert raised.value.retryable
    assert not (tmp_path / "c").exists()
    assert (tmp_path / "b").read_bytes() == TREE["deep/er/b.bin"]


class TestRejections:
    """Copies that are there and can't be trusted."""

    def test_a_corrupt_replica(self, replicated: Lab, tmp_path: Path) -> None:
        flip(replicated.gcs + "a.txt")
        facts = run([u + "a.txt" for u in replicated.replicas], tmp_path / "a")
        assert facts["served_by"] == replicated.azure + "a.txt"
        assert [a["kind"] for a in facts["attempts"]] == ["integrity", None]
        assert (tmp_path / "a").read_bytes() == b"alpha"

    def test_a_truncated_replica(self, replicated: Lab, tmp_path: Path) -> None:
        put(replicated.gcs + "a.txt", b"alp")
        facts = run([u + "a.txt" for u in replicated.replicas], tmp_path / "a")
        assert [a["kind"] for a in facts["attempts"]] == ["integrity", None]
        assert "has 3 bytes, 5 are expected" in facts["attempts"][0]["reason"]

    def test_a_stale_replica(self, replicated: Lab, tmp_path: Path) -> None:
        time.sleep(1.1)
        with pytest.raises(AirflowFailException, match=r"copy/a.txt is stale: as of "):
            run(
                [replicated.s3 + "gone", replicated.gcs + "a.txt"],
                tmp_path / "a",
                max_staleness=SECOND,
            )
        api.replicate(replicated.s3, [replicated.gcs])
        facts = run(
            [replicated.s3 + "gone", replicated.gcs + "a.txt"],
            tmp_path / "a",
            max_staleness=timedelta(minutes=1),
        )
        assert facts["age_seconds"] < 60

    def test_other_content_than_expected(self, replicated: Lab, tmp_path: Path) -> None:
        wanted = hashlib.sha256(b"alpha").hexdigest()
        put(replicated.s3 + "a.txt", b"alphb")
        uris = [u + "a.txt" for u in (replicated.s3, *replicated.replicas)]
        facts = run(uris, tmp_path / "a", expected_sha256=wanted)
        assert (facts["served_by"], facts["verified_by"]) == (uris[1], "expected_sha256")
        with pytest.raises(api.FailoverError) as raised:
            run(uris, tmp_path / "b", expected_sha256="0" * 64)
        assert kinds(raised.value) == ["integrity"] * 3
        assert list(tmp_path.iterdir()) == [tmp_path / "a"]

    def test_a_corrupt_primary_without_a_ledger(self, replicated: Lab, tmp_path: Path) -> None:
        """S3 tells an object's digest only when asked for it."""
        for name in ("a.txt", "deep/er/b.bin"):
            end = at(replicated.s3 + name)
            corrupt = _with_store(end, FaultedStore(end.store, Fault.CORRUPT, "aws"))
            with pytest.raises(api.FailoverError) as raised:
                fetch([Candidate("primary", corrupt, primary=True)], FileTarget(tmp_path / "x"))
            assert kinds(raised.value) == ["integrity"]
        facts = run([replicated.s3 + "a.txt"], tmp_path / "a", require_digest=True)
        assert facts["verified_by"] == "store"

    def test_a_ledger_that_is_not_the_one_remembered(self, replicated: Lab, tmp_path: Path) -> None:
        uris = [u + "a.txt" for u in replicated.replicas]
        facts = run(uris, tmp_path / "a", expected_roots={uris[0]: "0" * 64})
        assert facts["served_by"] == uris[1]
        assert "one of root 000" in facts["attempts"][0]["reason"]
        # A template writes numbers as texts.
        facts = run(uris, tmp_path / "a", at_least_commits={uris[0]: "1", uris[1]: 1})
        assert facts["served_by"] == uris[0]
        facts = run(uris, tmp_path / "a", at_least_commits={uris[0]: "1000"})
        assert facts["served_by"] == uris[1]
        with pytest.raises(AirflowFailException, match="at_least_commits: -1 for"):
            run(uris, tmp_path / "a", at_least_commits={uris[0]: "none"})

    def test_a_ledger_that_nobody_has_signed(self, replicated: Lab, tmp_path: Path) -> None:
        key = Ed25519PrivateKey.generate().public_key()
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / "keys.pem").write_bytes(pem)
        with pytest.raises(api.FailoverError, match="it is not signed"):
            run(replicated.replicas, tmp_path / "t", public_keys=str(tmp_path / "keys.pem"))
        facts = run(
            [replicated.s3, *replicated.replicas],
            tmp_path / "t",
            public_keys=str(tmp_path / "keys.pem"),
        )
        assert facts["served"] == {replicated.s3: len(TREE)}

    def test_a_primary_after_a_failback(self, replicated: Lab, tmp_path: Path) -> None:
        api.replicate(replicated.gcs, [replicated.s3])
        put(replicated.s3 + "a.txt", b"newer")
        put(replicated.s3 + "new", b"new")
        facts = run([replicated.s3, replicated.gcs], tmp_path / "t", list_unknown=True)
        assert facts["served"] == {replicated.s3: len(TREE) + 1}
        assert (tmp_path / "t" / "a.txt").read_bytes() == b"newer"
        # And when it is lost again.
        gone = replicated.s3.replace("lab-", "gone-")
        put(replicated.gcs + "planted", b"x")
        facts = run([gone, replicated.gcs], tmp_path / "u", list_unknown=True)
        assert facts["served"] == {replicated.gcs: len(TREE)}
        assert (facts["unknown"], facts["unknown_names"]) == (1, ["planted"])

    def test_a_lost_object_is_missed_in_a_listing(self, replicated: Lab, tmp_path: Path) -> None:
        delete(replicated.gcs + "a.txt")
        facts = run(replicated.replicas, tmp_path / "t")
        assert facts["served"] == {replicated.gcs: len(TREE) - 1, replicated.azure: 1}


def test_a_refused_permission_is_no_outage(replicated: Lab, tmp_path: Path) -> None:
    denied = _with_store(
        at(replicated.s3 + "a.txt"),
        FaultedStore(at(replicated.s3).store, Fault.PERMISSION_DENIED, "aws"),
    )
    candidates = [
        Candidate("first", denied, primary=True),
        Candidate("second", at(replicated.gcs + "a.txt")),
    ]
    with pytest.raises(api.FailoverError, match="not a reason to fail over") as raised:
        fetch(candidates, FileTarget(tmp_path / "a"))
    assert raised.value.kind is ErrorKind.PERMISSION_DENIED
    assert not (tmp_path / "a").exists()
    policy = api.FailoverPolicy(fail_over_on=frozenset({ErrorKind.PERMISSION_DENIED}))
    assert fetch(candidates, FileTarget(tmp_path / "a"), policy).served_by == "second"


class TestTime:
    """Servers that accept and never answer."""

    def test_attempt_timeout(self, replicated: Lab, silent_s3: str, tmp_path: Path) -> None:
        silent = f"s3://{silent_s3}@x/a.txt"
        started = time.monotonic()
        facts = run([silent, replicated.gcs + "a.txt"], tmp_path / "a", attempt_timeout=SECOND)
        assert [a["kind"] for a in facts["attempts"]] == ["timeout", None]
        assert facts["attempts"][0]["reason"] == "took longer than attempt_timeout"
        assert time.monotonic() - started < 15

    def test_deadline(self, silent_s3: str, replicated: Lab, tmp_path: Path) -> None:
        uris = [f"s3://{silent_s3}@x/a.txt", replicated.gcs + "a.txt"]
        with pytest.raises(api.FailoverError, match=r"^deadline \(0:00:01\) passed") as raised:
            run(uris, tmp_path / "a", deadline=SECOND)
        assert raised.value.kind is ErrorKind.TIMEOUT
        assert list(tmp_path.iterdir()) == []

    def test_hedging(self, silent_s3: str, replicated: Lab, tmp_path: Path) -> None:
        uris = [f"s3://{silent_s3}@x/a.txt", replicated.gcs + "a.txt"]
        started = time.monotonic()
        facts = run(uris, tmp_path / "a", hedge_after=timedelta(milliseconds=200))
        assert facts["served_by"] == uris[1]
        assert time.monotonic() - started < 15
        assert list(tmp_path.iterdir()) == [tmp_path / "a"]

    def test_a_prefix(self, silent_s3: str, replicated: Lab, tmp_path: Path) -> None:
        """Also while the names are listed, and only once for all objects."""
        uris = [f"s3://{silent_s3}@x/", replicated.gcs]
        started = time.monotonic()
        facts = run(uris, tmp_path / "t", attempt_timeout=SECOND)
        assert facts["served"] == {replicated.gcs: len(TREE)}
        assert facts["failed_attempts"] == 1
        assert time.monotonic() - started < 15

    def test_the_deadline_is_for_the_whole_prefix(self, replicated: Lab, tmp_path: Path) -> None:
        end = at(replicated.gcs)
        slow = _with_store(end, _Slow(end.store, 0.4))
        policy = api.FailoverPolicy(deadline=SECOND)
        with pytest.raises(api.FailoverError, match="deadline") as raised:
            fetch_tree([Candidate("slow", slow)], FileTarget(tmp_path), policy, concurrency=1)
        assert raised.value.kind is ErrorKind.TIMEOUT


class _Slow:
    """Every read of content waits a little."""

    def __init__(self, inner: Any, seconds: float) -> None:
        self._inner = inner
        self._seconds = seconds
        self.list_objects = inner.list_objects
        self.stat_object = inner.stat_object

    @property
    def store_name(self) -> str:
        return str(self._inner.store_name)

    def get_object(self, ref: Any, **given: Any) -> Any:
        if not ref.key.startswith(".airflow-multicloud/"):
            time.sleep(self._seconds)
        return self._inner.get_object(ref, **given)


def _with_store(end: Endpoint, store: Any) -> Endpoint:
    return type(end)(end.cloud, store, end.location)


def test_what_nobody_serves_fails_the_task_after_all_else(lab: Lab, tmp_path: Path) -> None:
    """And the report of what was fetched is in XCom."""
    fill(lab.s3)
    put(lab.s3 + "../up", b"up")
    api.replicate(lab.s3, [lab.gcs])
    flip(lab.gcs + "a.txt")
    context = Bare()
    with pytest.raises(api.IncompleteFetchError, match=r"^1 of \d+ objects were not") as raised:
        run([lab.gcs], tmp_path / "t", context)
    assert raised.value.retryable
    report = context.pushed["report"]
    assert (report["objects"], report["failed"]) == (len(TREE), 1)
    assert list(report["failed_names"]) == ["a.txt"]
    assert report["encoded_names"] == {"../up": f"{tmp_path}/t/\u201b../up"}
    assert (tmp_path / "t" / "deep/er/b.bin").read_bytes() == TREE["deep/er/b.bin"]
    assert (tmp_path / "t/\u201b../up").read_bytes() == b"up"
    assert not (tmp_path / "t/a.txt").exists()


class TestTarget:
    def test_no_partial_file_is_ever_visible(self, lab: Lab, tmp_path: Path) -> None:
        put(lab.s3 + "big", BIG)
        target = tmp_path / "big"
        target.write_bytes(b"old")
        seen: set[bytes] = set()
        done = threading.Event()

        def watch() -> None:
            while not done.is_set():
                seen.add(hashlib.sha256(target.read_bytes()).digest())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            for _ in range(5):
                run([lab.s3 + "big"], target)
                target.write_bytes(b"old") if not done.is_set() else None
        finally:
            done.set()
            watcher.join()
        allowed = {hashlib.sha256(c).digest() for c in (b"old", b"", BIG)}
        assert seen <= allowed
        assert list(tmp_path.iterdir()) == [target]

    def test_a_failed_fetch_keeps_the_old_file(self, replicated: Lab, tmp_path: Path) -> None:
        target = tmp_path / "a"
        target.write_bytes(b"old")
        with pytest.raises(api.FailoverError):
            run([replicated.gcs + "a.txt"], target, expected_sha256="0" * 64)
        assert target.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [target]

    def test_an_object_as_target(self, replicated: Lab) -> None:
        uris = [replicated.s3 + "gone", replicated.azure + "a.txt"]
        facts = run(uris, replicated.gcs + "restored")
        assert facts["served_by"] == uris[1]
        assert get(replicated.gcs + "restored") == b"alpha"
        run(replicated.replicas, replicated.s3 + "back/")
        assert tree_of(replicated.s3 + "back/") == TREE

    @pytest.mark.parametrize("name", ["../out", "x/../../out", "/out", "x//y", ".", "a/./b"])
    def test_a_key_never_leaves_the_directory(self, lab: Lab, tmp_path: Path, name: str) -> None:
        # S3's own key: a replica or primary may hold anything another writer put there.
        fill(lab.gcs, {"aaa": b"good", name: b"evil"})
        target = tmp_path / "in" / "deeper"
        facts = run([lab.gcs], target)
        ((key, path),) = facts["encoded_names"].items()
        assert (facts["objects"], key, api.name_of_path(Path(path).relative_to(target))) == (
            2,
            name,
            name,
        )
        assert Path(path).read_bytes() == b"evil"
        files = {p for p in tmp_path.rglob("*") if p.is_file()}
        assert files == {target / "aaa", Path(path)}
        assert Path(path).resolve().is_relative_to(target)
        assert not Path("/out").exists()

    def test_a_symbolic_link_is_not_followed_out(self, lab: Lab, tmp_path: Path) -> None:
        fill(lab.s3, {"link/x": b"evil"})
        inside, outside = tmp_path / "in", tmp_path / "out"
        inside.mkdir()
        outside.mkdir()
        (inside / "link").symlink_to(outside)
        with pytest.raises(AirflowFailException, match="symbolic link"):
            run([lab.s3], inside)
        assert list(outside.iterdir()) == []

    def test_a_directory_in_the_way(self, lab: Lab, tmp_path: Path) -> None:
        put(lab.s3 + "a", b"x")
        (tmp_path / "t" / "a").mkdir(parents=True)
        with pytest.raises(AirflowFailException, match=r"target: .*/t/a is a directory"):
            run([lab.s3], tmp_path / "t")
        assert list((tmp_path / "t" / "a").iterdir()) == []
        assert list((tmp_path / "t").iterdir()) == [tmp_path / "t" / "a"]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_directory_that_may_not_be_written(self, lab: Lab, tmp_path: Path) -> None:
        put(lab.s3 + "a", b"x")
        tmp_path.chmod(0o500)
        with pytest.raises(AirflowFailException, match="permission_denied: target: "):
            run([lab.s3 + "a"], tmp_path / "a")


FULL_DISK = """
import resource, signal, sys
from airflow_multicloud import api
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    api.failover_fetch([sys.argv[1]], sys.argv[2])
except api.FailoverError as err:
    print(f"RESULT {err.kind}: {err}")
"""


def test_no_room_for_the_file(lab: Lab, tmp_path: Path) -> None:
    """A limit on the size of files (EFBIG): the one an unprivileged process can set."""
    put(lab.s3 + "big", BIG)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] in (resource.RLIM_INFINITY, -1)
    ended = subprocess.run(
        [sys.executable, "-c", FULL_DISK, lab.s3 + "big", str(tmp_path / "big")],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    (line,) = [x for x in ended.stdout.splitlines() if x.startswith("RESULT ")]
    assert line.startswith("RESULT quota: ")
    assert "target: writing" in line
    assert "File too large; nothing was left there" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(lab: Lab, tmp_path: Path) -> None:
    """ENOSPC for real: every write to ``/dev/full`` fails with it."""
    target = FileTarget(tmp_path / "x")

    def chunks() -> Iterator[bytes]:
        (part,) = tmp_path.glob(".x.*.part")
        # The open file stays open; its descriptor is pointed at the full device.
        (number,) = [
            int(fd.name)
            for fd in Path("/proc/self/fd").iterdir()
            if fd.is_symlink() and fd.readlink() == part
        ]
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, number)
        os.close(full)
        yield b"y" * (1 << 20)

    with pytest.raises(StorageError, match=r"No space left on device; nothing was left") as raised:
        target.stage(chunks())
    assert raised.value.kind is ErrorKind.QUOTA
    assert list(tmp_path.iterdir()) == []
