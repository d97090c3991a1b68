"""Which answers are believed, and which trigger failover to the next candidate."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError
from airflow_multicloud.core.failover.targets import FileTarget, ObjectTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.freshness import freshness
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    Digests,
    ObjectAttributes,
    ObjectMeta,
    ObjectRef,
)
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.stores import CONTENT, Body, candidates, put
from tests.unit.replication.memory import endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from airflow_multicloud.ports.object_store import ObjectBody

PAGE = b"<!DOCTYPE html><html><body>Please sign in</body></html>"


class Portal(object_store.Hook):
    """Content is answered by something on the way, with a page."""

    page = ObjectMeta(
        bucket="lab",
        key="data/a",
        size=len(PAGE),
        etag="page",
        last_modified=datetime(2020, 1, 1, tzinfo=UTC),
        attributes=ObjectAttributes(content_type="text/html; charset=utf-8"),
    )
    lists = True

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        if ref.key.startswith(RESERVED_PREFIX):
            return super().get_object(ref, start=start, end=end, if_etag=if_etag)
        return Body(self.page, [PAGE])

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        return self.page

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        if not self.lists:
            raise StorageError("listing: may not", kind=ErrorKind.PERMISSION_DENIED)
        return super().list_objects(bucket, prefix)


class Vouched(Portal):
    """The page has a digest, as one that an S3 bucket serves has."""

    page = replace(Portal.page, digests=Digests(md5="2d3a9ac97fbe1fb0d7a1f9fb7eb6dbe5"))


class Closed(Portal):
    lists = False


# What can't be listed has no names to fetch.
@pytest.mark.parametrize(
    ("hook", "whole"),
    [(Portal, False), (Portal, True), (Vouched, False), (Vouched, True), (Closed, False)],
)
def test_a_page_is_not_the_object(
    tmp_path: Path, hook: type[object_store.Hook], *, whole: bool
) -> None:
    """By the store's own listing, or by the other replica's ledger where that is closed."""
    primary, replica = endpoint(hook=hook), endpoint()
    put(primary, "a")
    honest = replace(primary, store=object_store.Hook(primary.location.conn_id or ""))
    replicate(Replication(honest, (replica,)))
    if whole:
        served: Any = fetch_tree(candidates(primary, replica), FileTarget(tmp_path))
        assert served.served == {str(replica.location): 1}
    else:
        ends = primary.below("a"), replica.below("a")
        served = fetch(candidates(*ends), FileTarget(tmp_path / "a"))
        assert served.served_by == str(ends[1].location)
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert served.attempts[0].kind is ErrorKind.INTEGRITY


def test_a_real_page_is_served(tmp_path: Path) -> None:
    """Though the replica's ledger is of an older one."""
    primary, replica = endpoint(), endpoint()
    put(primary, "a", b"<html>old</html>", content_type="text/html")
    replicate(Replication(primary, (replica,)))
    put(primary, "a", PAGE, content_type="text/html")
    ends = primary.below("a"), replica.below("a")
    served = fetch(candidates(*ends), FileTarget(tmp_path / "a"))
    assert served.served_by == str(ends[0].location)
    assert not served.failed_over
    assert (tmp_path / "a").read_bytes() == PAGE


def test_others_that_hang_do_not_hold_up_who_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()

    class Hanging(object_store.Hook):
        def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
            let_go.wait(60)
            return super().list_objects(bucket, prefix)

    monkeypatch.setattr(
        "airflow_multicloud.core.failover.copies._TO_ASK", timedelta(milliseconds=50)
    )
    primary, other = endpoint(), endpoint(hook=Hanging)
    put(primary, "a", PAGE, content_type="text/html")
    try:
        started = time.monotonic()
        served = fetch(candidates(primary.below("a"), other.below("a")), FileTarget(tmp_path / "a"))
        assert time.monotonic() - started < 10
    finally:
        let_go.set()
    assert not served.failed_over


class Endless(object_store.Hook):
    """Sends far more than it was asked for; counts what is taken."""

    taken = 0
    claims: int | None = None

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        body = super().get_object(ref, start=start, end=end, if_etag=if_etag)
        if ref.key.startswith(RESERVED_PREFIX):
            return body

        def chunks() -> Iterator[bytes]:
            for _ in range(1000):
                self.taken += 1
                yield bytes(1 << 20)

        meta = body.meta if self.claims is None else replace(body.meta, size=self.claims)
        return Body(meta, chunks())


