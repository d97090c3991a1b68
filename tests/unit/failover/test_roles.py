"""Whether the first candidate is the live primary, as ledgers have it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.failover.copies import Copies
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.ledger import segments
from airflow_multicloud.core.ledger.names import commit_key
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.ledgers import behind, damage, look, proven, uri_of, write
from tests.unit.failover.stores import candidates, named, unopened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.failover.candidates import Candidate
    from airflow_multicloud.core.failover.judging import Judged
    from airflow_multicloud.core.ledger.entries import Entry
    from airflow_multicloud.ports.object_store import ObjectMeta


def judged(
    *ends: Endpoint | Candidate, policy: FailoverPolicy = FailoverPolicy(), index: int = 0
) -> Judged:
    """What a candidate is judged by: the first one, unless another is named."""
    found = candidates(*(end for end in ends if not hasattr(end, "refused")))
    found += [end for end in ends if hasattr(end, "refused")]
    return Copies(found, policy).all[index].judged()


def is_live(*ends: Endpoint | Candidate) -> bool:
    """Whether the first of them is the live primary, which nothing is to be said of."""
    found = judged(*ends)
    assert found.findings == ()
    assert (found.head is None) is found.live
    return found.live


@pytest.fixture
def first() -> Endpoint:
    return named("first")


@pytest.fixture
def other() -> Endpoint:
    return named("other")


class TestAlone:
    """By its own ledger."""

    def test_without_a_ledger(self, first: Endpoint) -> None:
        assert is_live(first)

    def test_a_replica_of_what_is_no_candidate(self, first: Endpoint, other: Endpoint) -> None:
        write(first, looks=(look(first, other),))
        assert not is_live(first)

    def test_a_replica_of_a_wider_prefix(self, first: Endpoint, other: Endpoint) -> None:
        write(first, looks=(look(first, other),))
        assert not is_live(first.below("part/"))
        assert not is_live(first.below("object"))

    def test_what_was_replicated_to_a_part_of_it_makes_no_replica(
        self, first: Endpoint, other: Endpoint
    ) -> None:
        """Nor do single objects, be they copies or uploads."""
        part = look(first, other, "part/")
        write(first, proven(first, "a", other), proven(first, "b", "file:b"), looks=(part,))
        assert is_live(first)
        assert not is_live(first.below("part/"))
        assert is_live(first.below("elsewhere/"))

    def test_one_object_is_a_replica_by_its_own_entry(
        self, first: Endpoint, other: Endpoint
    ) -> None:
        write(
            first,
            proven(first, "copied", other),
            behind(proven(first, "failed", other), proven=False),
            proven(first, "renamed", "mem://other/elsewhere/x"),
            proven(first, "uploaded", "file:uploaded"),
        )
        assert not is_live(first.below("copied"))
        assert not is_live(first.below("failed"))
        assert not is_live(first.below("renamed"))
        assert is_live(first.below("uploaded"))
        assert is_live(first.below("unknown"))


class TestWhatIsSaid:
    """By the caller."""

    def test_it_is_what_the_caller_says(self, first: Endpoint, other: Endpoint) -> None:
        write(first, looks=(look(first, other),))
        assert judged(first, policy=FailoverPolicy(live_primary=True)).live
        assert not judged(named("plain"), policy=FailoverPolicy(live_primary=False)).live

    @pytest.mark.parametrize("said", [True, False, None])
    def test_of_the_first_candidate_only(
        self, first: Endpoint, other: Endpoint, *, said: bool | None
    ) -> None:
        """Though no ledger says that the second is a replica."""
        policy = FailoverPolicy(live_primary=said)
        assert not judged(first, other, policy=policy, index=1).live


class TestAfterAFailback:
    """Its ledger says that it came from the other candidate."""

    @pytest.fixture(autouse=True)
    def _failback(self, first: Endpoint, other: Endpoint) -> None:
        write(first, looks=(look(first, other),))

    def test_it_is_live_if_the_other_is_its_replica(self, first: Endpoint, other: Endpoint) -> None:
        write(other, looks=(look(other, first),))
        assert is_live(first, other)

    def test_a_replica_of_parts_says_so_too(self, first: Endpoint, other: Endpoint) -> None:
        write(other, looks=(look(other, first, "part/"),))
        assert is_live(first, other)

    def test_so_do_single_objects(self, first: Endpoint, other: Endpoint) -> None:
        """Uploads say nothing, nor does what has another name there."""
        nothing = (
            proven(other, "a", "file:a"),
            proven(other, "b", "mem://first/data/another"),
        )
        write(other, *nothing)
        assert not is_live(first, other)
        write(other, *nothing, proven(other, "c", first))
        assert is_live(first, other)
        write(other, *nothing, proven(other, "c", "mem://third/data/c"), proven(other, "d", first))
        assert not is_live(first, other)  # the first that tells decides

    def test_so_does_the_object_itself(self, first: Endpoint, other: Endpoint) -> None:
        write(other, proven(other, "a", first), proven(other, "b", "mem://third/data/b"))
        assert is_live(first.below("a"), other.below("a"))
        assert not is_live(first.below("b"), other.below("b"))

    @pytest.mark.parametrize("wrong", ["mem://third/data/", "mem://first/data/part/"])
    def test_a_replica_of_something_else_says_nothing(
        self, first: Endpoint, other: Endpoint, wrong: str
    ) -> None:
        write(other, looks=(look(other, wrong),))
        assert not is_live(first, other)

    def test_what_is_looked_at_counts_before_what_is_proven(
        self, first: Endpoint, other: Endpoint
    ) -> None:
        write(other, proven(other, "a", first), looks=(look(other, "mem://third/data/"),))
        assert not is_live(first, other)

    def test_a_part_of_another_name_says_nothing(self, first: Endpoint, other: Endpoint) -> None:
        write(other, looks=(look(other, "mem://first/data/another/", "part/"),))
        assert not is_live(first, other)

    def test_a_replica_without_a_ledger_says_nothing(
        self, first: Endpoint, other: Endpoint
    ) -> None:
        assert not is_live(first, other)

    def test_another_prefix_of_that_bucket_says_nothing(
        self, first: Endpoint, other: Endpoint
    ) -> None:
        write(other, looks=(look(other, first),))
        elsewhere = replace(other, location=other.location.with_key("elsewhere/"))
        assert not is_live(first, elsewhere)

    def test_with_the_replica_down_it_is_taken_for_live(
        self, first: Endpoint, other: Endpoint
    ) -> None:
        down = unopened(str(other.location), "down")
        found = judged(first, down)
        assert found.live
        assert found.head is None
        (finding,) = found.findings
        assert finding.startswith(
            f"{first.location}: its ledger says that it was replicated from {uri_of(other)}, which"
        )

    def test_another_one_that_is_down_changes_nothing(
        self, first: Endpoint, other: Endpoint
    ) -> None:
        assert not is_live(first, other, unopened("mem://third/data/", "down"))
        assert not is_live(first, unopened("mem://third/data/", "down"))

    def test_a_replicas_ledger_that_is_damaged_is_one_that_can_not_be_asked(
        self, first: Endpoint, other: Endpoint
    ) -> None:
        damage(other)
        found = judged(first, other)
        assert found.live
        assert "can't be asked" in found.findings[0]

    def test_a_replicas_segments_that_are_damaged_say_nothing(
        self, first: Endpoint, other: Endpoint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(end: Endpoint, ref: object) -> Iterator[Entry]:
            raise StorageError("damaged", kind=ErrorKind.INTEGRITY)

        runs = (segments.write(other, [proven(other, "a", first)]),)
        write(other, segments=runs)
        assert is_live(first, other)
        monkeypatch.setattr(segments, "read", broken)
        assert not is_live(first, other)

    def test_two_ways_to_one_bucket_are_one(self, first: Endpoint) -> None:
        """What a ledger says of itself is no word of another's."""
        write(first, looks=(look(first, first),))
        assert not is_live(first, first)


