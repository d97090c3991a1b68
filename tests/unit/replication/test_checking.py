"""What a verification counts and names, and what a report of it says."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.core.ledger.commits import Step
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.memory import Remembered
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.checking import Check, Tally
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.judging import Depth, Finding, Found
from airflow_multicloud.core.replication.verification import VerificationReport, verify
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.ledger.made import at, commit, draft, entry, look

from .memory import Bare, World, conn_of, endpoint, fill, ledger, own, world
from .test_verifying_while_runs_write import Fake, while_listed

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectRef

TREE = {"a": b"1", "b": b"2", "c": b"3"}


def found(number: int, finding: Finding = Finding.MISSING) -> Found:
    return Found(f"{number:03}", finding)


class TestTally:
    def test_what_is_not_proven_is_named(self) -> None:
        tally = Tally()
        for number, finding in enumerate(Finding):
            tally.add(found(number, finding))
        assert dict(tally.findings) == dict.fromkeys(Finding, 1)
        named = {one.finding for one in tally.named}
        assert named == set(Finding) - {Finding.VERIFIED, Finding.RESERVED}

    def test_the_first_hundred_are_named_and_all_are_counted(self) -> None:
        tally = Tally()
        for number in range(103):
            tally.add(found(number))
        assert [one.name for one in tally.named] == [f"{n:03}" for n in range(100)]
        assert tally.findings == {Finding.MISSING: 103}

    @pytest.mark.parametrize(("ours", "theirs", "named"), [(1, 2, 3), (98, 5, 100), (100, 5, 100)])
    def test_two_are_added(self, ours: int, theirs: int, named: int) -> None:
        one, other = Tally(), Tally()
        for number in range(ours):
            one.add(found(number))
        for number in range(theirs):
            other.add(found(ours + number))
        one.take(other)
        assert [each.name for each in one.named] == [f"{n:03}" for n in range(named)]
        assert one.findings == {Finding.MISSING: ours + theirs}


@pytest.fixture
def lab() -> World:
    made = world(TREE)
    replicate(made.replication(), run_id="first")
    return made


def put(there: Endpoint, name: str, content: bytes) -> None:
    there.store.put_object(there.ref(there.key_of(name)), content)


def delete(there: Endpoint, name: str) -> None:
    there.store.delete_object(there.ref(there.key_of(name)))


class TestBesides:
    """What is there and that the source has not, or that no run has seen."""

    def test_by_one_commit(self, lab: World) -> None:
        (there,) = lab.destinations
        for name in ("a", "b"):
            delete(lab.source, name)
        replicate(lab.replication())
        delete(there, "b")
        put(there, "x", b"of somebody else")
        report = verify(there)
        assert (report.objects, report.extraneous, report.gone) == (1, 2, 1)

    def test_by_two_while_a_run_writes(self, lab: World) -> None:
        (there,) = lab.destinations
        delete(lab.source, "b")
        replicate(lab.replication())
        put(there, "x", b"of somebody else")

        def run() -> None:
            fill(lab.source, {"a": b"new", "d": b"4"})
            delete(lab.source, "c")
            replicate(lab.replication())

        report = verify(while_listed(there, run), clock=Fake().clock())
        # "c" was owed by the first commit's word; "d" is known by the second's.
        assert dict(report.findings) == {Finding.VERIFIED: 2}
        assert (report.extraneous, report.gone) == (2, 1)
        assert report.newer_commit == ledger(there).commit.number


class TestWhileARunWrites:
    def begin(self, there: Endpoint, **given: Any) -> None:
        commit(there, [], this=draft("second", Step.BEGIN, prefix="copy/", **given))

    def test_nothing_is_waited_for_where_nothing_contradicts(self, lab: World) -> None:
        (there,) = lab.destinations
        self.begin(there)
        fake = Fake()
        report = verify(there, clock=fake.clock())
        assert (report.proven, fake.slept, report.newer_commit) == (True, 0, None)

    def test_each_is_named_with_the_run_that_may_be_replacing_it(self, lab: World) -> None:
        (there,) = lab.destinations
        for name, prefix in (("second", "copy/a"), ("third", "copy/b")):
            commit(there, [], this=draft(name, Step.BEGIN, prefix=prefix))
        put(there, "a", b"new")
        put(there, "b", b"new")
        put(there, "c", b"new")
        report = verify(there, clock=Fake().clock())
        reasons = {one.name: one.reason for one in report.found}
        assert "being replaced by run run-second, since" in reasons["a"]
        assert "being replaced by run run-third, since" in reasons["b"]
        assert "it was written again" in reasons["c"]
        assert len(report.open_runs) == 2

    def test_what_the_ledger_says_anew_is_looked_at_afresh(self, lab: World) -> None:
        (there,) = lab.destinations
        self.begin(there)
        put(there, "a", b"new")
        put(there, "b", b"new")

        def says() -> None:
            put(there, "b", TREE["b"])
            known = ledger(there).entry("copy/a")
            assert known is not None
            assert known.proof is not None
            other = Entry("copy/a", changed(known.proof, size=9))
            this = draft("second", Step.END, prefix="copy/")
            commit(there, [other], this=this, known=ledger(there).entry)

        report = verify(there, clock=Fake(happens=[says]).clock())
        assert [(one.name, one.finding) for one in report.found] == [("a", Finding.CHANGED)]
        assert report.objects == 3
        assert report.open_runs == ()

    @pytest.mark.parametrize("removed", [True, False])
    def test_what_the_source_has_no_more_ends_the_judging_of_nothing_else(
        self, lab: World, removed: bool
    ) -> None:
        (there,) = lab.destinations
        self.begin(there)
        put(there, "a", b"new")
        put(there, "b", b"new")

        def ends() -> None:
            known = ledger(there).entry("copy/a")
            assert known is not None
            no_more = Entry("copy/a", removed=True) if removed else changed(known, gone=at(0))
            this = draft("second", Step.END, prefix="copy/")
            commit(there, [no_more], this=this, known=ledger(there).entry)

        report = verify(there, clock=Fake(happens=[ends]).clock())
        assert dict(report.findings) == {Finding.VERIFIED: 1, Finding.CHANGED: 1}
        assert [one.name for one in report.found] == ["b"]

    def test_a_store_that_can_not_keep_two_writers_apart_may_lose_a_commit(
        self, lab: World
    ) -> None:
        """Which is no proof that somebody writes the ledger anew."""
        (there,) = lab.destinations
        bare = replace(there, store=Bare(conn_of(there)))

        def rewrite() -> None:
            for key in own(there):
                there.store.delete_object(there.ref(key))
            replicate(lab.replication(), run_id="later")
            put(there, "a", b"theirs")

        report = verify(self.after_the_ledger(bare, rewrite), clock=Fake().clock())
        assert dict(report.findings) == {Finding.VERIFIED: 2, Finding.CHANGED: 1}

    def after_the_ledger(self, there: Endpoint, happens: Callable[[], None]) -> Endpoint:
        """Something happens once the ledger was read, and the replica is listed."""
        store: Any = there.store
        listing, left = store.list_objects, [happens]

        def list_objects(bucket: str, prefix: str = "") -> Any:
            if not prefix.startswith(".airflow") and left:
                left.pop()()
            return listing(bucket, prefix)

        store.list_objects = list_objects
        return there

    @pytest.mark.parametrize("concurrency", [1, 3])
    def test_all_are_judged_however_few_at_once(self, concurrency: int) -> None:
        made = world({f"{n:02}": b"1" for n in range(20)})
        replicate(made.replication())
        (there,) = made.destinations
        report = verify(there, depth=Depth.READ, concurrency=concurrency)
        assert (report.findings, report.bytes_read) == ({Finding.VERIFIED: 20}, 20)
        for number in range(20):
            put(there, f"{number:02}", b"2")
        self.begin(there)
        report = verify(there, depth=Depth.READ, concurrency=concurrency, clock=Fake().clock())
        assert report.findings == {Finding.UNVERIFIABLE: 20}

    def test_no_more_are_read_ahead_than_are_judged_soon(self) -> None:
        made = world({f"{n:02}": b"1" for n in range(20)})
        replicate(made.replication())
        (there,) = made.destinations
        most, now = 0, 0

        class Pool(ThreadPoolExecutor):
            def submit(self, *given: Any, **named: Any) -> Any:
                nonlocal most, now
                now += 1
                most = max(most, now)
                future = super().submit(*given, **named)
                done = future.result

                def result(timeout: float | None = None) -> Any:
                    nonlocal now
                    now -= 1
                    return done(timeout)

                future.result = result  # type: ignore[method-assign]
                return future

        with Catalog() as catalog, Pool(2) as pool:
            check = Check(there, Depth.READ, ledger(there), catalog, pool, concurrency=2)
            check.run(None, None)
        assert check.findings == {Finding.VERIFIED: 20}
        assert most == 4


REPORT = VerificationReport(
    replica="mem://lab/copy/",
    run_id="r",
    commit=1,
    ledger_root="root",
    commit_uri="mem://lab/commit",
    content="content",
    as_of=None,
    objects=3,
    bytes_read=0,
    findings={Finding.VERIFIED: 2, Finding.RESERVED: 1},
    extraneous=9,
    gone=0,
    found=(Found("a\n", Finding.CHANGED, "why"),),
    seconds=1.0,
)


class TestReport:
    @pytest.mark.parametrize(
        ("changes", "unproven", "proven"),
        [
            ({}, 0, True),
            ({"objects": 0, "findings": {}}, 0, True),
            ({"findings": {Finding.VERIFIED: 2, Finding.CHANGED: 1}}, 1, False),
            ({"findings": {Finding.UNVERIFIABLE: 3}}, 3, False),
            ({"contradictions": ("no",)}, 0, False),
            ({"unfinished": "its first replication"}, 0, False),
            ({"not_compared": ("why",), "open_runs": ("run",), "extraneous": 99}, 0, True),
        ],
    )
    def test_a_replica_is_proven_when_every_object_is(
        self, changes: dict[str, Any], unproven: int, proven: bool
    ) -> None:
        report = replace(REPORT, **changes)
        assert (report.unproven, report.proven) == (unproven, proven)

    def test_what_was_found_is_a_line_each(self) -> None:
        assert REPORT.found_lines == ("'a\\n' is changed: why",)
        assert REPORT.as_dict()["found"] == ["'a\\n' is changed: why"]


class TestWhichRun:
    """The run that is named is the one that has looked at the source last."""

    def named(self, *looks: Any, key: str = "copy/") -> str:
        end = endpoint("copy/")
        commit(end, [entry("copy/a")], this=draft("upload", Step.UPLOAD))
        for number, one in enumerate(looks):
            this = draft(f"{number}", Step.END, prefix=one.prefix, found=one)
            commit(end, [], this=this)
        return verify(replace(end, location=end.location.with_key(key))).run_id

    def test_among_those_that_looked_at_it(self) -> None:
        assert self.named(look("copy/", 1)) == "run-1"
        assert self.named(look("copy/", 1), key="copy/a") == "run-1"
        assert self.named(look("copy/", 1), key="") == "run-1"
        narrow, wide = look("copy/a/", 7), look("", 5, source="mem://b/")
        assert self.named(wide, narrow) == "run-7"
        assert self.named(wide, narrow, key="copy/a") == "run-5"
        assert self.named(look("copy/", 1), look("other/", 9)) == "run-1"

    def test_it_is_the_one_that_began_last_and_not_the_one_that_ended_last(self) -> None:
        early = changed(look("copy/x/", 1), finished=at(500))
        assert self.named(look("copy/", 5), early) == "run-5"

    def test_without_a_look_it_is_the_one_that_has_committed_last(self) -> None:
        assert self.named() == "run-upload"


class TestWhatIsRemembered:
    def test_where_there_is_no_ledger(self) -> None:
        end = endpoint("copy/")
        for given in ({"expected_root": "0" * 64}, {"at_least_commit": 1}):
            with pytest.raises(StorageError, match="there is no ledger in this bucket") as raised:
                verify(end, **given)  # type: ignore[arg-type]
            assert raised.value.kind is ErrorKind.INTEGRITY
        remembered = Remembered("mem://lab/", 1, "0" * 64, datetime.now(UTC))
        with pytest.raises(StorageError, match="now there is none"):
            verify(end, remembered=remembered)
        with pytest.raises(StorageError, match="is in no ledger") as raised:
            verify(end)
        assert raised.value.kind is ErrorKind.NOT_FOUND

    def test_what_names_no_commit_is_refused(self, lab: World) -> None:
        (there,) = lab.destinations
        with pytest.raises(StorageError, match=r"^expected_root: 'x' given"):
            verify(there, expected_root="x")
        with pytest.raises(StorageError, match=r"^at_least_commit: 0 given"):
            verify(there, at_least_commit=0)

    def test_another_commit_than_the_one_that_is_remembered(self, lab: World) -> None:
        (there,) = lab.destinations
        head = ledger(there)
        seen = Remembered("mem://lab/", head.commit.number, head.root, datetime.now(UTC))
        assert verify(there, remembered=seen, expected_root=head.root).proven
        with pytest.raises(StorageError, match="is not the one that is remembered"):
            verify(there, remembered=replace(seen, ledger_root="0" * 64))
        with pytest.raises(StorageError, match="was expected"):
            verify(there, at_least_commit=head.commit.number + 1)

    def test_what_can_not_be_compared_any_more_is_said(self, lab: World) -> None:
        (there,) = lab.destinations
        head = ledger(there)
        long_ago = datetime.now(UTC) - timedelta(days=99)
        seen = Remembered("mem://lab/", 1, "0" * 64, long_ago)
        commit(there, [], this=draft(prefix="copy/"))
        for key in own(there, "ledger/commits/")[1:]:
            there.store.delete_object(there.ref(key))
        assert ledger(there).commit.number == head.commit.number + 1
        report = verify(there, remembered=seen)
        assert "can't be compared with the ledger that is there now" in report.not_compared[0]
        assert report.proven


class TestAnEarlierRun:
    def test_what_it_knew_nothing_of_is_in_no_ledger(self, lab: World) -> None:
        (there,) = lab.destinations
        there.store.put_object(there.ref("new/a"), b"1")
        upload = draft("upload", Step.UPLOAD, prefix="new/a")
        etag = there.store.stat_object(there.ref("new/a")).etag
        commit(there, [entry("new/a", etag=etag)], this=upload)
        new = replace(there, location=there.location.with_key("new/"))
        assert verify(new, run_id="run-upload").proven
        wide = replace(there, location=there.location.with_key(""))
        assert verify(wide, run_id="first").objects == 3

    def test_which_runs_write_now_is_told_by_the_newest_commit(self, lab: World) -> None:
        (there,) = lab.destinations
        commit(there, [], this=draft("second", Step.BEGIN, prefix="copy/"))
        report = verify(there, run_id="first")
        assert (report.run_id, len(report.open_runs)) == ("first", 1)
        assert report.newer_commit is None


def test_what_is_found_is_told_by_name(lab: World) -> None:
    class Slow(object_store.Hook):
        def get_object(self, ref: ObjectRef, **limits: Any) -> Any:
            if ref.key == "copy/a":
                raise StorageError("not today", kind=ErrorKind.TIMEOUT)
            return super().get_object(ref, **limits)

    (there,) = lab.destinations
    delete(there, "c")
    delete(there, "b")
    slow = replace(there, store=Slow(conn_of(there)))
    report = verify(slow, depth=Depth.READ)
    assert [one.name for one in report.found] == ["a", "b", "c"]
    assert report.seconds >= 0