@pytest.mark.parametrize(("claims", "taken"), [(None, 1), (1 << 40, 0)])
def test_what_is_larger_than_the_ledger_says_never_fills_the_disk(
    tmp_path: Path, claims: int | None, taken: int
) -> None:
    source, inflated, good = endpoint(), endpoint(hook=Endless), endpoint()
    put(source, "a")
    replicate(Replication(source, (inflated, good)))
    assert isinstance(inflated.store, Endless)
    inflated.store.claims, inflated.store.taken = claims, 0
    served = fetch(candidates(inflated.below("a"), good.below("a")), FileTarget(tmp_path / "a"))
    assert served.attempts[0].kind is ErrorKind.INTEGRITY
    assert inflated.store.taken == taken
    assert (tmp_path / "a").read_bytes() == CONTENT


class Silent(Endless):
    """Tells no digests."""

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        body = super().get_object(ref, start=start, end=end, if_etag=if_etag)
        return Body(replace(body.meta, digests=Digests()), map(bytes, body))

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        return replace(super().stat_object(ref), digests=Digests())


@pytest.mark.parametrize("expected", [hashlib.sha256(CONTENT).hexdigest(), None])
@pytest.mark.parametrize("hook", [Endless, Silent], ids=["digests", "no digests"])
@pytest.mark.parametrize("to", ["a file", "a bucket"])
@pytest.mark.parametrize("whole", [False, True], ids=["object", "prefix"])
def test_what_is_larger_than_its_store_says_never_fills_the_disk(
    tmp_path: Path, hook: type[Endless], expected: str | None, to: str, *, whole: bool
) -> None:
    """Where no ledger knows its size."""
    inflated, good, target = endpoint(hook=hook), endpoint(), endpoint()
    assert isinstance(inflated.store, Endless)
    for place in (inflated, good):
        put(place, "a")
    inflated.store.taken = 0
    policy = FailoverPolicy(expected_sha256=expected)
    there = FileTarget(tmp_path) if to == "a file" else ObjectTarget(target)
    if whole:
        served: Any = fetch_tree(candidates(inflated, good), there, policy)
    else:
        ends = inflated.below("a"), good.below("a")
        served = fetch(candidates(*ends), there.below("a"), policy)
    assert [a.kind for a in served.attempts if a.kind] == [ErrorKind.INTEGRITY]
    assert inflated.store.taken == 1
    if to == "a file":
        assert [path.name for path in tmp_path.iterdir()] == ["a"]
        assert (tmp_path / "a").read_bytes() == CONTENT
    else:
        assert bytes(target.store.get_object(target.below("a").location.ref).read()) == CONTENT


def _damage(replica: Endpoint, change: Callable[[bytes], bytes], kind: str = "commits") -> None:
    """Change the newest object of a kind in a ledger."""
    found = next(iter(replica.store.list_objects("lab", f"{RESERVED_PREFIX}ledger/{kind}/")))
    before = bytes(replica.store.get_object(ObjectRef("lab", found.key)).read())
    after = change(before)
    assert after != before
    put_stream(replica, found.key, [after], part_size=512 << 10)


NESTED = b'"x":' + b"[" * 5000 + b"]" * 5000 + b","


def _time_of(text: bytes, name: bytes) -> bytes:
    return text.partition(b'"%b":"' % name)[2].partition(b'"')[0]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("commits", lambda text: text.replace(b'"size":11', NESTED + b'"size":11', 1)),
        ("commits", lambda text: text.replace(b'"size":11', b'"size":' + b"9" * 30, 1)),
        ("commits", lambda text: text.replace(b'"size":11', b'"size":' + b"9" * 5000, 1)),
        ("commits", lambda text: text.replace(b'"size":11', b'"size":-1', 1)),
        ("commits", lambda text: text.replace(b'"size":11', b'"size":null', 1)),
        ("commits", lambda text: text.replace(b'"recent":[{', b'"recent":[],"x":[7,{', 1)[:-3]),
        ("commits", lambda text: b"\xff" + text),
        ("commits", lambda text: b"{" + NESTED + text[1:]),
        ("commits", lambda text: text.replace(b'"number":', b'"number":9', 1)),
        ("commits", lambda text: re.sub(rb"mem://lab@\w+/", b"mem://other/", text, count=1)),
        ("commits", lambda text: text.replace(_time_of(text, b"at"), b"0001-01-01T00:00:00+23:59")),
        ("commits", lambda _: b""),
        ("commits", lambda _: b"\n\n\n"),
        ("commits", lambda _: b" " * (17 << 20)),
        ("segments", lambda _: b""),
        ("segments", lambda text: text[:-1] + bytes([text[-1] ^ 1])),
        ("segments", lambda text: text + bytes(17 << 20)),
    ],
)
@pytest.mark.parametrize("whole", [False, True], ids=["object", "prefix"])
def test_a_hostile_ledger_is_its_own_replicas_failure(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    change: Callable[[bytes], bytes],
    *,
    whole: bool,
) -> None:
    if kind == "segments":
        monkeypatch.setattr("airflow_multicloud.core.ledger.commits.MOST_RECENT", 0)
    source, hostile, good = endpoint(), endpoint(), endpoint()
    put(source, "a")
    replicate(Replication(source, (hostile, good)))
    _damage(hostile, change, kind)

    def served(where: Path) -> Any:
        if whole:
            return fetch_tree(candidates(hostile, good), FileTarget(where))
        one = fetch(candidates(hostile.below("a"), good.below("a")), FileTarget(where / "a"))
        assert (where / "a").read_bytes() == CONTENT
        return one

    assert served(tmp_path / "1").attempts[0].kind is ErrorKind.INTEGRITY
    # For the next run it counts for nothing, and is right again.
    replicate(Replication(source, (good, hostile)))
    assert not [a for a in served(tmp_path / "2").attempts if a.kind is not None]


