"""What the ledgers of several copies say of an object, and how long that may take."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.clocks import CLOCKS_DIFFER
from airflow_multicloud.core.failover import copies as copies_module
from airflow_multicloud.core.failover import ledgers as ledgers_module
from airflow_multicloud.core.failover.copies import Copies
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.ledger import segments
from airflow_multicloud.core.ledger.commits import OpenRun
from airflow_multicloud.core.ledger.names import segment_key
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import Digests
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.ledgers import WHO, behind, damage, look, proven, write
from tests.unit.failover.stores import candidates, named, put, replicas, stop_the_clock, unopened
from tests.unit.ledger.made import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.failover.copies import Copy
    from airflow_multicloud.core.failover.references import Reference
    from airflow_multicloud.core.ledger.entries import Entry
    from airflow_multicloud.ports.object_store import ObjectMeta

SOURCE = "mem://source/data/"


def copies_of(*ends: Endpoint, **policy: Any) -> tuple[Copy, ...]:
    """Of replicas, as the live primary has no ledger to ask."""
    return Copies(replicas(*ends), FailoverPolicy(**policy)).all[1:]


class Clock:
    """Goes on when somebody waits, and only then."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Nobody(threading.Event):
    """Is never set; counts how often it is waited for."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock, self.waits = clock, 0

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits += 1
        self.clock.now += timeout
        return False


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (copies_module, ledgers_module):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


class TestWaitingForARun:
    """An object is not what its ledger says, as a run may have written it."""

    def under_way(self, end: Endpoint, name: str = "") -> OpenRun:
        now = datetime.now(UTC)
        return OpenRun(WHO, end.key_of(name), now, now)

    def waits(self, end: Endpoint, clock: Clock, *, wait: bool = True, **policy: Any) -> list[int]:
        """How often is waited for each of four objects of which nothing new becomes known."""
        (copy,) = copies_of(end, **policy)
        found: list[int] = []
        for name in "abcd":
            nobody = Nobody(clock)
            assert copy.newer(name, copy.reference(name), nobody, wait=wait) is None
            found.append(nobody.waits)
        return found

    def test_an_object_waits_10_seconds_and_all_together_30(self, clock: Clock) -> None:
        end = named("r")
        write(end, open_runs=(self.under_way(end),))
        assert self.waits(end, clock) == [10, 10, 10, 0]

    def test_at_most_half_the_time_that_an_attempt_has(self, clock: Clock) -> None:
        end = named("r")
        write(end, open_runs=(self.under_way(end),))
        assert self.waits(end, clock, attempt_timeout=timedelta(seconds=8)) == [4, 4, 4, 4]

    def test_what_is_stale_does_not_wait(self, clock: Clock) -> None:
        end = named("r")
        write(end, open_runs=(self.under_way(end),))
        assert self.waits(end, clock, wait=False) == [0, 0, 0, 0]

    def test_without_a_run_or_a_ledger_nothing_is_waited_for(self, clock: Clock) -> None:
        end = named("r")
        assert self.waits(end, clock) == [0, 0, 0, 0]
        write(end)
        assert self.waits(end, clock) == [0, 0, 0, 0]

    def test_only_a_run_that_writes_there_counts(self, clock: Clock) -> None:
        end = named("r")
        write(end, open_runs=(self.under_way(end, "c"), self.under_way(end, "elsewhere/")))
        assert self.waits(end, clock) == [0, 0, 10, 0]

    @pytest.mark.parametrize(
        ("ago", "alive"), [(120, True), (121, False), (-60, True), (-61, False)]
    )
    def test_one_that_is_silent_or_from_the_future_does_not(
        self, clock: Clock, monkeypatch: pytest.MonkeyPatch, ago: float, *, alive: bool
    ) -> None:
        assert timedelta(seconds=60) == CLOCKS_DIFFER
        stop_the_clock(monkeypatch, copies_module, NOON)
        end = named("r")
        seen = NOON - timedelta(seconds=ago)
        write(end, open_runs=(OpenRun(WHO, "data/", NOON, seen),))
        assert bool(self.waits(end, clock)[0]) is alive

    def test_whoever_is_given_up_waits_no_more(self, clock: Clock) -> None:
        end = named("r")
        write(end, open_runs=(self.under_way(end),))
        (copy,) = copies_of(end)
        given_up = threading.Event()
        given_up.set()
        assert copy.newer("a", copy.reference("a"), given_up, wait=True) is None

    def test_what_the_run_says_ends_it(self, clock: Clock) -> None:
        end = named("r")
        before = proven(end, "a", SOURCE)
        write(end, before, open_runs=(self.under_way(end),))
        (copy,) = copies_of(end)
        known = copy.reference("a")
        after = proven(end, "a", SOURCE, b"newer")

        class Saying(Nobody):
            def wait(self, timeout: float | None = None) -> bool:
                if self.waits == 2:
                    write(end, after, number=2, open_runs=())
                return super().wait(timeout)

        saying = Saying(clock)
        newer = copy.newer("a", known, saying, wait=True)
        assert newer is not None
        assert newer.entry == after
        assert saying.waits == 3

    def test_a_commit_that_forgets_the_object_says_nothing(self, clock: Clock) -> None:
        end = named("r")
        write(end, proven(end, "a", SOURCE))
        (copy,) = copies_of(end)
        known = copy.reference("a")
        write(end, number=2)
        clock.now += 1
        assert copy.newer("a", known, Nobody(clock), wait=True) is None

    def test_a_newer_ledger_is_judged_again(self, clock: Clock) -> None:
        end = named("r")
        write(end, proven(end, "a", SOURCE))
        (copy,) = copies_of(end)
        known = copy.reference("a")
        damage(end, 2)
        clock.now += 1
        with pytest.raises(CloudError) as caught:
            copy.newer("a", known, Nobody(clock), wait=True)
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_the_ledger_is_read_again_after_a_second(self, clock: Clock) -> None:
        end = named("r")
        write(end, proven(end, "a", SOURCE))
        (copy,) = copies_of(end)
        known = copy.reference("a")
        after = proven(end, "a", SOURCE, b"newer")
        write(end, after, number=2)
        nobody = Nobody(clock)
        clock.now += 0.9
        assert copy.newer("a", known, nobody, wait=True) is None
        clock.now += 0.1
        newer = copy.newer("a", known, nobody, wait=True)
        assert newer is not None
        assert newer.entry == after

    def test_the_live_primary_is_as_it_is(self, clock: Clock) -> None:
        end = named("p")
        put(end, "a")
        copy = Copies(candidates(end), FailoverPolicy()).all[0]
        known = copy.reference("a")
        clock.now += 2
        write(end, proven(end, "a", SOURCE))
        assert copy.newer("a", known, Nobody(clock), wait=True) is None


class TestHowLongOthersMayTake:
    """To say what they have seen of this copy's ledger."""

    class Late(Future[Any]):
        """Answers too late; notes how long it is waited for."""

        def __init__(self, clock: Clock) -> None:
            super().__init__()
            self.clock = clock
            self.waited: list[float] = []

        def result(self, timeout: float | None = None) -> Any:
            assert timeout is not None
            self.waited.append(max(timeout, 0))
            self.clock.now += max(timeout, 0)
            raise TimeoutError

    @pytest.mark.parametrize(
        ("policy", "seconds"),
        [
            ({}, 2),
            ({"attempt_timeout": timedelta(seconds=4)}, 1),
            ({"deadline": timedelta(seconds=2)}, 0.5),
            ({"hedge_after": timedelta(seconds=0.25)}, 0.25),
            ({"hedge_after": timedelta(seconds=3)}, 2),
        ],
    )
    def test_once_for_all_of_them(
        self, clock: Clock, policy: dict[str, timedelta], seconds: float
    ) -> None:
        ends = [named(bucket) for bucket in ("a", "b", "c")]
        one, *others = Copies(candidates(*ends), FailoverPolicy(**policy)).all
        late = [self.Late(clock) for _ in others]
        for other, future in zip(others, late, strict=True):
            other._asked = future
        assert one.copies.answered(one) == []
        assert [future.waited for future in late] == [[seconds], [0]]
        assert one.copies.answered(one) == []
        assert [future.waited for future in late] == [[seconds, 0], [0, 0]]

    @pytest.mark.parametrize(
        "err", [StorageError("down", kind=ErrorKind.UNAVAILABLE), RuntimeError("a bug")]
    )
    def test_who_fails_has_not_answered(self, err: Exception) -> None:
        class Failing(object_store.Hook):
            def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
                raise err

        good, plain, failing = named("a"), named("b"), named("c", Failing)
        head = write(good)
        one, *_ = Copies(
            [*candidates(named("p"), failing, good, plain), unopened("u", "down")], FailoverPolicy()
        ).all
        answered = one.copies.answered(one)
        assert [(c.candidate.endpoint, h) for c, h in answered] == [(good, head), (plain, None)]
        assert [c.candidate.endpoint for c, _ in one.copies.heads_beside(one)] == [good]