class TestADamagedLedger:
    """Of the first candidate."""

    def test_is_its_failure(self, first: Endpoint, other: Endpoint) -> None:
        damage(first)
        with pytest.raises(CloudError) as caught:
            judged(first, other)
        assert caught.value.kind is ErrorKind.INTEGRITY

    def test_unless_another_one_names_it_as_its_source(
        self, first: Endpoint, other: Endpoint
    ) -> None:
        damage(first)
        write(other, looks=(look(other, first),))
        assert is_live(first, other)

    @pytest.mark.parametrize("kind", [ErrorKind.UNAVAILABLE, ErrorKind.UNSUPPORTED])
    def test_one_that_can_not_be_read_now_may_be_any(
        self, other: Endpoint, kind: ErrorKind
    ) -> None:
        """An outage is one, whatever others say; another release's ledger is as a damaged one."""

        class Down(object_store.Hook):
            def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
                raise StorageError("not now", kind=kind)

        first = named("first", Down)
        write(other, looks=(look(other, first),))
        if kind is ErrorKind.UNSUPPORTED:
            assert is_live(first, other)
            return
        with pytest.raises(CloudError, match="not now"):
            judged(first, other)

    def test_it_is_asked_only_once(self, first: Endpoint) -> None:
        """A ledger that is not believed stays so, for all objects."""
        damage(first)
        copy = Copies(candidates(first), FailoverPolicy()).all[0]
        with pytest.raises(CloudError) as caught:
            copy.judged()
        first.store.delete_object(first.ref(commit_key(1)))
        with pytest.raises(CloudError) as again:
            copy.reference("a")
        assert again.value is caught.value