#: In a message of a server: a line of a log, and what commands a terminal.
EVIL = "x\x1b[2J\nFORGED\u202e"


def test_whatever_a_candidate_raises_is_its_own_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(object_store.Hook):
        def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
            raise RuntimeError(f"{EVIL} in {prefix}") from ValueError(EVIL)

    primary, replica = endpoint(hook=Broken), endpoint()
    put(replica, "a")
    served = fetch_tree(candidates(primary, replica), FileTarget(tmp_path / "t"))
    assert served.attempts[0].kind is ErrorKind.INTEGRITY
    name = "a\x1b\nFORGED"
    put(replica, name)
    ends = candidates(primary.below(name), replica.below(name))
    one = fetch(ends, FileTarget(tmp_path / "a"))
    assert one.attempts[0].kind is ErrorKind.INTEGRITY
    assert "RuntimeError" in (one.attempts[0].reason or "")
    assert "could not be listed" in caplog.text
    assert "could not be read" in caplog.text
    assert "raise RuntimeError" in caplog.text  # where it comes from
    assert not set("\x1b\u202e") & set(caplog.text)
    assert "\nFORGED" not in caplog.text


def test_another_copy_that_breaks_the_reader_is_not_this_ones_failure(tmp_path: Path) -> None:
    """A page is served when no other copy knows better, whatever asking one raises."""

    class Broken(object_store.Hook):
        def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
            raise RuntimeError(f"broken at {prefix}")

    good, broken = endpoint(), endpoint(hook=Broken)
    put(good, "a", PAGE, content_type="text/html")
    served = fetch(candidates(good.below("a"), broken.below("a")), FileTarget(tmp_path / "a"))
    assert served.served_by == str(good.below("a").location)
    assert (tmp_path / "a").read_bytes() == PAGE


def test_an_archived_copy_is_not_the_end(tmp_path: Path) -> None:
    class Archived(object_store.Hook):
        def get_object(
            self,
            ref: ObjectRef,
            *,
            start: int = 0,
            end: int | None = None,
            if_etag: str | None = None,
        ) -> ObjectBody:
            raise StorageError("it is archived", kind=ErrorKind.UNSUPPORTED)

    primary, replica = endpoint(hook=Archived), endpoint()
    put(primary, "a")
    put(replica, "a")
    served = fetch(candidates(primary.below("a"), replica.below("a")), FileTarget(tmp_path / "a"))
    assert [a.kind for a in served.attempts] == [ErrorKind.UNSUPPORTED, None]


