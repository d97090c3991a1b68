"""What a run's last commit says of all objects of its selection."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from airflow_multicloud.core.ledger.base import Base
from airflow_multicloud.core.ledger.commits import Commit, Look, Selection, Step
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin, Proof
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.replication.catalog import Listed
from airflow_multicloud.core.replication.coverage import Coverage
from airflow_multicloud.core.replication.items import Replica
from airflow_multicloud.core.replication.merkle import MerkleTree
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.ports.object_store import Digests
from tests.unit.ledger.made import NOON, at, look
from tests.unit.ledger.made import proof as a_proof

from .memory import endpoint
from .runs import SOURCE, a_run, an_item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_multicloud.core.replication.run import Run

RUN = a_run(minutes=60, min_age=10)


def covered(run: Run = RUN, known: Sequence[Look] = (), *, seen: Sequence[Look] = ()) -> Coverage:
    end = endpoint("copy/")
    commit = Commit("f", 1, 1, "mem://lab/", NOON, RUN.identity, Step.END, looks=tuple(known))
    return Coverage(run, end, Base(Head(end, commit, "0" * 64), 1), seen=seen)


def look_of(whole: Coverage) -> Look:
    found = whole.look()
    assert found is not None
    return found


def proven(name: str = "a", **changes: Any) -> Proof:
    origin = Origin(SOURCE + name, "s-e", modified=at(0))
    return replace(a_proof(), **{"origin": origin, **changes})


def entry(name: str = "a", **changes: Any) -> Entry:
    return Entry(f"copy/{name}", proven(name, **changes))


def behind(since: float | None = 5, name: str = "a", **changes: Any) -> Entry:
    origin = Origin(SOURCE + name, "new")
    when = None if since is None else at(since)
    late = Behind(Outcome.FAILED, "late", origin, 9, at(50), None, "no", when)
    return Entry(f"copy/{name}", proven(name), replace(late, **changes))


DONE = Replica(outcome=Outcome.COPIED)


class TestCount:
    def test_of_nothing(self) -> None:
        before = datetime.now(UTC)
        found = look_of(covered())
        assert before <= found.finished <= datetime.now(UTC)
        assert replace(found, finished=NOON) == Look(
            prefix="copy/",
            source=SOURCE,
            selection=Selection(),
            as_of=at(50),
            run_id="run",
            started=at(60),
            finished=NOON,
            objects=0,
            proven=0,
        )

    def test_of_a_single_object_there_is_no_look(self) -> None:
        whole = covered(a_run(source="mem://lab/data/a"))
        whole.count("", Entry("copy/a", proven()), an_item("", DONE), 0)
        assert whole.look() is None
        assert whole.root != MerkleTree().root()

    def test_objects_are_counted_by_what_became_of_them(self) -> None:
        whole = covered()
        whole.count("a", entry(), an_item("a", DONE, content=b"12", minutes=3), 0)
        whole.count("b", entry("b"), an_item("b", DONE, content=b"345", minutes=1), 0)
        reserved = Replica(outcome=Outcome.RESERVED)
        whole.count("c", behind(None, "c"), an_item("c", reserved), 0)
        odd = Replica(outcome=Outcome.UNVERIFIABLE)
        whole.count("d", entry("d"), an_item("d", odd), 0)
        whole.count("e", behind(7, "e"), an_item("e", Replica(outcome=Outcome.FAILED)), 0)
        found = look_of(whole)
        assert (found.objects, found.bytes, found.newest) == (5, 8, at(3))
        assert (found.proven, found.left_out, found.behind) == (2, 1, 1)
        assert (found.since, found.strangers) == (at(7), 0)

    def test_each_destination_is_counted_by_itself(self) -> None:
        whole = covered()
        failed = Replica(outcome=Outcome.FAILED)
        whole.count("a", entry(), an_item("a", failed, DONE), 1)
        assert (look_of(whole).proven, look_of(whole).behind) == (1, 0)

    @pytest.mark.parametrize(
        ("since", "oldest"),
        [((5, 7), 5), ((7, 5), 5), ((5, None), None), ((None, 5), None), ((None,), None)],
    )
    def test_the_oldest_that_is_behind_counts(
        self, since: Sequence[float | None], oldest: float | None
    ) -> None:
        whole = covered()
        for number, moment in enumerate(since):
            item = an_item(f"{number}", Replica(outcome=Outcome.FAILED))
            whole.count(f"{number}", behind(moment, f"{number}"), item, 0)
        found = look_of(whole)
        assert found.behind == len(since)
        assert found.since == (None if oldest is None else at(oldest))

    def test_the_root_is_over_what_is_proven_and_current(self) -> None:
        whole, tree = covered(), MerkleTree()
        whole.count("a", entry(), an_item("a", DONE), 0)
        whole.count("b", behind(5, "b"), an_item("b", Replica(outcome=Outcome.FAILED)), 0)
        whole.count("c", replace(entry("c"), gone=at(1)), None, 0)
        whole.count("d", None, an_item("d", DONE), 0)
        whole.count("e", entry("e"), None, 0)
        for name in "ae":
            tree.add(name, 1, proven().digests)
        assert whole.root == tree.root()

    def test_it_may_begin_again(self) -> None:
        """For another try of a commit."""
        whole = covered(known=[look("copy/", 40, source=SOURCE)])
        failed = Replica(outcome=Outcome.FAILED)
        whole.count("a", behind(), an_item("a", failed, minutes=3), 0)
        whole.count("b", behind(None, "b"), an_item("b", failed), 0)
        whole.count("c", entry("c", origin=Origin("mem://b/c")), None, 0)
        whole.pass_over("d", entry("d"), listed("d", etag="new"))
        assert look_of(whole).as_of == at(40)
        whole.begin()
        assert replace(look_of(whole), finished=NOON) == replace(look_of(covered()), finished=NOON)
        assert whole.root == covered().root


class TestStrangers:
    """Proven copies of another source, which this one does not have."""

    def strangers(self, known: Entry | None, run: Run = RUN) -> int:
        whole = covered(run)
        whole.count("a", known, None, 0)
        assert (look_of(whole).objects, look_of(whole).behind) == (0, 0)
        return look_of(whole).strangers

    def test_they_are_counted(self) -> None:
        assert self.strangers(entry(origin=Origin("mem://moved/a"))) == 1

    @pytest.mark.parametrize(
        "known",
        [
            None,
            entry(),
            entry(origin=Origin("file:a")),
            replace(entry(origin=Origin("mem://moved/a")), gone=at(1)),
            Entry("copy/a"),
        ],
    )
    def test_what_is_none(self, known: Entry | None) -> None:
        assert self.strangers(known) == 0

    def test_what_never_arrived_is_one(self) -> None:
        never = Behind(Outcome.FAILED, "late", Origin("mem://moved/a"), 9, at(50))
        assert self.strangers(Entry("copy/a", None, never)) == 1
        ours = replace(never, origin=Origin(SOURCE + "a"))
        assert self.strangers(Entry("copy/a", None, ours)) == 0
        assert self.strangers(Entry("copy/a", None, replace(never, outcome=Outcome.RESERVED))) == 0

    def test_the_looks_at_their_source_stay(self) -> None:
        old, other = (look("copy/", 1, source=f"mem://{name}/") for name in ("old", "other"))
        whole = covered(seen=[old, other])
        whole.count("a", entry(origin=Origin("mem://old/a")), None, 0)
        assert (whole.stays(old), whole.stays(other)) == (True, False)
        whole.begin()
        assert not whole.stays(old)
        assert covered().stays(old)

    @pytest.mark.parametrize(("include", "count"), [("a", 1), ("b", 0)])
    def test_outside_of_the_selection_nobody_looked(self, include: str, count: int) -> None:
        run = a_run(selection=Selection(include=(include,)))
        assert self.strangers(entry(origin=Origin("mem://moved/a")), run) == count


def listed(name: str = "a", *, etag: str = "s-e", size: int = 1, minutes: float = 0) -> Listed:
    return Listed(name, size, etag, None, at(minutes), Digests())


class TestPassedOver:
    """Objects that the source has and that did not take part, by their size or age."""

    def as_of(self, known: Entry, there: Listed, run: Run = RUN, *looks: Look) -> datetime:
        whole = covered(run, looks or [look("copy/", 40, source=SOURCE)])
        whole.pass_over("a", known, there)
        return look_of(whole).as_of

    def test_the_same_as_was_proven_holds_nothing_back(self) -> None:
        assert self.as_of(entry(), listed()) == at(50)

    @pytest.mark.parametrize("there", [listed(etag="new"), listed(size=2)])
    def test_another_one_is_as_of_the_last_look(self, there: Listed) -> None:
        assert self.as_of(entry(), there) == at(40)
        assert self.as_of(entry(as_of=at(30)), there, RUN, look("other/", 49)) == at(30)
        assert self.as_of(entry(as_of=at(55)), there) == at(50)

    @pytest.mark.parametrize(
        ("selection", "held"),
        [
            (Selection(include=("a",)), True),
            (Selection(include=("b",)), False),
            (Selection(max_size=1), True),
            (Selection(min_size=2), False),
            (Selection(max_age=3600.0), True),
            (Selection(max_age=3599.0), False),
        ],
    )
    def test_what_was_never_looked_at_holds_nothing_back(
        self, selection: Selection, held: bool
    ) -> None:
        run = a_run(minutes=60, min_age=10, selection=selection)
        found = self.as_of(entry(), listed(etag="new"), run, look("other/"))
        assert found == (at(0) if held else at(50))

    @pytest.mark.parametrize(
        ("minutes", "include", "count"),
        [(51, "*", 1), (50, "*", 0), (49, "*", 0), (51, "b", 0)],
    )
    def test_what_is_behind_and_too_young_is_behind_still(
        self, minutes: float, include: str, count: int
    ) -> None:
        run = a_run(minutes=60, min_age=10, selection=Selection(include=(include,)))
        whole = covered(run)
        whole.pass_over("a", behind(5), listed(minutes=minutes))
        found = look_of(whole)
        assert (found.behind, found.as_of) == (count, at(50))
        assert found.since == (at(5) if count else None)

    def test_what_is_known_without_a_proof_holds_nothing_back(self) -> None:
        assert self.as_of(Entry("copy/a"), listed()) == at(50)


class TestPassedOverOfAnotherSource:
    """Since when the source has had what it has, where another source has put its own here."""

    PROOF = proven(origin=Origin("mem://moved/a", "s-e", modified=at(0)), size=9)
    BEHIND = Behind(Outcome.FAILED, "r", Origin("mem://moved/a"), 9, at(45), since=at(40))

    def look(self, known: Entry, there: Listed, selection: Selection = Selection()) -> Look:
        run = a_run(minutes=60, min_age=10, selection=selection)
        whole = covered(
            run, [look("copy/", 40, source=SOURCE), look("copy/", 45, source="mem://moved/")]
        )
        whole.pass_over("a", known, there)
        return look_of(whole)

    @pytest.mark.parametrize(
        "known",
        [
            Entry("copy/a", PROOF),
            Entry("copy/a", PROOF, gone=at(46)),
            Entry("copy/a", PROOF, BEHIND),
            Entry("copy/a", None, BEHIND),
            Entry("copy/a", proven(), BEHIND),
            behind(None, origin=Origin(SOURCE + "a")),
        ],
    )
    def test_nothing_tells(self, known: Entry) -> None:
        found = self.look(known, listed(minutes=51))
        assert (found.behind, found.since, found.holds, found.as_of) == (1, None, None, at(50))

    @pytest.mark.parametrize("known", [Entry("copy/a", PROOF), Entry("copy/a", PROOF, BEHIND)])
    @pytest.mark.parametrize(
        ("minutes", "selection", "count"),
        [
            (51, Selection(include=("a",)), 1),
            (51, Selection(max_size=5), 1),  # It tells nothing of the size of the source's.
            (51, Selection(include=("b",)), 0),
            (50, Selection(max_size=5), 0),  # The source's was too large by then.
        ],
    )
    def test_what_was_not_to_be_looked_at_is_not_missed(
        self, known: Entry, minutes: float, selection: Selection, count: int
    ) -> None:
        assert self.look(known, listed(minutes=minutes, size=6), selection).behind == count