class TestAnObjectThatIsNotKnown:
    def test_where_a_run_has_looked_it_is_a_finding(self) -> None:
        end = named("r")
        put(end, "a")
        (copy,) = copies_of(end)
        assert copy.reference("a").findings == ()  # without a ledger
        write(end, looks=(look(end, SOURCE + "part/", "part/"),))
        (copy,) = copies_of(end)
        assert copy.reference("a").findings == ()
        (finding,) = copy.reference("part/a").findings
        assert finding == f"{end.below('part/a').location} is not known to its ledger"

    def test_what_is_said_of_the_ledger_is_said_with_every_object(self) -> None:
        first = named("first")
        source = named("source")
        ends = [*candidates(first), unopened(str(source.location), "down")]
        write(first, proven(first, "a", source), looks=(look(first, source),))
        (copy, _) = Copies(ends, FailoverPolicy()).all
        (finding,) = copy.reference("a").findings
        assert "taken for the live primary" in finding

    def test_a_copy_that_left_it_out_says_so_once_it_was_asked(self) -> None:
        end, damaged = named("r"), named("x")
        entry = proven(end, "a", SOURCE)
        write(
            end,
            behind(entry, proven=False, outcome=Outcome.RESERVED),
            proven(end, "b", SOURCE),
            behind(proven(end, "c", SOURCE), proven=False),
        )
        lost = segments.write(damaged, [entry])
        write(damaged, segments=(lost,))
        damaged.store.delete_object(damaged.ref(segment_key(lost[0].sha256)))
        copy, plain, broken = copies_of(end, named("plain"), damaged)
        assert not copy.left_out("a")
        for one in (copy, plain, broken):
            one.judged()
        assert copy.left_out("a")
        assert not any(copy.left_out(name) for name in "bcd")
        assert not plain.left_out("a")
        assert not broken.left_out("a")