class TestClocks:
    @pytest.fixture
    def ahead(self) -> Endpoint:
        """A replica whose last run began tomorrow."""
        source, replica = endpoint(), endpoint()
        put(source, "a")
        replicate(Replication(source, (replica,)))
        head = reading.newest(replica)
        assert head is not None
        began = _written(head.commit.looks[0].as_of)
        tomorrow = _written(head.commit.looks[0].as_of + timedelta(days=1))
        _damage(replica, lambda text: text.replace(began, tomorrow))
        return replica

    def test_a_negative_lag_is_a_finding(self, ahead: Endpoint) -> None:
        found = freshness(ahead)
        assert found.lag is not None
        assert found.lag < timedelta(hours=-23)
        assert not found.within(timedelta(days=1000))
        assert "ahead of this machine's clock" in (found.finding or "")
        assert to_document(found)["finding"] == found.finding

    def test_it_is_rejected_where_freshness_is_asked_for(
        self, ahead: Endpoint, tmp_path: Path
    ) -> None:
        one = Candidate("replica", ahead.below("a"))
        policy = FailoverPolicy(max_staleness=timedelta(days=1000))
        with pytest.raises(FailoverError, match="ahead of this machine's clock") as caught:
            fetch([one], FileTarget(tmp_path / "a"), policy)
        assert caught.value.kind is ErrorKind.PRECONDITION_FAILED

    def test_it_is_said_where_it_serves(self, ahead: Endpoint, tmp_path: Path) -> None:
        served = fetch([Candidate("replica", ahead.below("a"))], FileTarget(tmp_path / "a"))
        assert to_document(served)["findings"] == list(served.findings)
        assert "ahead of this machine's clock" in served.findings[0]
        tree = fetch_tree([Candidate("replica", ahead)], FileTarget(tmp_path / "t"))
        assert to_document(tree)["findings"] == list(served.findings)

    def test_clocks_that_differ_a_little_are_no_finding(self) -> None:
        source, replica = endpoint(), endpoint()
        put(source, "a")
        replicate(Replication(source, (replica,)))
        assert freshness(replica).finding is None
        assert freshness(replica).within(timedelta(hours=1))


def _written(moment: datetime) -> bytes:
    return moment.isoformat().replace("+00:00", "Z").encode()


class TestHedging:
    class Slow(object_store.Hook):
        """Answers when it is let go."""

        lists_at_once = False
        let_go = threading.Event()

        def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
            if not self.lists_at_once:
                self.let_go.wait(60)
            return super().list_objects(bucket, prefix)

        def get_object(
            self,
            ref: ObjectRef,
            *,
            start: int = 0,
            end: int | None = None,
            if_etag: str | None = None,
        ) -> ObjectBody:
            self.let_go.wait(60)
            return super().get_object(ref, start=start, end=end, if_etag=if_etag)

    @pytest.fixture
    def let_go(self) -> Iterator[None]:
        self.Slow.let_go.clear()
        yield
        self.Slow.let_go.set()

    @pytest.mark.usefixtures("let_go")
    @pytest.mark.parametrize("lists_at_once", [True, False])
    def test_a_prefix(self, tmp_path: Path, *, lists_at_once: bool) -> None:
        """While it is listed as while it is read; a slow one does not cost its time again."""
        primary, replica = endpoint(hook=self.Slow), endpoint()
        assert isinstance(primary.store, self.Slow)
        primary.store.lists_at_once = lists_at_once
        for number in range(50):
            put(primary, str(number))
            put(replica, str(number))
        policy = FailoverPolicy(hedge_after=timedelta(milliseconds=200))
        started = time.monotonic()
        served = fetch_tree(candidates(primary, replica), FileTarget(tmp_path), policy)
        assert time.monotonic() - started < 5
        assert served.served == {str(replica.location): 50}
        assert served.failed_over
        assert 0 < served.failed_attempts <= 20
        assert {a.kind for a in served.attempts} == {ErrorKind.TIMEOUT}
        assert "hedge_after" in (served.attempts[0].reason or "")

    @pytest.mark.usefixtures("let_go")
    def test_one_object_says_who_was_overtaken(self, tmp_path: Path) -> None:
        primary, replica = endpoint(hook=self.Slow), endpoint()
        put(replica, "a")
        policy = FailoverPolicy(hedge_after=timedelta(milliseconds=50))
        served = fetch(
            candidates(primary.below("a"), replica.below("a")), FileTarget(tmp_path / "a"), policy
        )
        assert [(a.kind, a.overtaken) for a in served.attempts] == [
            (ErrorKind.TIMEOUT, True),
            (None, False),
        ]

    def test_nothing_is_hedged_that_answers(self, tmp_path: Path) -> None:
        primary, replica = endpoint(), endpoint()
        put(primary, "a")
        policy = FailoverPolicy(hedge_after=timedelta(seconds=30))
        served = fetch_tree(candidates(primary, replica), FileTarget(tmp_path), policy)
        assert served.failed_attempts == 0
        assert not served.failed_over

    @pytest.mark.usefixtures("let_go")
    def test_the_time_of_an_attempt_still_ends_it(self, tmp_path: Path) -> None:
        policy = FailoverPolicy(attempt_timeout=timedelta(milliseconds=100))
        with pytest.raises(FailoverError, match="attempt_timeout") as caught:
            fetch_tree(candidates(endpoint(hook=self.Slow)), FileTarget(tmp_path), policy)
        assert caught.value.kind is ErrorKind.TIMEOUT
