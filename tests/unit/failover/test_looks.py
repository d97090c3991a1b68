"""How old a fetch says that its objects are, where sources moved or were replicated in parts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.ledger.commits import Selection
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import ReplicationOptions
from airflow_multicloud.core.replication.request import Replication
from tests.unit.failover.ledgers import behind, look, proven, write
from tests.unit.failover.stores import files_below, named, put, replicas
from tests.unit.ledger import made
from tests.unit.ledger.made import at

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.failover.provenance import TreeProvenance
    from airflow_multicloud.core.ledger.commits import Look

OLD, NEW = "mem://old/data/", "mem://new/data/"


@pytest.fixture
def replica() -> Endpoint:
    return named("replica")


@pytest.fixture
def to(tmp_path: Path) -> FileTarget:
    return FileTarget(tmp_path)


def tree(end: Endpoint, to: FileTarget) -> TreeProvenance:
    return fetch_tree(replicas(end), to)


def ages(end: Endpoint, to: FileTarget, *names: str) -> list[datetime | None]:
    """As of when each of these objects is, fetched alone."""
    return [fetch(replicas(end.below(n)), FileTarget(to.path / "one")).as_of for n in names]


def parts(served: TreeProvenance) -> str | None:
    """Which parts are said to be all that is known."""
    found = [f for f in served.findings if "no run has looked at all of it" in f]
    return found[0].partition(" what its ledger knows are parts: ")[2] if found else None


class TestASourceThatMoved:
    """With the objects ``a`` and, of the old source only, ``b``."""

    def moved(self, replica: Endpoint, **options: Any) -> tuple[Look, Look]:
        """The looks of the run before, and of the one after it."""
        old, new = named("old"), named("new")
        put(old, "a", b"1")
        put(old, "b", b"b")
        replicate(Replication(old, (replica,)))
        (first,) = looks(replica)
        put(new, "a", b"2")
        replicate(Replication(new, (replica,), ReplicationOptions(**options)))
        last = next(one for one in looks(replica) if one.source == new.place)
        assert last.as_of > first.as_of
        return first, last

    def test_what_only_the_old_one_had_is_as_old_as_its_last_look(
        self, replica: Endpoint, to: FileTarget
    ) -> None:
        first, last = self.moved(replica)
        served = tree(replica, to)
        assert files_below(to.path) == {"a": b"2", "b": b"b"}
        assert (served.as_of, served.findings) == (first.as_of, ())
        assert ages(replica, to, "a", "b") == [last.as_of, first.as_of]

    def test_once_that_is_deleted_all_is_as_new_as_the_new_one(
        self, replica: Endpoint, to: FileTarget
    ) -> None:
        _, last = self.moved(replica, delete_extraneous=True, max_delete=1)
        served = tree(replica, to)
        assert files_below(to.path) == {"a": b"2"}
        assert (served.as_of, served.findings) == (last.as_of, ())

    def test_a_look_at_the_new_one_says_nothing_of_the_old_ones_objects(
        self, replica: Endpoint, to: FileTarget
    ) -> None:
        write(
            replica,
            proven(replica, "a", NEW + "a"),
            proven(replica, "b", OLD + "b"),
            looks=(look(replica, NEW, minutes=60),),
        )
        assert ages(replica, to, "a", "b") == [at(60), at(0)]
        served = tree(replica, to)
        assert (served.as_of, served.oldest) == (at(0), "b")


def looks(end: Endpoint) -> tuple[Look, ...]:
    head = reading.newest(end)
    assert head is not None
    return head.commit.looks


class TestNestedLooks:
    def test_a_newer_look_at_a_part_does_not_make_the_rest_newer(
        self, replica: Endpoint, to: FileTarget
    ) -> None:
        write(
            replica,
            proven(replica, "part/a", OLD + "part/a"),
            proven(replica, "b", OLD + "b"),
            looks=(look(replica, OLD), look(replica, OLD + "part/", "part/", minutes=60)),
        )
        served = tree(replica, to)
        assert (served.as_of, parts(served)) == (at(0), None)
        assert served.oldest == "all objects below data/"
        assert ages(replica, to, "part/a", "b") == [at(60), at(0)]
        of_the_part = tree(replica.below("part/"), to)
        assert (of_the_part.as_of, parts(of_the_part)) == (at(60), None)

    def test_a_look_at_more_counts_for_what_lies_in_it(
        self, replica: Endpoint, to: FileTarget
    ) -> None:
        write(
            replica,
            proven(replica, "part/a", OLD + "part/a"),
            looks=(look(replica, OLD, minutes=60), look(replica, OLD + "part/", "part/")),
        )
        served = tree(replica.below("part/"), to)
        assert (served.as_of, parts(served)) == (at(60), None)
        assert ages(replica, to, "part/a") == [at(60)]

    def test_the_whole_bucket_is_named_as_such(self, replica: Endpoint, to: FileTarget) -> None:
        whole = made.look("", source="mem://old/")
        write(replica, proven(replica, "a", OLD + "a"), looks=(whole,))
        assert tree(replica, to).oldest == "all objects below the bucket"

    def test_an_oldest_part_that_is_behind_makes_the_age_unknown(
        self, replica: Endpoint, to: FileTarget
    ) -> None:
        write(
            replica,
            behind(proven(replica, "part/a", OLD + "part/a"), since=None),
            proven(replica, "b", OLD + "b"),
            looks=(
                look(replica, OLD),
                look(replica, OLD + "part/", "part/", minutes=60, behind=1),
            ),
        )
        served = tree(replica, to)
        assert (served.as_of, served.oldest) == (None, "all objects below data/part/")

    def test_a_part_of_another_source_is_as_old_as_its_own_look(
        self, replica: Endpoint, to: FileTarget
    ) -> None:
        """It is unknown to who looks at all."""
        write(
            replica,
            proven(replica, "part/a", NEW + "a"),
            proven(replica, "b", OLD + "b"),
            looks=(
                look(replica, OLD, minutes=60, strangers=1),
                look(replica, NEW, "part/", minutes=0),
            ),
        )
        served = tree(replica, to)
        assert (served.as_of, served.oldest) == (at(0), "all objects below data/part/")
        assert ages(replica, to, "part/a", "b") == [at(0), at(60)]

    def test_it_is_stale_by_that_age(self, replica: Endpoint, to: FileTarget) -> None:
        """The objects of the part that is fresh are served."""
        now = (datetime.now(UTC) - at(0)) / timedelta(minutes=1)
        write(
            replica,
            proven(replica, "part/a", OLD + "part/a"),
            proven(replica, "b", OLD + "b"),
            looks=(look(replica, OLD), look(replica, OLD + "part/", "part/", minutes=now)),
        )
        policy = FailoverPolicy(max_staleness=timedelta(hours=1))
        fetch(replicas(replica.below("part/a")), FileTarget(to.path / "a"), policy)
        with pytest.raises(FailoverError, match="is stale: as of 2026-01-01T12:00:00"):
            fetch(replicas(replica.below("b")), FileTarget(to.path / "b"), policy)


class TestPartsOnly:
    """No run has ever looked at all of it."""

    def served(self, replica: Endpoint, to: FileTarget, *looked: str) -> TreeProvenance:
        found = tuple(look(replica, OLD + part, part) for part in looked)
        write(replica, proven(replica, "p1/a", OLD + "p1/a"), looks=found)
        return tree(replica, to)

    @pytest.mark.parametrize("number", [1, 5])
    def test_they_are_named(self, replica: Endpoint, to: FileTarget, number: int) -> None:
        names = [f"p{n}/" for n in range(1, number + 1)]
        served = self.served(replica, to, *names)
        assert parts(served) == ", ".join(f"data/{name}" for name in names)
        assert served.findings[0].startswith(f"{replica.location}: ")

    def test_of_more_than_five_the_first_are(self, replica: Endpoint, to: FileTarget) -> None:
        served = self.served(replica, to, *(f"p{n}/" for n in range(1, 7)))
        assert parts(served) == "data/p1/, data/p2/, data/p3/, data/p4/, data/p5/, …"

    def test_so_are_single_objects(self, replica: Endpoint, to: FileTarget) -> None:
        assert parts(self.served(replica, to)) == "single objects"

    def test_a_selection_of_all_of_it_is_named(self, replica: Endpoint, to: FileTarget) -> None:
        some = look(replica, OLD, selection=Selection(include=("*/a",)))
        write(replica, proven(replica, "p1/a", OLD + "p1/a"), looks=(some,))
        served = tree(replica, to)
        assert parts(served) == "data/ (include=*/a)"
        assert served.oldest == "include=*/a below data/"

    def test_what_is_listed_has_no_parts(self, replica: Endpoint, to: FileTarget) -> None:
        put(replica, "a")
        assert tree(replica, to).findings == ()
