"""What a fetch of a prefix adds up, and how much of it is named."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.failover.ages import Age, Ages
from airflow_multicloud.core.failover.copies import Copies
from airflow_multicloud.core.failover.names import Names
from airflow_multicloud.core.failover.naming import Naming
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import Attempt, IncompleteFetchError, Provenance
from airflow_multicloud.core.failover.tally import Tally
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.ledger.looks import freshness
from airflow_multicloud.errors import ErrorKind, StorageError
from tests.unit.failover.stores import candidates, named, put
from tests.unit.ledger.made import NOON, look

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.looks import Freshness

TARGET = FileTarget(Path("/target"))
PRIMARY = "mem://primary/"


@pytest.fixture
def names() -> Iterator[Names]:
    with closing(Names()) as found:
        yield found


@pytest.fixture
def end() -> Endpoint:
    return named("r")


def tally(
    end: Endpoint, names: Names, freshness: Freshness | None = None, failed: int = 0
) -> Tally:
    (copy,) = Copies(candidates(end), FailoverPolicy()).all
    return Tally(TARGET, Naming(names, copy, freshness), attempts(failed), Ages(NOON))


def attempts(number: int) -> list[Attempt]:
    return [Attempt(f"mem://{n}/", "memory", 1, ErrorKind.BUSY, "busy") for n in range(number)]


def served(by: str = PRIMARY, **facts: Any) -> Provenance:
    known = {"size": 1, "verified_by": "store", "as_of": NOON, "attempts": ()} | facts
    return Provenance(
        served_by=by,
        cloud="memory",
        target="t",
        sha256="0" * 64,
        age_seconds=0,
        failed_over=False,
        **known,
    )


def error(kind: ErrorKind = ErrorKind.INVALID_ARGUMENT, why: str = "too long") -> StorageError:
    return StorageError(why, kind=kind)


class TestSums:
    def test_by_who_served_and_who_vouched(self, end: Endpoint, names: Names) -> None:
        counts = tally(end, names)
        counts.add("a", served(size=3, not_kept=("tags", "metadata:x")), TARGET)
        counts.add("b", served("mem://r/", size=4, verified_by=None, not_kept=("tags",)), TARGET)
        counts.add("c", served("mem://r/", size=5), TARGET)
        found = counts.provenance(PRIMARY)
        assert (found.objects, found.size, counts.objects) == (3, 12, 3)
        assert found.served == {PRIMARY: 1, "mem://r/": 2}
        assert found.verified_by == {"store": 2, "nothing": 1}
        assert found.not_kept == {"tags": 2, "metadata:x": 1}
        assert found.failed_over
        assert (found.target, found.unknown, found.unknown_names) == ("/target", None, ())

    @pytest.mark.parametrize(("by", "over"), [(PRIMARY, False), ("mem://r/", True)])
    def test_it_is_a_failover_unless_the_primary_served_all(
        self, end: Endpoint, names: Names, by: str, *, over: bool
    ) -> None:
        counts = tally(end, names)
        counts.add("a", served(by), TARGET)
        assert counts.provenance(PRIMARY).failed_over is over

    def test_it_is_as_old_as_its_oldest_part(self, end: Endpoint, names: Names) -> None:
        known = freshness([look(end.location.key)], end.location.key)
        for as_of, oldest in (
            (NOON - timedelta(1), "a"),
            (NOON, "all objects below data/"),
            (NOON + timedelta(1), "all objects below data/"),
        ):
            counts = tally(end, names, known)
            counts.add("a", served(as_of=as_of), TARGET)
            found = counts.provenance(PRIMARY)
            assert (found.as_of, found.oldest) == (min(as_of, NOON), oldest)


class TestNames:
    """All are counted, the first twenty named."""

    def test_of_those_left_out(self, end: Endpoint, names: Names) -> None:
        counts = tally(end, names)
        for number in range(25, 0, -1):
            counts.add_left_out(f"{number:02}")
        with pytest.raises(StorageError, match="all 25 objects have keys that are kept") as caught:
            counts.provenance(PRIMARY)
        assert caught.value.kind is ErrorKind.NOT_FOUND
        counts.add("a", served(), TARGET)
        found = counts.provenance(PRIMARY)
        assert found.left_out == 25
        assert found.left_out_names == tuple(f"{number:02}" for number in range(6, 26))

    def test_of_those_under_another_path(self, end: Endpoint, names: Names) -> None:
        counts = tally(end, names)
        for number in range(21):
            place = FileTarget(Path(f"/target/{number}"), encoded=number != 0)
            counts.add(f"{number}", served(), place)
        found = counts.provenance(PRIMARY)
        assert (found.encoded, len(found.encoded_names)) == (20, 20)
        assert found.encoded_names["1"] == "/target/1"

    def test_of_failed_attempts(self, end: Endpoint, names: Names) -> None:
        counts = tally(end, names, failed=3)
        one, *_ = attempts(1)
        fine = replace(one, kind=None)
        for number in range(10):
            counts.add(f"{number}", served(attempts=(one, one, fine)), TARGET)
        found = counts.provenance(PRIMARY)
        assert found.failed_attempts == 23
        assert found.attempts == (*attempts(3), *[one] * 17)

    def test_of_findings(self, end: Endpoint, names: Names) -> None:
        """Each is told once."""
        counts = tally(end, names)
        for number in range(15):
            findings = ("the same", f"a {number}", f"b {number}")
            counts.add(f"{number}", served(findings=findings), TARGET)
        found = counts.provenance(PRIMARY).findings
        assert found[:5] == ("the same", "a 0", "b 0", "a 1", "b 1")
        assert len(found) == 20

    def test_of_what_lies_there_besides(self, end: Endpoint, names: Names) -> None:
        for number in range(25):
            put(end, f"{number:02}")
        names.add(["00", "24"])
        for known, unknown in ((freshness([], "data/"), 23), (None, None)):
            counts = tally(end, names, known)
            counts.add("00", served(), TARGET)
            counts.add_unknown()
            found = counts.provenance(PRIMARY)
            assert found.unknown == unknown
            assert found.unknown_names == (
                tuple(f"{n:02}" for n in range(1, 21)) if unknown else ()
            )


class TestLosses:
    def lost(self, counts: Tally) -> IncompleteFetchError:
        with pytest.raises(IncompleteFetchError) as caught:
            counts.provenance(PRIMARY)
        return caught.value

    def test_they_are_counted_and_named(self, end: Endpoint, names: Names) -> None:
        counts = tally(end, names)
        for number in range(21):
            counts.add_unfit(f"u{number}", error(why=f"u{number} is too long"))
        for number in range(20):
            counts.add_failed(f"f{number:02}", error(why="no"), ())
        err = self.lost(counts)
        told = str(err)
        assert told.startswith(
            "41 of 41 objects were not fetched to /target; 21 can't be put there: u0 is too long; "
        )
        assert "; u19 is too long and 1 more; 20 were not served by any candidate: 'f00', " in told
        assert told.endswith("'f19'")
        assert err.provenance is None

    def test_what_was_fetched_is_told_as_well(self, end: Endpoint, names: Names) -> None:
        counts = tally(end, names)
        counts.add("a", served(), TARGET)
        counts.add_unfit("b", error())
        err = self.lost(counts)
        assert str(err) == (
            "1 of 2 objects were not fetched to /target, all others are in place; 1 can't be put "
            "there: too long"
        )
        assert err.provenance is not None
        assert err.provenance.unfit_names == {"b": "too long"}

    def test_attempts_of_lost_objects_come_with_the_error(
        self, end: Endpoint, names: Names
    ) -> None:
        counts = tally(end, names, failed=2)
        counts.add("a", served(), TARGET)
        for number in range(4):
            counts.add_failed(f"{number}", error(), attempts(7))
        err = self.lost(counts)
        assert len(err.attempts) == 20
        assert err.provenance is not None
        assert err.provenance.failed_attempts == 30
        assert len(err.provenance.attempts) == 20
        assert err.provenance.failed == 4

    @pytest.mark.parametrize(
        ("kinds", "kind"),
        [
            ([ErrorKind.BUSY, ErrorKind.QUOTA, ErrorKind.TIMEOUT], ErrorKind.BUSY),
            ([ErrorKind.QUOTA, ErrorKind.BUSY, ErrorKind.INTEGRITY], ErrorKind.BUSY),
            ([ErrorKind.QUOTA, ErrorKind.INTEGRITY], ErrorKind.INTEGRITY),
        ],
    )
    def test_the_kind_is_one_that_a_retry_may_mend(
        self, end: Endpoint, names: Names, kinds: list[ErrorKind], kind: ErrorKind
    ) -> None:
        one, other = tally(end, names), tally(end, names)
        for number, found in enumerate(kinds):
            one.add_unfit(f"{number}", error(found))
            other.add_failed(f"{number}", error(found), ())
        assert self.lost(one).kind is self.lost(other).kind is kind


class TestAge:
    def test_the_oldest_part_counts_and_of_two_the_first(self) -> None:
        before = NOON - timedelta(1)
        age = Age().with_part(NOON, "a").with_part(before, "b").with_part(NOON, "c")
        assert age.with_part(before, "d") == age == Age(before, "b")

    @pytest.mark.parametrize("first", [True, False])
    def test_an_unknown_age_is_the_oldest(self, *, first: bool) -> None:
        parts = [(None, "u"), (NOON, "a")] if first else [(NOON, "a"), (None, "u"), (NOON, "b")]
        age = Age()
        for as_of, name in parts:
            age = age.with_part(as_of, name)
        assert age.with_part(None, "v") == age == Age(None, "u")

    def test_nothing_has_no_age(self) -> None:
        assert Age.of(None) == Age.of(freshness([], "")) == Age(None, None)

    def test_looks_name_what_they_were_at(self) -> None:
        assert Age.of(freshness([look("data/")], "data/")) == Age(NOON, "all objects below data/")
        assert Age.of(freshness([look("data/")], "")) == Age(None, "all objects below data/")
        assert Age.of(freshness([look("")], "data/")) == Age(NOON, "all objects below the bucket")
        unknown = look("data/", behind=1)
        assert Age.of(freshness([unknown], "")) == Age(None, "all objects below data/")
