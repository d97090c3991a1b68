"""Which copy tells the names of a prefix, and what a policy expects of whom."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.core.failover import naming as naming_module
from airflow_multicloud.core.failover.copies import Copies
from airflow_multicloud.core.failover.names import Names
from airflow_multicloud.core.failover.naming import Naming, left_of, names_of
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import Attempt, FailoverError
from airflow_multicloud.core.ledger.memory import Remembered
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.ledgers import behind, look, proven, write
from tests.unit.failover.stores import candidates, named, put, replicas, unopened
from tests.unit.ledger import made
from tests.unit.ledger.made import NOON
from tests.unit.replication.memory import conn_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.failover.candidates import Candidate
    from airflow_multicloud.ports.object_store import ObjectMeta

SOURCE = "mem://source/data/"
LONG = 20.0


class Store(object_store.Hook):
    """Fails when it is listed, or waits first."""

    err: StorageError | None = None
    wait_for: threading.Event | None = None
    asked = 0

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        if not prefix.startswith("data/"):
            return super().list_objects(bucket, prefix)
        self.asked += 1
        if self.wait_for is not None:
            self.wait_for.wait(LONG)
        if self.err is not None:
            raise self.err
        return super().list_objects(bucket, prefix)


def with_objects(bucket: str, *names: str, **behaviour: Any) -> Endpoint:
    end = named(bucket, Store)
    for name in names:
        put(end, name)
    for name, value in behaviour.items():
        setattr(end.store, name, value)
    return end


def asked(
    found: Sequence[Candidate], seconds: float = 60, **policy: Any
) -> tuple[list[str], Naming, list[Attempt]]:
    naming, failed = names_of(Copies(found, FailoverPolicy(**policy)), time.monotonic() + seconds)
    with closing(naming.names) as names:
        return list(names), naming, failed


def down(kind: ErrorKind = ErrorKind.UNAVAILABLE) -> StorageError:
    return StorageError("not today", kind=kind)


class TestWhereNamesAreFrom:
    def test_the_listing_of_the_live_primary(self) -> None:
        end = with_objects("p", "b", "a")
        names, naming, failed = asked(candidates(end))
        assert (names, naming.freshness, failed) == (["a", "b"], None, [])

    def test_the_ledger_of_a_replica(self) -> None:
        """With what was lost there or failed, but not with what is gone at the source."""
        end = with_objects("r", "besides")
        entries = [proven(end, name, SOURCE) for name in "abcd"]
        write(
            end,
            entries[0],
            changed(entries[1], gone=NOON),
            behind(entries[2], proven=False),
            behind(entries[3], proven=False, outcome=Outcome.RESERVED),
            looks=(look(end, SOURCE),),
        )
        end.store.delete_object(end.ref(end.key_of("a")))
        names, naming, _ = asked(replicas(end))
        assert names == ["a", "c", "d"]
        assert naming.freshness is not None
        assert naming.freshness.as_of == NOON
        assert naming.copy.candidate.endpoint == end

    def test_the_listing_of_a_replica_whose_ledger_knows_nothing_of_it(self) -> None:
        end = with_objects("r", "a")
        assert asked(replicas(end))[0] == ["a"]
        write(end, looks=(made.look("elsewhere/"),))
        names, naming, _ = asked(replicas(end))
        assert (names, naming.freshness) == (["a"], None)

    def test_single_objects_are_known(self) -> None:
        end = with_objects("r", "besides")
        write(end, proven(end, "a", SOURCE))
        names, naming, _ = asked(replicas(end))
        assert names == ["a"]
        assert naming.freshness is not None
        assert not naming.freshness.covered

    def test_a_replica_of_nothing_is_empty(self) -> None:
        """Whatever lies there."""
        end, other = with_objects("r", "besides"), with_objects("o", "a")
        write(end, looks=(look(end, SOURCE),))
        names, _, failed = asked(replicas(end, other))
        assert names == ["a"]
        assert [(a.kind, a.reason) for a in failed[1:]] == [
            (ErrorKind.NOT_FOUND, "no object under this prefix")
        ]


class TestWhoIsAsked:
    def test_nobody(self) -> None:
        with pytest.raises(StorageError, match=r"^candidates: none given") as caught:
            asked([])
        assert caught.value.kind is ErrorKind.INVALID_ARGUMENT

    def test_the_first_that_answers(self) -> None:
        bad, good, more = (
            with_objects("a", "x", err=down()), with_objects("b", "x"), with_objects("c", "x")
        )  # fmt: skip
        _, naming, failed = asked(candidates(bad, good, more))
        assert naming.copy.candidate.endpoint == good
        assert [(a.uri, a.cloud, a.kind, a.reason, a.overtaken) for a in failed] == [
            (str(bad.location), "memory", ErrorKind.UNAVAILABLE, "not today", False)
        ]
        assert isinstance(more.store, Store)
        assert more.store.asked == 0

    def test_one_that_could_not_be_opened_has_no_cloud(self) -> None:
        found = [unopened("u", "no connection"), *candidates(with_objects("b", "x"))]
        (failed,) = asked(found)[2]
        assert (failed.uri, failed.cloud, failed.kind) == ("u", None, ErrorKind.NOT_FOUND)

    def test_an_error_that_is_no_reason_to_go_on(self) -> None:
        ends = with_objects("a", err=down(ErrorKind.PERMISSION_DENIED)), with_objects("b", "x")
        with pytest.raises(FailoverError, match=r"a/data/ can't be listed: 1\. ") as caught:
            asked(candidates(*ends))
        assert caught.value.kind is ErrorKind.PERMISSION_DENIED
        assert len(caught.value.attempts) == 1

    @pytest.mark.parametrize(
        ("kind", "goes_on"),
        [(ErrorKind.NOT_FOUND, True), (ErrorKind.INTEGRITY, True), (ErrorKind.BUSY, False)],
    )
    def test_what_is_not_there_never_ends_it(self, kind: ErrorKind, *, goes_on: bool) -> None:
        found = candidates(with_objects("a", err=down(kind)), with_objects("b", "x"))
        if goes_on:
            assert asked(found, fail_over_on=frozenset({ErrorKind.TIMEOUT}))[0] == ["x"]
            return
        with pytest.raises(FailoverError, match="can't be listed"):
            asked(found, fail_over_on=frozenset({ErrorKind.TIMEOUT}))

    def test_all_fail(self) -> None:
        found = candidates(with_objects("a", err=down()), with_objects("b"))
        with pytest.raises(FailoverError, match=r"^no candidate could be listed: 1\.") as caught:
            asked(found)
        assert caught.value.kind is ErrorKind.UNAVAILABLE


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """What slow copies wait for, until the test is over."""
    event = threading.Event()
    yield event
    event.set()


class TestNamesThatNobodyWants:
    """They lie in a file each, which is closed."""

    @pytest.fixture
    def made(self, monkeypatch: pytest.MonkeyPatch) -> list[Noted]:
        made: list[Noted] = []

        def noted() -> Noted:
            made.append(Noted())
            return made[-1]

        monkeypatch.setattr(naming_module, "Names", noted)
        return made

    def test_of_who_was_hedged_or_is_empty_or_breaks(
        self, made: list[Noted], let_go: threading.Event
    ) -> None:
        slow, empty = with_objects("a", "x", wait_for=let_go), with_objects("b")
        broken, good = with_objects("c", "x", err=down()), with_objects("d", "y")
        late = with_objects("e", "z", wait_for=let_go, err=down())
        names_of(
            Copies(
                candidates(slow, late, empty, broken, good),
                FailoverPolicy(hedge_after=timedelta(seconds=0.1)),
            ),
            time.monotonic() + LONG,
        )
        let_go.set()
        kept = made[-1]
        assert len(made) == 5
        assert all(names.closed.wait(LONG) for names in made if names is not kept)
        assert not kept.closed.is_set()
        kept.close()


class Noted(Names):
    def __init__(self) -> None:
        super().__init__()
        self.closed = threading.Event()

    def close(self) -> None:
        super().close()
        self.closed.set()


class TestTime:
    def test_who_takes_too_long_is_given_up(self, let_go: threading.Event) -> None:
        slow, good = with_objects("a", "x", wait_for=let_go), with_objects("b", "y")
        names, _, (failed,) = asked(candidates(slow, good), attempt_timeout=timedelta(seconds=0.5))
        assert names == ["y"]
        assert (failed.kind, failed.reason) == (
            ErrorKind.TIMEOUT, "took longer than attempt_timeout"
        )  # fmt: skip
        assert not failed.overtaken
        assert 500 <= failed.milliseconds < 1000 * LONG

    def test_who_takes_long_is_hedged(self, let_go: threading.Event) -> None:
        slow, good = with_objects("a", "x", wait_for=let_go), with_objects("b", "y")
        more = with_objects("c", "z")
        names, _, (failed,) = asked(
            candidates(slow, good, more), hedge_after=timedelta(seconds=0.3)
        )
        assert names == ["y"]
        assert failed.overtaken
        assert failed.kind is ErrorKind.TIMEOUT
        assert failed.reason == (
            "had not been listed yet when another one was (hedge_after: 0:00:00.300000)"
        )
        assert failed.milliseconds >= 300
        assert isinstance(more.store, Store)
        assert more.store.asked == 0

    def test_who_was_hedged_may_still_be_first(self) -> None:
        class Telling(Store):
            def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
                if prefix == "data/":
                    hedged.set()
                    hanging.wait(LONG)
                return super().list_objects(bucket, prefix)

        hedged, hanging = threading.Event(), threading.Event()
        slow, other = with_objects("a", "x", wait_for=hedged), named("b", Telling)
        try:
            names, _, (failed,) = asked(candidates(slow, other), hedge_after=timedelta(seconds=0.1))
        finally:
            hanging.set()
        assert names == ["x"]
        assert (failed.uri, failed.overtaken) == (str(other.location), True)

    def test_the_deadline_ends_it(self, let_go: threading.Event) -> None:
        found = candidates(with_objects("a", wait_for=let_go), with_objects("b", "y"))
        started = time.monotonic()
        with pytest.raises(FailoverError, match=r"^deadline \(1:00:00\) passed") as caught:
            asked(found, seconds=0.3)
        assert 0.3 <= time.monotonic() - started < LONG / 2
        assert caught.value.kind is ErrorKind.TIMEOUT

    def test_what_is_left_of_it(self) -> None:
        policy = FailoverPolicy()
        left = left_of(policy, time.monotonic() + 60, ())
        assert timedelta(seconds=30) < left <= timedelta(seconds=60)
        one = Attempt("u", None, 1, ErrorKind.BUSY, "busy")
        with pytest.raises(FailoverError) as caught:
            left_of(policy, time.monotonic() - 1, [one])
        assert caught.value.attempts == (one,)


class TestWhatIsExpected:
    """Of ledgers, which are known by their buckets."""

    ROOT = "0" * 64

    def test_any_uri_of_the_bucket_names_its_ledger(self) -> None:
        end = named("r")
        for uri in ("mem://r/", f"mem://{conn_of(end)}@r/data/", "mem://r/elsewhere/x", end.place):
            policy = FailoverPolicy(expected_roots={uri: self.ROOT}, at_least_commits={uri: 7})
            assert policy.expected_at(end) == (self.ROOT, 7)
            assert policy.expected_at(named("another")) == (None, None)
        another = FailoverPolicy(expected_roots={"mem://other_conn@r/": self.ROOT})
        assert another.expected_at(end) == (None, None)
        only = FailoverPolicy(at_least_commits={"mem://r/": 1})
        assert only.expected_at(end) == (None, 1)

    def test_what_is_remembered_gives_way(self) -> None:
        end, other = named("r"), named("o")
        now = datetime.now(UTC)
        memory = tuple(Remembered(place_of(one), 1, self.ROOT, now) for one in (end, other))
        policy = FailoverPolicy(remembered=memory, at_least_commits={"mem://r/": 1})
        assert policy.remembered_at(end) is None
        assert policy.remembered_at(other) == memory[1]
        assert policy.remembered_at(named("third")) is None
        assert FailoverPolicy(remembered=memory).remembered_at(end) == memory[0]

    @pytest.mark.parametrize("name", ["expected_roots", "at_least_commits"])
    def test_it_must_be_of_a_candidate(self, name: str) -> None:
        value = self.ROOT if name == "expected_roots" else 1
        policy = FailoverPolicy(**{name: {"mem://r/x": value}})  # type: ignore[arg-type]
        candidates = {"mem://conn@r/data/": "mem://r@one/", "mem://o/": "mem://o/"}
        policy.check_candidates(candidates)
        with pytest.raises(StorageError, match=f"^{name}: 'mem://r/x' given"):
            policy.check_candidates({"mem://o/": "mem://o/"})
        with pytest.raises(StorageError, match="one with its connection"):
            policy.check_candidates(candidates | {"mem://other@r/data/": "mem://r@other/"})

    def test_a_caller_is_asked_for_little(self) -> None:
        """What is not said is not expected."""
        policy = FailoverPolicy()
        assert (policy.list_unknown, policy.require_digest, policy.live_primary) == (
            False, False, None
        )  # fmt: skip
        assert policy.expected_at(named("r")) == (None, None)
        FailoverPolicy(at_least_commits={"mem://r/": 1})