class TestKnownElsewhere:
    def test_it_is_what_the_others_that_answer_say(self) -> None:
        one, other, third = named("a"), named("b"), named("c")
        entry = proven(other, "x", SOURCE)
        write(other, entry)
        damage(third)
        copy = Copies([*candidates(one, third, other), unopened("u", "down")], FailoverPolicy()).all
        assert [known.entry for known in copy[0].known_elsewhere("x")] == [entry]
        assert [known.entry for known in copy[0].known_elsewhere("y")] == [None]

    @pytest.mark.parametrize(
        ("kind", "times"), [(ErrorKind.TIMEOUT, 1), (ErrorKind.UNAVAILABLE, 2)]
    )
    def test_who_takes_too_long_is_asked_once_and_who_fails_again(
        self, monkeypatch: pytest.MonkeyPatch, kind: ErrorKind, times: int
    ) -> None:
        asked: list[str] = []

        def within(_limit: timedelta, work: Any, *, parameter: str) -> Any:
            assert parameter == "attempt_timeout"
            asked.append("")
            raise StorageError("no", kind=kind)

        monkeypatch.setattr(copies_module, "within", within)
        one, _ = Copies(candidates(named("a"), named("b")), FailoverPolicy()).all
        assert list(one.known_elsewhere("x")) == list(one.known_elsewhere("x")) == []
        assert len(asked) == times

    def test_one_that_takes_too_long_hides_no_other(self) -> None:
        one, hanging, good = (named(bucket) for bucket in "abc")
        entry = proven(good, "x", SOURCE)
        write(good, entry)
        copy, silent, _ = Copies(candidates(one, hanging, good), FailoverPolicy()).all

        def too_long(name: str) -> Reference:
            raise StorageError(f"{name} took longer", kind=ErrorKind.TIMEOUT)

        silent.reference = too_long  # type: ignore[method-assign]
        for _ in range(2):
            assert [known.entry for known in copy.known_elsewhere("x")] == [entry]


