"""How far a replica lags behind, by what its ledger says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.core.ledger.commits import Selection, Step
from airflow_multicloud.core.ledger.entries import Behind, Entry, Origin
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.replication.freshness import Freshness, freshness, is_known
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.status import status
from tests.unit.ledger.made import at, commit, draft, entry, look

from .living import Clock
from .memory import endpoint, ledger

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint

HOUR = timedelta(hours=1)
FRESH = Freshness("mem://lab/", datetime.now(UTC), None, HOUR, 3, 3)
LATE = Behind(Outcome.FAILED, "late", Origin("mem://lab/a", modified=at(9)), 1, at(10), None, "no")


def looked(*found: Any, known: str = "a") -> Endpoint:
    end = endpoint("copy/")
    commit(end, [entry(f"copy/{name}") for name in known], this=draft(step=Step.UPLOAD))
    for number, one in enumerate(found):
        commit(end, [], this=draft(f"{number}", Step.END, prefix=one.prefix, found=one))
    return end


def below(end: Endpoint, key: str) -> Endpoint:
    return replace(end, location=end.location.with_key(key))


class TestWithin:
    def test_a_lag_up_to_the_objective_is_within_it(self) -> None:
        assert FRESH.within(HOUR)
        assert not FRESH.within(HOUR - timedelta(microseconds=1))

    @pytest.mark.parametrize(
        "changes",
        [
            {"lag": None},
            {"proven": 2},
            {"unknown": "why"},
            {"as_of": datetime(9999, 1, 1, tzinfo=UTC), "lag": -HOUR},
        ],
    )
    def test_what_is_not_known_or_not_complete_is_not(self, changes: dict[str, Any]) -> None:
        assert not replace(FRESH, **changes).within(timedelta(days=9999))

    def test_a_time_ahead_of_the_clock_is_a_finding(self) -> None:
        ahead = replace(FRESH, as_of=datetime.now(UTC) + HOUR)
        assert "ahead of this machine's clock" in (ahead.finding or "")
        assert FRESH.finding is None
        assert replace(FRESH, as_of=None, unknown="why").finding == "why"


class TestOfAPrefix:
    def test_it_is_made_of_all_looks(self) -> None:
        parts = [
            changed(look("copy/", 10, selection=Selection(include=("*.a",))), newest=at(3)),
            changed(look("copy/", 20, selection=Selection(exclude=("*.a",))), newest=at(5)),
            look("copy/", 30, selection=Selection(include=("*.c",))),
        ]
        end = looked(*parts)
        before = datetime.now(UTC)
        found = freshness(end)
        after = datetime.now(UTC)
        assert found.lag is not None
        assert before - at(10) <= found.lag <= after - at(10)
        assert replace(found, lag=None) == Freshness(
            replica=str(end.location),
            as_of=at(10),
            newest_source=at(5),
            lag=None,
            objects=30,
            proven=30,
            parts=3,
            oldest=f"{place_of(end)}copy/ (include=*.a), by run run-10",
        )

    def test_a_part_in_which_nothing_is_known_has_no_age(self) -> None:
        end = looked(look("copy/"))
        assert freshness(below(end, "copy/x/")).finding == "nothing is known to lie below it"
        assert freshness(below(end, "other/")).finding == "no replication to it has ended"
        assert freshness(below(end, "")).objects == 10

    def test_objects_alone_make_no_age(self) -> None:
        found = freshness(looked())
        assert (found.finding, found.objects) == ("no replication to it has ended", 0)


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("copy/", True),
        ("copy/x/", True),
        ("copy/x/y/", True),
        ("copy/a", True),
        ("", True),
        ("copy/z/", False),
        ("copy/b", False),
        ("other/", False),
    ],
)
def test_what_a_ledger_knows(key: str, known: bool) -> None:
    end = looked(look("copy/"), look("copy/x/y/"))
    assert is_known(below(end, key), ledger(end)) is known


class TestOfAnObject:
    def found(self, said: Entry, *looks: Any) -> Freshness:
        end = self.end = endpoint("copy/a")
        commit(end, [said])
        for number, one in enumerate(looks):
            commit(end, [], this=draft(f"{number}", Step.END, found=one))
        return freshness(end)

    def test_it_is_as_its_proof_or_a_later_look(self) -> None:
        found = self.found(entry("copy/a", minutes=5))
        assert (found.as_of, found.newest_source, found.unknown) == (at(5), at(5), None)
        assert (found.objects, found.proven, found.parts) == (1, 1, 1)
        assert found.oldest == f"{place_of(self.end)}copy/a, by run run"
        assert found.lag is not None
        assert found.lag > HOUR
        assert self.found(entry("copy/a"), look("copy/", 30)).as_of == at(30)

    def test_one_that_is_gone_is_as_of_when_that_was_seen(self) -> None:
        found = self.found(changed(entry("copy/a", minutes=5), gone=at(7)))
        assert (found.as_of, found.objects, found.proven) == (at(7), 0, 0)

    def test_one_that_is_behind_is_as_it_was_last(self) -> None:
        found = self.found(changed(entry("copy/a"), behind=changed(LATE, since=at(3))))
        assert (found.as_of, found.newest_source) == (at(3), at(9))
        assert (found.objects, found.proven) == (1, 0)
        assert found.oldest == f"{place_of(self.end)}copy/a, by run late"

    def test_one_that_never_arrived_says_why(self) -> None:
        found = self.found(Entry("copy/a", None, LATE))
        assert (found.as_of, found.lag, found.finding) == (None, None, "it never arrived: no")
        nothing = self.found(Entry("copy/a"))
        assert (nothing.finding, nothing.newest_source) == ("it never arrived: unknown", None)

    def test_one_that_no_digest_proves_is_not_proven(self) -> None:
        known = entry("copy/a")
        assert known.proof is not None
        odd = changed(known, proof=changed(known.proof, outcome=Outcome.UNVERIFIABLE))
        assert (self.found(odd).objects, self.found(odd).proven) == (1, 0)

    def test_one_that_is_not_known_has_no_age(self) -> None:
        assert self.found(entry("copy/b")).finding == "nothing is known of it"


class TestStatus:
    def test_its_parts_and_sources(self) -> None:
        one = look("copy/x/", 10, source="mem://z/x/", objects=4, behind=1, since=at(1))
        other = changed(look("copy/y/", 5, source="mem://b/y/", objects=2), left_out=1, proven=1)
        end = looked(one, changed(other, finished=at(300)), known="a")
        stands = status(end)
        assert stands.sources == ("mem://b/y/", "mem://z/x/")
        assert stands.run_id == "run-5"  # Which ended last.
        parts = [(part.place, part.objects, part.proven, part.behind) for part in stands.parts]
        copy = f"{place_of(end)}copy/"
        assert parts == [(f"{copy}x/", 4, 3, 1), (f"{copy}y/", 2, 1, 0)]
        assert [part.left_out for part in stands.parts] == [0, 1]
        assert [part.as_of for part in stands.parts] == [at(1), at(5)]
        assert [part.run_id for part in stands.parts] == ["run-10", "run-5"]
        assert [part.source for part in stands.parts] == ["mem://z/x/", "mem://b/y/"]
        assert stands.parts[1].finished == at(300)
        assert (stands.objects, stands.proven, stands.complete) == (5, 4, False)
        assert stands.findings[0] == "1 of 5 objects are not proven"
        assert "1 of 6 objects were not as the source had them" in stands.findings[1]

    def test_of_one_object_a_prefix_of_its_name_is_no_part(self) -> None:
        end = looked(look("copy/", 5), look("copy/a/", 7, source="mem://b/"))
        stands = status(below(end, "copy/a"))
        assert [part.place for part in stands.parts] == [f"{place_of(end)}copy/"]
        assert (stands.run_id, stands.as_of) == ("run-5", at(5))

    def test_a_clock_that_is_ahead(self) -> None:
        now = datetime.now(UTC)
        ahead = changed(look("copy/"), as_of=now + HOUR, started=now + HOUR, finished=now + HOUR)
        (said,) = status(looked(ahead), max_lag=timedelta(0)).findings
        assert said.startswith("its as_of is ")
        assert said.endswith("in the future: a clock is ahead, and the lag means nothing")

    def test_a_lag_that_is_allowed_is_no_finding(self) -> None:
        end = looked(look("copy/"))
        lag = status(end).lag
        assert lag is not None
        assert status(end).findings == ()
        assert status(end, max_lag=lag + HOUR).findings == ()
        (said,) = status(end, max_lag=lag - HOUR).findings
        assert said.startswith("the lag of ")

    def test_a_lag_may_be_as_long_as_is_allowed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        end = looked(look("copy/"))
        clock = Clock()
        clock.tick(3600)
        monkeypatch.setattr("airflow_multicloud.core.replication.freshness.datetime", clock)
        assert status(end, max_lag=HOUR).findings == ()
        (said,) = status(end, max_lag=HOUR - timedelta(seconds=1)).findings
        assert said.startswith("the lag of 1 h is more than ")

    def test_what_killed_runs_left_is_counted(self) -> None:
        end = looked(look("copy/"))
        end.store.begin_upload(end.ref("copy/b"))  # type: ignore[attr-defined]
        (said,) = status(end).findings
        assert said == "1 upload of runs that are under way, or were killed"
        end.store.begin_upload(end.ref("copy/c"))  # type: ignore[attr-defined]
        (said,) = status(end).findings
        assert said == "2 uploads of runs that are under way, or were killed"
