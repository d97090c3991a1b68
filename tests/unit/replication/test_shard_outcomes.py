"""What became of a sharded run's objects: ledgers and listings say so, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from airflow_multicloud.core.ledger.entries import Entry, Origin, Proof
from airflow_multicloud.core.replication import run_files
from airflow_multicloud.core.replication.catalog import Catalog
from airflow_multicloud.core.replication.items import Item, Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.shard_outcomes import settled_items
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import IfUnchanged
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.ledger.made import at
from tests.unit.ledger.made import proof as a_proof

from .memory import conn_of, endpoint
from .runs import SOURCE, a_run, an_item

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectRef

RUN = a_run(minutes=60)
PLAN = run_files.Plan(run_files.FORMAT, RUN.started, 2, "copy/", "0" * 32)
PROOF = replace(
    a_proof(), origin=Origin(f"{SOURCE}a", "s-e"), run_id="run", version="v", not_kept=("tags",)
)
THERE = Replica(prior=IfUnchanged("e"))
DOUBTED = replace(THERE, doubtful=True)
UNCHANGED = replace(THERE, outcome=Outcome.UNCHANGED, etag="e", confirmed="md5")
UNFINISHED = (
    Outcome.FAILED,
    ErrorKind.UNAVAILABLE,
    "the shard that has it did not finish, or none has it: clear the task of the shard, or the one "
    "that plans",
)


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    with Catalog() as opened:
        yield opened


@pytest.fixture
def home() -> Endpoint:
    return endpoint("copy/")


def settled(
    catalog: Catalog, home: Endpoint, *items: Item, young: list[str] | None = None
) -> dict[str, Item]:
    catalog.put_items(items)
    found = settled_items(catalog, home, RUN, PLAN, [] if young is None else young)
    return {item.name: item for item in found}


def one(catalog: Catalog, home: Endpoint, state: Replica, proof: Proof | None = None) -> Replica:
    """What becomes of one object at one destination; itself when nothing does."""
    if proof is not None:
        catalog.add_known(0, [("a", Entry("copy/a", proof))])
    found = settled(catalog, home, an_item("a", state))
    return found["a"].replicas[0] if found else state


def ended(state: Replica) -> tuple[Outcome | None, ErrorKind | None, str | None]:
    return state.outcome, state.kind, state.reason


class TestByLedger:
    @pytest.mark.parametrize("state", [THERE, DOUBTED, UNCHANGED])
    def test_what_this_run_has_recorded_is_its_outcome(
        self, catalog: Catalog, home: Endpoint, state: Replica
    ) -> None:
        after = one(catalog, home, state, PROOF)
        assert ended(after) == (Outcome.COPIED, None, None)
        assert (after.etag, after.version, after.confirmed) == ("e", "v", "sha256")
        assert (after.not_kept, after.digests) == (("tags",), PROOF.digests)

    def test_what_an_earlier_run_has_recorded_is_unchanged(
        self, catalog: Catalog, home: Endpoint
    ) -> None:
        before = replace(PROOF, run_id="earlier")
        assert one(catalog, home, UNCHANGED, before) == UNCHANGED
        assert one(catalog, home, UNCHANGED) == UNCHANGED
        assert ended(one(catalog, home, DOUBTED, before)) == (Outcome.COPIED, None, None)

    def test_what_no_digest_proves_is_not_proven(self, catalog: Catalog, home: Endpoint) -> None:
        proof = replace(PROOF, outcome=Outcome.UNVERIFIABLE, confirmed=None)
        assert ended(one(catalog, home, DOUBTED, proof)) == (
            Outcome.UNVERIFIABLE,
            None,
            "the store reports no digest of the object as a whole",
        )

    @pytest.mark.parametrize(
        "changes",
        [
            {"etag": "another"},
            {"size": 2},
            {"origin": Origin(f"{SOURCE}a", "another")},
            {"origin": Origin("mem://moved/a", "s-e")},
        ],
    )
    def test_what_is_not_there_as_recorded_is_not_believed(
        self, catalog: Catalog, home: Endpoint, changes: dict[str, Any]
    ) -> None:
        proof = replace(PROOF, **changes)
        assert ended(one(catalog, home, DOUBTED, proof)) == UNFINISHED
        assert one(catalog, home, UNCHANGED, proof) == UNCHANGED

    def test_an_empty_etag_is_no_objects(self, catalog: Catalog, home: Endpoint) -> None:
        state = replace(DOUBTED, prior=IfUnchanged(""))
        assert ended(one(catalog, home, state, replace(PROOF, etag=""))) == UNFINISHED

    def test_what_was_deleted_since_is_missing(self, catalog: Catalog, home: Endpoint) -> None:
        assert ended(one(catalog, home, Replica(), PROOF)) == UNFINISHED

    def test_what_was_decided_by_the_listings_stays(self, catalog: Catalog, home: Endpoint) -> None:
        state = THERE.failed(Outcome.CONFLICT, ErrorKind.ALREADY_EXISTS, "immutable")
        assert one(catalog, home, state, PROOF) == state

    def test_each_destination_has_a_ledger(self, catalog: Catalog, home: Endpoint) -> None:
        catalog.add_known(1, [("a", Entry("copy/a", PROOF))])
        item = settled(catalog, home, an_item("a", DOUBTED, DOUBTED))["a"]
        assert [state.outcome for state in item.replicas] == [Outcome.FAILED, Outcome.COPIED]


def told(home: Endpoint, *items: Item, shard: int = 0) -> None:
    """What a shard says of its objects that failed."""
    run_files.write_items(home, "run", run_files.done(run_files.shard(shard)), items)


class TestFailures:
    @pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.CONFLICT, Outcome.SOURCE_CHANGED])
    def test_the_shard_says_why(self, catalog: Catalog, home: Endpoint, outcome: Outcome) -> None:
        told(home, an_item("a", Replica().failed(outcome, ErrorKind.QUOTA, "why")))
        assert ended(one(catalog, home, Replica())) == (outcome, ErrorKind.QUOTA, "why")

    def test_any_shard_may_have_it(self, catalog: Catalog, home: Endpoint) -> None:
        told(home, an_item("b", Replica().failed(Outcome.FAILED, ErrorKind.QUOTA, "b")), shard=1)
        found = settled(catalog, home, an_item("a"), an_item("b"))
        assert ended(found["a"].replicas[0]) == UNFINISHED
        assert found["b"].replicas[0].reason == "b"

    def test_what_it_leaves_out_is_not_made_up(self, catalog: Catalog, home: Endpoint) -> None:
        told(home, an_item("a", Replica(outcome=Outcome.FAILED)))
        after = one(catalog, home, Replica())
        assert ended(after) == (Outcome.FAILED, ErrorKind.UNAVAILABLE, "")

    @pytest.mark.parametrize("outcome", [None, Outcome.COPIED, Outcome.RESERVED])
    def test_it_can_claim_no_success(
        self, catalog: Catalog, home: Endpoint, outcome: Outcome | None
    ) -> None:
        told(home, an_item("a", Replica(outcome=outcome)))
        assert ended(one(catalog, home, Replica())) == UNFINISHED

    def test_one_with_too_few_destinations_says_nothing(
        self, catalog: Catalog, home: Endpoint
    ) -> None:
        told(home, an_item("a", Replica().failed(Outcome.CONFLICT, ErrorKind.QUOTA, "first")))
        item = settled(catalog, home, an_item("a", Replica(), Replica()))["a"]
        assert item.replicas[0].reason == "first"
        assert ended(item.replicas[1]) == UNFINISHED

    @pytest.mark.parametrize("garbage", [b"?", b'{"lines":2}\n', b'{"lines":1}\n{}\n'])
    def test_one_that_can_not_be_read_costs_the_reasons_only(
        self,
        catalog: Catalog,
        home: Endpoint,
        garbage: bytes,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        key = run_files.directory("run") + run_files.done(run_files.shard(0))
        home.store.put_object(home.ref(key), garbage)
        told(home, an_item("b", Replica().failed(Outcome.FAILED, ErrorKind.QUOTA, "b")), shard=1)
        found = settled(catalog, home, an_item("a"), an_item("b"))
        assert ended(found["a"].replicas[0]) == UNFINISHED
        assert found["b"].replicas[0].reason == "b"
        assert "why objects failed is not known" in caplog.text

    def test_a_store_that_can_not_be_asked_ends_the_close(
        self, catalog: Catalog, home: Endpoint
    ) -> None:
        class Away(object_store.Hook):
            def get_object(self, ref: ObjectRef, **limits: Any) -> Any:
                raise StorageError("not today", kind=ErrorKind.TIMEOUT)

        away = type(home)(home.cloud, Away(conn_of(home)), home.location)
        with pytest.raises(StorageError, match="not today"):
            settled(catalog, away, an_item("a"))


class TestYoung:
    """Objects that were changed at the source after the plan."""

    def test_they_are_named_and_not_settled(self, catalog: Catalog, home: Endpoint) -> None:
        young: list[str] = []
        items = [an_item(f"{minutes}", minutes=minutes) for minutes in (59, 60, 61)]
        found = settled(catalog, home, *items, young=young)
        assert (young, list(found)) == (["61"], ["59", "60"])

    def test_those_that_are_settled_at_every_destination_are_not(
        self, catalog: Catalog, home: Endpoint
    ) -> None:
        for side in (0, 1):
            proof = replace(PROOF, origin=Origin(f"{SOURCE}a", "s-e", modified=at(90)))
            catalog.add_known(side, [("a", Entry("copy/a", proof))])
        young: list[str] = []
        there = an_item("a", DOUBTED, UNCHANGED, minutes=90)
        known = an_item("b", UNCHANGED, UNCHANGED, minutes=90)
        found = settled(catalog, home, there, known, young=young)
        assert (young, list(found)) == ([], ["a"])

    def test_one_destination_that_lacks_it_is_enough(
        self, catalog: Catalog, home: Endpoint
    ) -> None:
        young: list[str] = []
        items = [
            an_item("a", UNCHANGED, Replica(), minutes=90),
            an_item("b", Replica(), UNCHANGED, minutes=90),
        ]
        assert settled(catalog, home, *items, young=young) == {}
        assert young == ["a", "b"]

    def test_what_a_shard_could_not_copy_has_failed(self, catalog: Catalog, home: Endpoint) -> None:
        young: list[str] = []
        failed = Replica().failed(Outcome.SOURCE_CHANGED, ErrorKind.SOURCE_CHANGED, "changed")
        told(home, an_item("a", failed))
        found = settled(catalog, home, an_item("a", minutes=90), young=young)
        assert (young, found["a"].replicas[0].outcome) == ([], Outcome.SOURCE_CHANGED)
        # At one destination, while the other one does not know of it.
        told(home, an_item("a", failed, Replica(outcome=Outcome.COPIED)))
        found = settled(catalog, home, an_item("a", Replica(), Replica(), minutes=90), young=young)
        assert (young, found) == (["a"], {})