class TestDisputes:
    """Two ledgers have different digests of one version of one object at the source."""

    LIE = digests_of(b"a lie")

    def disputed(self, *ends: Endpoint) -> str | None:
        one = copies_of(*ends)[0]
        return one.disputed("x", one.reference("x"))

    def replica(self, bucket: str, digests: Digests | None = None, **facts: Any) -> Endpoint:
        end = named(bucket)
        write(end, proven(end, "x", SOURCE, **(facts | ({"digests": digests} if digests else {}))))
        return end

    def test_all_agree(self) -> None:
        assert self.disputed(self.replica("a"), self.replica("b"), self.replica("c")) is None

    def test_one_against_one_is_a_finding_and_two_refuse(self) -> None:
        honest, *liars = self.replica("a"), self.replica("b", self.LIE), self.replica("c", self.LIE)
        found = self.disputed(honest, liars[0])
        assert found is not None
        assert found.startswith(
            f"the ledgers of {honest.location} and of {liars[0].location} have different digests "
            "of the same object 'data/x' of the source: "
        )
        with pytest.raises(StorageError, match="this one is not believed") as caught:
            self.disputed(honest, *liars)
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_two_ways_to_one_bucket_are_one_voice(self) -> None:
        honest, liar = self.replica("a"), self.replica("b", self.LIE)
        found = self.disputed(honest, liar, liar)
        assert found is not None
        assert "which can't be told" in found

    def test_a_bucket_does_not_speak_against_itself(self) -> None:
        """Another way to the very bucket is not a second voice beside an other one."""

        class One(object_store.Hook):
            store_name = "one"

        def way(**facts: Any) -> Endpoint:
            end = named("a", One)
            write(end, proven(end, "x", SOURCE, **facts))
            return end

        honest, again, liar = way(), way(digests=self.LIE), self.replica("b", self.LIE)
        assert self.disputed(honest, liar, again) is not None

    @pytest.mark.parametrize(
        "other", [{"etag": "2"}, {"version": "2"}, {"uri": "mem://source/data/y"}]
    )
    def test_what_is_not_the_same_version_is_no_dispute(self, other: dict[str, str]) -> None:
        honest, liar = self.replica("a"), named("b")
        entry = proven(liar, "x", SOURCE, digests=self.LIE)
        assert entry.proof is not None
        origin = changed(entry.proof.origin, **other)
        write(liar, changed(entry, proof=changed(entry.proof, origin=origin)))
        assert self.disputed(honest, liar) is None

    def test_nor_is_what_can_not_be_told_apart(self) -> None:
        """An ETag that is not known, no digest of a kind, no proof, or nothing at all."""
        honest, unknown = self.replica("a"), named("d")
        end = named("b")
        entry = proven(end, "x", SOURCE, digests=self.LIE)
        assert entry.proof is not None
        origin = changed(entry.proof.origin, etag="")
        write(end, changed(entry, proof=changed(entry.proof, origin=origin)))
        write(unknown)
        nothing = self.replica("c", Digests(crc32c=digests_of(b"?").crc32c))
        no_crc32c = self.replica("e", Digests(sha256="0" * 64, crc32c=None))
        assert self.disputed(end, honest) is None
        assert self.disputed(honest, unknown, named("plain")) is None
        assert self.disputed(nothing, no_crc32c) is None
        assert self.disputed(unknown, honest) is None

    def test_who_does_not_answer_says_nothing_and_is_not_asked_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[object] = []

        def broken(_limit: timedelta, work: Any, *, parameter: str) -> Entry | None:
            assert parameter == "attempt_timeout"
            asked.append(work)
            raise StorageError("no", kind=ErrorKind.INTEGRITY)

        honest, liar = self.replica("a"), self.replica("b", self.LIE)
        one, _ = copies_of(honest, liar)
        known: Reference = one.reference("x")
        monkeypatch.setattr(copies_module, "within", broken)
        assert one.disputed("x", known) is None
        assert one.disputed("x", known) is None
        assert len(asked) == 1


class TestOneThatCouldNotBeOpened:
    def test_why_not_is_raised_wherever_it_is_asked(self) -> None:
        (copy,) = Copies([unopened("u", "no connection")], FailoverPolicy()).all
        for ask in (
            lambda: copy.end,
            lambda: copy.ledger,
            copy.judged,
            lambda: copy.reference("a"),
        ):
            with pytest.raises(StorageError, match="no connection"):
                ask()
