"""What a ledger says of an object once a run is done with it."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.ledger.commits import Look, Selection
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin, Proof
from airflow_multicloud.core.replication.facts import (
    as_recorded,
    entry_of,
    entry_of_absent,
)
from airflow_multicloud.core.replication.items import Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import Digests
from tests.unit.ledger.made import at, look
from tests.unit.ledger.made import proof as a_proof

from .runs import SOURCE, a_run, an_item

if TYPE_CHECKING:
    from airflow_multicloud.core.replication.run import Run

KEY = "copy/a"
RUN = a_run(minutes=60, min_age=10)
ORIGIN = Origin(f"{SOURCE}a", "s-e", "source version", at(0))
SOUND = [Outcome.COPIED, Outcome.REPLACED, Outcome.VERIFIED, Outcome.UNVERIFIABLE]
UNSOUND = [Outcome.FAILED, Outcome.CONFLICT, Outcome.SOURCE_CHANGED, Outcome.RESERVED]
DONE = Replica(
    outcome=Outcome.COPIED,
    etag="e",
    version="v",
    confirmed="sha256",
    not_kept=("tags",),
    attributes="attributes",
    tags="tags",
    seen=at(1),
)
FAILED = Replica(outcome=Outcome.FAILED, kind=ErrorKind.TIMEOUT, reason="too late")


def proven(**changes: Any) -> Proof:
    """The object of the source as an earlier run has proven it."""
    return replace(a_proof(), origin=ORIGIN, run_id="earlier", **changes)


def behind(**changes: Any) -> Behind:
    found = Behind(Outcome.FAILED, "earlier", ORIGIN, 1, at(30), reason="no", since=at(20))
    return replace(found, **changes)


def recorded(
    state: Replica,
    before: Entry | None = None,
    *known: Look,
    run: Run = RUN,
) -> Entry:
    entry = entry_of(run, KEY, an_item("a", state), 0, before, known)
    assert entry is not None
    assert entry.key == KEY
    return entry


def proof_of(entry: Entry) -> Proof:
    assert entry.proof is not None
    return entry.proof


@pytest.mark.parametrize("before", [None, Entry(KEY, proven())])
def test_what_is_not_done_changes_nothing(before: Entry | None) -> None:
    assert entry_of(RUN, KEY, an_item("a", Replica()), 0, before, ()) is before


class TestProven:
    @pytest.mark.parametrize("outcome", SOUND)
    @pytest.mark.parametrize(
        "before", [None, Entry(KEY, proven(), behind()), Entry(KEY, None, behind())]
    )
    def test_it_is_a_fact_about_what_is_there_now(
        self, outcome: Outcome, before: Entry | None
    ) -> None:
        entry = recorded(replace(DONE, outcome=outcome), before)
        proof = proof_of(entry)
        assert entry == Entry(KEY, proof)
        assert proof == Proof(
            size=1,
            etag="e",
            digests=digests_of(b"1"),
            origin=ORIGIN,
            outcome=outcome,
            run_id="run",
            at=proof.at,
            as_of=at(50),
            version="v",
            confirmed="sha256",
            not_kept=("tags",),
            attributes="attributes",
            tags="tags",
            seen=at(1),
        )

    def test_an_etag_that_the_store_did_not_tell_is_none(self) -> None:
        assert proof_of(recorded(replace(DONE, etag=None))).etag == ""

    @pytest.mark.parametrize("name", ["crc32c", "md5", "sha256", "blake3"])
    def test_each_ledger_gets_what_its_own_store_said(self, name: str) -> None:
        said = Digests(crc32c="1", md5="2", sha256="3", blake3="4")
        read, other = (
            Digests(**{name: "read"}),
            Digests(**dict.fromkeys(dataclasses.asdict(said), "other")),
        )
        states = (replace(FAILED, digests=other), replace(DONE, etag="second", digests=said))
        item = replace(an_item("a", *states), digests=read)
        entry = entry_of(RUN, KEY, item, 1, None, ())
        assert entry is not None
        assert proof_of(entry).etag == "second"
        # What was read of the source goes before it.
        assert proof_of(entry).digests == dataclasses.replace(said, **{name: "read"})

    def test_what_is_unchanged_keeps_its_proof_and_gets_what_was_looked_at(self) -> None:
        before = Entry(KEY, proven(confirmed="md5"), behind(), gone=at(9))
        state = replace(DONE, outcome=Outcome.UNCHANGED, etag="another", confirmed="crc32c")
        assert recorded(state, before) == Entry(
            KEY,
            proven(
                confirmed="md5",
                not_kept=("tags",),
                attributes="attributes",
                tags="tags",
                seen=at(1),
            ),
        )

    @pytest.mark.parametrize("before", [None, Entry(KEY, None, behind())])
    def test_unchanged_is_a_new_proof_where_there_is_none(self, before: Entry | None) -> None:
        proof = proof_of(recorded(replace(DONE, outcome=Outcome.UNCHANGED), before))
        assert (proof.run_id, proof.outcome) == ("run", Outcome.UNCHANGED)


class TestRecordedBefore:
    """Another task or try of this run has recorded it: its word stands, with its time."""

    BEFORE = Entry(
        KEY, replace(proven(), run_id="run", outcome=Outcome.COPIED), behind(), gone=at(9)
    )

    def test_it_is_not_said_again(self) -> None:
        assert recorded(DONE, self.BEFORE) == Entry(KEY, self.BEFORE.proof)

    @pytest.mark.parametrize(
        ("state", "said"),
        [
            ({"etag": "another"}, {}),
            ({"outcome": Outcome.VERIFIED}, {}),
            ({}, {"run_id": "another"}),
            ({}, {"origin": replace(ORIGIN, etag="another")}),
            ({}, {"origin": replace(ORIGIN, version="another")}),
            ({"etag": ""}, {"etag": ""}),  # Which may be any object's.
        ],
    )
    def test_what_is_not_the_same_is_said_anew(
        self, state: dict[str, Any], said: dict[str, Any]
    ) -> None:
        before = replace(self.BEFORE, proof=replace(proof_of(self.BEFORE), **said))
        entry = recorded(replace(DONE, **state), before)
        assert entry == Entry(KEY, proof_of(entry))
        assert proof_of(entry).as_of == RUN.as_of
        assert proof_of(entry).at > at(60)

    def test_without_a_proof_there_is_nothing_to_keep(self) -> None:
        assert proof_of(recorded(DONE, Entry(KEY, None, behind(run_id="run")))).etag == "e"


class TestBehind:
    @pytest.mark.parametrize("outcome", UNSOUND)
    def test_the_last_proof_stays_and_it_is_said_what_is_missing(self, outcome: Outcome) -> None:
        entry = recorded(replace(FAILED, outcome=outcome), Entry(KEY, proven(), gone=at(9)))
        assert entry == Entry(
            KEY,
            proven(),
            Behind(
                outcome,
                "run",
                ORIGIN,
                1,
                at(50),
                ErrorKind.TIMEOUT,
                "too late",
                since=at(0),
            ),
        )

    def test_a_reason_is_one_line_of_limited_length(self) -> None:
        long = recorded(replace(FAILED, reason="a\n" + 600 * "x")).behind
        assert long is not None
        assert long.reason == "a\\n" + 497 * "x"
        none = recorded(replace(FAILED, reason=None)).behind
        assert none is not None
        assert none.reason is None

    @pytest.mark.parametrize(
        ("before", "since"),
        [
            (Entry(KEY, proven()), at(0)),
            (Entry(KEY, proven(), behind()), at(20)),
            (Entry(KEY, None, behind(since=None)), None),
            # With what another source has put there it was never up to date.
            (Entry(KEY, a_proof()), None),
            (Entry(KEY, proven(), behind(origin=Origin("mem://moved/a"))), None),
        ],
    )
    def test_since_when_is_what_was_known(self, before: Entry, since: datetime | None) -> None:
        found = recorded(FAILED, before, look("copy/", 90, source="mem://elsewhere/")).behind
        assert found is not None
        assert found.since == since

    @pytest.mark.parametrize(
        ("known", "since"),
        [
            ((), None),
            ((look("copy/", 5, source=SOURCE),), at(5)),
            ((look("copy/", 5, source=SOURCE), look("copy/", 7, source=SOURCE)), at(7)),
            ((look("", 5, source="mem://lab/"),), None),
            ((look("", 5, source="mem://"),), None),
            ((look("copy/a", 5, source=f"{SOURCE}a"),), at(5)),
            ((look("copy/b/", 5, source=f"{SOURCE}b/"),), None),
            ((look("copy/", 5, source="mem://moved/"),), None),
            ((look("copy/", 5, source=SOURCE, strangers=1),), None),
            ((replace(look("copy/", 5, source=SOURCE), displaced=1),), None),
            ((look("copy/", 5, source=SOURCE, selection=Selection(include=("a",))),), None),
        ],
    )
    def test_a_new_object_was_not_there_when_all_was_looked_at(
        self, known: tuple[Look, ...], since: datetime | None
    ) -> None:
        found = recorded(FAILED, None, *known).behind
        assert found is not None
        assert found.since == since


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({}, True),
        ({"origin": replace(ORIGIN, version="another", modified=None)}, True),
        ({"origin": replace(ORIGIN, uri=f"{SOURCE}b")}, False),
        ({"origin": replace(ORIGIN, etag="another")}, False),
        ({"size": 2}, False),
    ],
)
def test_a_proof_is_about_one_object_of_the_source(changes: dict[str, Any], about: bool) -> None:
    item, proof = an_item("a"), replace(proven(), **changes)
    assert proof.is_about(RUN.origin_of("a"), item.etag, item.size) is about


def test_what_was_recorded_is_told_as_it_was() -> None:
    state = replace(DONE, digests=digests_of(b"1"))
    assert as_recorded(Replica(), proof_of(recorded(state))) == state


class TestAbsent:
    """What the source does not have."""

    def said(
        self,
        before: Entry,
        *,
        there: bool = True,
        deleted: bool = False,
        run: Run = RUN,
    ) -> Entry:
        return entry_of_absent(run, "a", before, there=there, deleted=deleted)

    def test_what_was_deleted_is_removed_whoever_wrote_it(self) -> None:
        for origin in (ORIGIN, Origin("file:a")):
            before = Entry(KEY, proven(), behind())
            before = replace(before, proof=replace(proof_of(before), origin=origin))
            assert self.said(before, deleted=True) == Entry(KEY, removed=True)

    @pytest.mark.parametrize("there", [True, False])
    def test_what_is_of_another_source_stays(self, there: bool) -> None:
        other = Origin("mem://other/a")
        for before in (
            Entry(KEY, replace(proven(), origin=other)),
            Entry(KEY, None, behind(origin=other)),
            Entry(KEY),
        ):
            assert self.said(before, there=there) == before

    @pytest.mark.parametrize("there", [True, False])
    def test_what_another_source_could_not_put_in_its_place_is_still_to_come(
        self, there: bool
    ) -> None:
        theirs = behind(origin=Origin("mem://other/a"))
        before = Entry(KEY, proven(), theirs)
        assert self.said(before, there=there) == Entry(KEY, None, theirs)
        other = a_run(minutes=60, min_age=10, selection=Selection(include=("b",)))
        assert self.said(before, there=there, run=other) == before

    @pytest.mark.parametrize(("include", "gone"), [("a", at(50)), ("b", None)])
    def test_only_what_the_run_looks_at_is_gone(self, include: str, gone: datetime | None) -> None:
        run = a_run(minutes=60, min_age=10, selection=Selection(include=(include,)))
        assert self.said(Entry(KEY, proven()), run=run) == Entry(KEY, proven(), gone=gone)

    def test_what_never_arrived_is_forgotten(self) -> None:
        for there in (True, False):
            before = Entry(KEY, None, behind())
            assert self.said(before, there=there) == Entry(KEY, removed=True)

    @pytest.mark.parametrize("there", [True, False])
    def test_what_is_gone_is_not_behind_any_more(self, there: bool) -> None:
        before = Entry(KEY, proven(), behind())
        assert self.said(before, there=there) == Entry(KEY, proven(), gone=at(50))

    def test_it_is_gone_since_that_was_seen_first(self) -> None:
        before = Entry(KEY, proven(), gone=at(9))
        assert self.said(before) == before

    def test_what_is_gone_at_both_ends_is_forgotten(self) -> None:
        before = Entry(KEY, proven(), gone=at(9))
        assert self.said(before, there=False) == Entry(KEY, removed=True)
