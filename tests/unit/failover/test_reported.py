"""What a fetch says of those that served, and of those that did not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import (
    Attempt,
    FailoverError,
    IncompleteFetchError,
    TreeProvenance,
    kind_of,
)
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.progress import Progress
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.errors import ErrorKind, StorageError
from tests.unit.failover.stores import (
    CONTENT,
    Changed,
    Corrupt,
    Silent,
    Slow,
    candidates,
    put,
    unopened,
)
from tests.unit.replication.memory import endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta, ObjectRef


def failed(kind: ErrorKind) -> Attempt:
    return Attempt("mem://a/b", "memory", 5, kind, "so")


class TestAnObject:
    def test_each_attempt_is_named(self, tmp_path: Path) -> None:
        slow, good = endpoint(hook=Slow), endpoint()
        put(good, "a")
        closed = unopened("mem://unopened/a", "no such connection")
        first, second = candidates(slow.below("a"), good.below("a"))
        served = fetch([closed, first, second], FileTarget(tmp_path / "a"))
        assert [(one.uri, one.cloud, one.kind, one.reason) for one in served.attempts] == [
            (closed.uri, None, ErrorKind.NOT_FOUND, "no such connection"),
            (first.uri, "memory", ErrorKind.UNAVAILABLE, "not today"),
            (second.uri, "memory", None, None),
        ]
        assert 50 <= served.attempts[1].milliseconds < 30_000
        assert not any(one.overtaken for one in served.attempts)
        assert served.failed_over
        assert served.cloud == "memory"
        assert served.target == str(tmp_path / "a")

    def test_the_primary_is_no_failover(self, tmp_path: Path) -> None:
        primary = endpoint()
        put(primary, "a")
        served = fetch(candidates(primary.below("a")), FileTarget(tmp_path / "a"))
        assert not served.failed_over
        assert served.findings == ()
        assert 0 <= served.age_seconds < 60

    def test_a_clock_that_is_ahead_is_said(self, tmp_path: Path) -> None:
        class Ahead(Changed):
            def said(self, meta: ObjectMeta) -> ObjectMeta:
                return replace(meta, last_modified=datetime.now(UTC) + timedelta(days=400))

        primary = endpoint(hook=Ahead)
        put(primary, "a")
        (one,) = candidates(primary.below("a"))
        served = fetch([one], FileTarget(tmp_path / "a"))
        (finding,) = served.findings
        assert finding.startswith(f"{one.uri}: ")
        assert served.age_seconds < 0

    def test_no_candidates(self, tmp_path: Path) -> None:
        for fetched in (fetch, fetch_tree):
            with pytest.raises(StorageError, match=r"^candidates: none given") as caught:
                fetched([], FileTarget(tmp_path / "a"))
            assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    def test_an_error_that_is_no_reason_to_fail_over(self, tmp_path: Path) -> None:
        class Locked(Slow):
            kind = ErrorKind.PERMISSION_DENIED
            seconds = 0

        locked, good = endpoint(hook=Locked), endpoint()
        put(good, "a")
        both = candidates(locked.below("a"), good.below("a"))
        policy = FailoverPolicy(fail_over_on=frozenset({ErrorKind.BUSY, ErrorKind.TIMEOUT}))
        with pytest.raises(FailoverError, match=r"\(fail_over_on: busy, timeout\)") as caught:
            fetch(both, FileTarget(tmp_path / "a"), policy)
        assert caught.value.kind is ErrorKind.PERMISSION_DENIED
        assert len(caught.value.attempts) == 1

    @pytest.mark.parametrize("parameter", ["attempt_timeout", "deadline"])
    def test_which_limit_was_passed(self, tmp_path: Path, parameter: str) -> None:
        class Hanging(Slow):
            seconds = 2

        hanging, good = endpoint(hook=Hanging), endpoint()
        put(good, "a")
        policy = FailoverPolicy(**{parameter: timedelta(seconds=0.3)})
        both = candidates(hanging.below("a"), good.below("a"))
        if parameter == "deadline":
            with pytest.raises(FailoverError, match=r"^deadline \(0:00:00\.3"):
                fetch(both, FileTarget(tmp_path / "a"), policy)
            return
        served = fetch(both, FileTarget(tmp_path / "a"), policy)
        assert served.attempts[0].kind is ErrorKind.TIMEOUT
        assert served.attempts[0].reason == f"took longer than {parameter}"
        assert served.served_by == both[1].uri

    def test_the_kind_when_all_failed(self, tmp_path: Path) -> None:
        """It is the first that a retry may mend, else the last."""
        gone, busy, corrupt = ErrorKind.NOT_FOUND, ErrorKind.BUSY, ErrorKind.INTEGRITY
        assert kind_of([failed(gone), failed(busy), failed(corrupt)]) is busy
        assert kind_of([failed(gone), failed(corrupt)]) is corrupt
        assert kind_of([]) is ErrorKind.UNAVAILABLE

    def test_an_attempt_is_one_line(self) -> None:
        assert str(failed(ErrorKind.BUSY)) == "mem://a/b after 5 ms: busy: so"
        assert str(Attempt("mem://a/b", None, 7)) == "mem://a/b after 7 ms: served"
        error = FailoverError("no", kind=ErrorKind.BUSY, attempts=(failed(ErrorKind.BUSY),) * 2)
        assert str(error).endswith(
            "no: 1. mem://a/b after 5 ms: busy: so; 2. mem://a/b after 5 ms: busy: so"
        )


class TestAPrefix:
    def test_what_is_not_said_did_not_happen(self) -> None:
        found = TreeProvenance(
            target="t",
            objects=1,
            size=1,
            served={"mem://a/": 1},
            verified_by={"store": 1},
            as_of=None,
            failed_over=False,
            failed_attempts=0,
            attempts=(),
        )
        assert not any((found.left_out, found.encoded, found.unfit, found.failed))
        assert (found.unknown, found.oldest, found.findings) == (None, None, ())

    def test_is_added_up(self, tmp_path: Path) -> None:
        corrupt, good = endpoint(hook=Corrupt), endpoint()
        sizes = range(1, 31)
        for size in sizes:
            put(corrupt, f"{size}", bytes([size]) * size)
            put(good, f"{size}", bytes([size]) * size)
        both = candidates(corrupt, good)
        progress = Progress()
        served = fetch_tree(both, FileTarget(tmp_path), progress=progress)
        assert served.objects == 30
        assert served.size == sum(sizes)
        assert served.served == {both[1].uri: 30}
        assert served.verified_by == {"store": 30}
        assert served.failed_over
        assert served.failed_attempts == 30
        assert len(served.attempts) == 20
        assert served.left_out == 0
        assert served.findings == ()
        assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == {
            f"{size}": size for size in sizes
        }

    def test_is_as_old_as_its_oldest_object(self, tmp_path: Path) -> None:
        class Dated(Silent):
            def said(self, meta: ObjectMeta) -> ObjectMeta:
                year = 2000 + int(meta.key.rpartition("/")[2])
                return replace(super().said(meta), last_modified=datetime(year, 1, 1, tzinfo=UTC))

        place = endpoint(hook=Dated)
        for year in (20, 3, 11):
            put(place, f"{year}")
        served = fetch_tree(candidates(place), FileTarget(tmp_path), concurrency=1)
        assert served.as_of == datetime(2003, 1, 1, tzinfo=UTC)
        assert served.verified_by == {"nothing": 3}
        assert not served.failed_over

    def test_a_marker_becomes_a_directory(self, tmp_path: Path) -> None:
        place = endpoint()
        put(place, "empty/", b"")
        put(place, "full/", b"")
        put(place, "full/a")
        fetch_tree(candidates(place), FileTarget(tmp_path / "there"))
        assert (tmp_path / "there" / "empty").is_dir()
        assert (tmp_path / "there" / "full" / "a").read_bytes() == CONTENT

    def test_a_marker_with_content_is_a_file_in_its_directory(self, tmp_path: Path) -> None:
        place = endpoint()
        put(place, "full/", b"x")
        served = fetch_tree(candidates(place), FileTarget(tmp_path / "there"))
        (path,) = served.encoded_names.values()
        (file,) = (tmp_path / "there" / "full").iterdir()
        assert (str(file), file.read_bytes()) == (path, b"x")

    def test_an_object_that_no_one_has_is_not_left_out_in_silence(self, tmp_path: Path) -> None:
        """It came after the replication, and the primary was lost before it could be read."""

        class Lost(Changed):
            def get_object(
                self,
                ref: ObjectRef,
                *,
                start: int = 0,
                end: int | None = None,
                if_etag: str | None = None,
            ) -> ObjectBody:
                raise StorageError("lost", kind=ErrorKind.UNAVAILABLE)

        primary, replica = endpoint(), endpoint()
        put(primary, "a")
        replicate(Replication(primary, (replica,)))
        put(primary, "b")
        lost = replace(primary, store=Lost(primary.location.conn_id or ""))
        with pytest.raises(IncompleteFetchError, match="1 were not served by any candidate: 'b'"):
            fetch_tree(candidates(lost, replica), FileTarget(tmp_path))

    def test_a_listing_that_failed_is_named(self, tmp_path: Path) -> None:
        slow, good = endpoint(hook=Slow), endpoint()
        put(good, "a")
        both = candidates(slow, good)
        served = fetch_tree(both, FileTarget(tmp_path))
        (attempt,) = served.attempts
        assert (attempt.uri, attempt.cloud) == (both[0].uri, "memory")
        assert (attempt.kind, attempt.reason) == (ErrorKind.UNAVAILABLE, "not today")
        assert 50 <= attempt.milliseconds < 30_000
        assert served.attempt_lines == (str(attempt),)

    def test_one_that_could_not_be_opened_is_named(self, tmp_path: Path) -> None:
        """And is still a candidate for each object: its refusal is said when all others fail."""
        closed = unopened("mem://unopened/", "no connection")
        good, corrupt = endpoint(), endpoint(hook=Corrupt)
        put(good, "a")
        (one,) = candidates(good)
        served = fetch_tree([closed, one], FileTarget(tmp_path))
        assert [(a.uri, a.cloud, a.reason) for a in served.attempts] == [
            (closed.uri, None, "no connection")
        ]
        assert served.failed_over
        put(corrupt, "a")
        (bad,) = candidates(corrupt)
        with pytest.raises(IncompleteFetchError, match="not served by any candidate") as caught:
            fetch_tree([closed, bad], FileTarget(tmp_path / "b"))
        assert [(a.uri, a.kind) for a in caught.value.attempts] == [
            (bad.uri, ErrorKind.INTEGRITY),
            (closed.uri, ErrorKind.NOT_FOUND),
        ]

    def test_no_copy_could_be_listed(self, tmp_path: Path) -> None:
        with pytest.raises(
            FailoverError, match=r"^no candidate could be listed: 1\. .*; 2\. "
        ) as err:
            fetch_tree(candidates(endpoint(hook=Slow), endpoint()), FileTarget(tmp_path))
        assert err.value.kind is ErrorKind.UNAVAILABLE
        assert [one.kind for one in err.value.attempts] == [
            ErrorKind.UNAVAILABLE,
            ErrorKind.NOT_FOUND,
        ]
