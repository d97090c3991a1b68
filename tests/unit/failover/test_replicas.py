"""A replica is judged by its ledger, the live primary by its listing and its store."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from airflow_multicloud.core.failover import copies as copies_module
from airflow_multicloud.core.failover.fetch import fetch
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.failover.provenance import FailoverError, TreeProvenance
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.core.ledger import reading, writing
from airflow_multicloud.core.ledger.base import base_of
from airflow_multicloud.core.ledger.commits import Identity, Step
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.state import Draft
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.options import ObjectFilter, ReplicationOptions
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.failover.ledgers import behind
from tests.unit.failover.stores import (
    Changed,
    candidates,
    files_below,
    named,
    put,
    replicas,
    unopened,
)
from tests.unit.replication.memory import Bare, endpoint, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectBody, ObjectMeta


def run(source: Endpoint, *to: Endpoint, **options: Any) -> None:
    replicate(Replication(source, to, ReplicationOptions(**options)))


def without_versions(end: Endpoint) -> Endpoint:
    return replace(end, store=Bare(end.location.conn_id or ""))


def record(end: Endpoint, *entries: Entry, step: Step = Step.PROGRESS) -> None:
    """A commit by another run."""
    draft = Draft(
        identity=Identity("other", "other"),
        step=step,
        prefix=end.location.key,
        source=None,
        started=datetime.now(UTC),
    )
    base = base_of(end)
    writing.commit(end, draft, lambda: entries, base=base, known=base.entry)


def entry_of(end: Endpoint, name: str) -> Entry:
    head = reading.newest(end)
    found = head.entry(end.key_of(name)) if head else None
    assert found is not None
    return found


class TestTheLivePrimary:
    """After a failback it has a ledger as well, which is not asked what its objects must be."""

    def pair(self) -> tuple[Endpoint, Endpoint]:
        primary, replica = named("p"), named("r")
        fill(primary, {"a": b"1", "b": b"b"})
        run(primary, replica)
        run(replica, primary)  # the failback
        fill(primary, {"a": b"2-newer", "c": b"new"})
        return primary, replica

    def test_its_newer_objects_are_served(self, tmp_path: Path) -> None:
        primary, replica = self.pair()
        served = fetch_tree(candidates(primary, replica), FileTarget(tmp_path))
        assert files_below(tmp_path) == {"a": b"2-newer", "b": b"b", "c": b"new"}
        assert (served.failed_over, served.findings) == (False, ())
        one = fetch(
            candidates(primary.below("a"), replica.below("a")), FileTarget(tmp_path / "one")
        )
        assert (one.failed_over, one.verified_by) == (False, "store")

    def test_the_other_direction(self, tmp_path: Path) -> None:
        """The former replica is the primary, if it is given first."""
        primary, replica = self.pair()
        put(replica, "a", b"3-promoted")
        fetch_tree(candidates(replica, primary), FileTarget(tmp_path))
        assert files_below(tmp_path)["a"] == b"3-promoted"

    def test_its_ledger_may_be_damaged(self, tmp_path: Path) -> None:
        primary, replica = self.pair()
        for meta in list(primary.store.list_objects("p", ".airflow-multicloud/ledger/commits/")):
            primary.store.put_object(ObjectRef("p", meta.key), b"{")
        served = fetch_tree(candidates(primary, replica), FileTarget(tmp_path))
        assert (served.failed_over, files_below(tmp_path)["a"]) == (False, b"2-newer")

    def test_with_its_replica_down_it_still_serves_and_says_so(self, tmp_path: Path) -> None:
        primary, replica = self.pair()
        gone = unopened(str(replica.location), "x", ErrorKind.UNAVAILABLE)
        served = fetch_tree([*candidates(primary), gone], FileTarget(tmp_path))
        assert files_below(tmp_path)["a"] == b"2-newer"
        assert "taken for the live primary" in served.findings[0]

    def test_alone_it_is_what_its_ledger_says_unless_told_otherwise(self, tmp_path: Path) -> None:
        primary, _ = self.pair()
        fetch_tree(candidates(primary), FileTarget(tmp_path / "1"))
        assert files_below(tmp_path / "1") == {"a": b"1", "b": b"b"}
        policy = FailoverPolicy(live_primary=True)
        fetch_tree(candidates(primary), FileTarget(tmp_path / "2"), policy)
        assert files_below(tmp_path / "2") == {"a": b"2-newer", "b": b"b", "c": b"new"}

    @pytest.mark.parametrize("whole", [True, False])
    def test_a_replica_that_is_given_first_is_no_primary(
        self, tmp_path: Path, *, whole: bool
    ) -> None:
        source, one, two = named("p"), named("r1"), named("r2")
        put(source, "a", b"good")
        run(source, one, two)
        evil = without_versions(one)
        put(evil, "a", b"evil")
        if whole:
            served: Any = fetch_tree(candidates(evil, two), FileTarget(tmp_path))
        else:
            ends = evil.below("a"), two.below("a")
            served = fetch(candidates(*ends), FileTarget(tmp_path / "a"))
        assert files_below(tmp_path) == {"a": b"good"}
        assert served.attempts[0].kind is ErrorKind.INTEGRITY

    def test_an_upload_makes_no_replica(self, tmp_path: Path) -> None:
        """Nor does a ledger of another prefix."""
        primary = named("p")
        put(primary, "a", b"1")
        run(primary, replace(primary, location=primary.location.with_key("elsewhere/")))
        put(primary, "a", b"2")
        fetch_tree(candidates(primary), FileTarget(tmp_path))
        assert files_below(tmp_path) == {"a": b"2"}


class TestFilteredRuns:
    """What a run left out is still known."""

    def test_names_are_all_that_the_ledger_knows(self, tmp_path: Path) -> None:
        source, replica = endpoint(), endpoint()
        fill(source, {"a.csv": b"a", "b.parquet": b"b", "c.parquet": b"c"})
        run(source, replica)
        run(source, replica, filter=ObjectFilter(include=("*.csv",)))
        fetch_tree(replicas(replica), FileTarget(tmp_path))
        assert files_below(tmp_path) == {"a.csv": b"a", "b.parquet": b"b", "c.parquet": b"c"}

    def test_what_is_too_young_keeps_its_last_copy_and_age(self, tmp_path: Path) -> None:
        class Steady(Changed):
            def said(self, meta: ObjectMeta) -> ObjectMeta:
                long_ago = datetime(2020, 1, 1, tzinfo=UTC)
                return replace(meta, last_modified=long_ago) if "steady" in meta.key else meta

        source, replica = endpoint(hook=Steady), endpoint()
        fill(source, {"steady": b"s", "hot": b"1"})
        run(source, replica)
        put(source, "hot", b"2")
        written = datetime.now(UTC)
        run(source, replica, filter=ObjectFilter(min_age=timedelta(hours=1)))
        served = fetch_tree(replicas(replica), FileTarget(tmp_path))
        assert files_below(tmp_path) == {"steady": b"s", "hot": b"1"}
        assert served.as_of is not None
        assert served.as_of < written

    def test_the_oldest_part_is_named(self, tmp_path: Path) -> None:
        source, replica = endpoint(), endpoint()
        fill(source, {"a.csv": b"a", "b.parquet": b"b"})
        run(source, replica, filter=ObjectFilter(include=("*.parquet",)))
        first = reading.newest(replica)
        assert first is not None
        run(source, replica, filter=ObjectFilter(include=("*.csv",)))
        served = fetch_tree(replicas(replica), FileTarget(tmp_path))
        assert served.as_of == first.commit.looks[0].as_of
        assert served.oldest == "include=*.parquet below data/"

    def test_a_selection_is_named_and_parts_of_a_prefix_have_no_age(self, tmp_path: Path) -> None:
        source, replica = named("p"), named("r")
        fill(source, {"a": b"1", "b.csv": b"2", "x/c": b"3"})
        run(source, replica, filter=ObjectFilter(include=("*.csv",)))
        served = fetch_tree(replicas(replica), FileTarget(tmp_path / "one"))
        assert served.as_of is not None
        assert (
            f"{replica.location}: no run has looked at all of it; what its ledger knows are parts: "
            "data/ (include=*.csv)"
        ) in served.findings
        part = named("q")
        run(source.below("x/"), part.below("x/"))
        served = fetch_tree(replicas(part), FileTarget(tmp_path / "two"))
        assert (served.as_of, served.oldest) == (None, "all objects below data/x/")
        assert any(found.endswith("are parts: data/x/") for found in served.findings)

    def test_one_object_replicated_once_does_not_hide_what_came_later(self, tmp_path: Path) -> None:
        source, replica = endpoint(), endpoint()
        fill(source, {"a": b"1", "b": b"b"})
        run(source.below("a"), replica.below("a"))
        put(source, "a", b"2")
        run(source, replica)
        served = fetch(replicas(replica.below("a")), FileTarget(tmp_path / "a"))
        assert (files_below(tmp_path), served.verified_by) == ({"a": b"2"}, "ledger")

    def test_a_source_that_moved(self, tmp_path: Path) -> None:
        old, new, replica = named("old"), named("new"), named("r")
        put(old, "a", b"1")
        run(old, replica)
        put(new, "a", b"2")
        run(new, replica)
        fetch_tree(replicas(replica), FileTarget(tmp_path))
        assert files_below(tmp_path) == {"a": b"2"}


class TestChangedObjects:
    """What was written since is not what was proven."""

    def made(self) -> Endpoint:
        source, replica = endpoint(), endpoint()
        fill(source, {"a": b"proven", "b": b"b"})
        run(source, replica)
        return replica

    @pytest.mark.parametrize("evil", [b"evil!!", b"another size"])
    @pytest.mark.parametrize("whole", [True, False])
    def test_the_proven_version_is_served(
        self, tmp_path: Path, evil: bytes, *, whole: bool
    ) -> None:
        replica = self.made()
        put(replica, "a", evil)
        if whole:
            served: Any = fetch_tree(replicas(replica), FileTarget(tmp_path))
        else:
            served = fetch(replicas(replica.below("a")), FileTarget(tmp_path / "a"))
        assert files_below(tmp_path)["a"] == b"proven"
        assert "was changed since it was proven at" in served.findings[0]

    def test_so_it_is_where_the_object_was_deleted(self, tmp_path: Path) -> None:
        replica = self.made()
        replica.store.delete_object(replica.ref("data/a"))
        served = fetch_tree(replicas(replica), FileTarget(tmp_path))
        assert files_below(tmp_path)["a"] == b"proven"
        assert "was deleted since it was proven at" in served.findings[0]

    @pytest.mark.parametrize("evil", [b"evil!!", b"another size"])
    def test_without_versions_another_candidate_serves(self, tmp_path: Path, evil: bytes) -> None:
        source, bad, good = endpoint(), endpoint(), endpoint()
        put(source, "a", b"proven")
        run(source, bad, good)
        bad = without_versions(bad)
        put(bad, "a", evil)
        served = fetch_tree(replicas(bad, good), FileTarget(tmp_path))
        assert files_below(tmp_path) == {"a": b"proven"}
        assert served.served == {str(good.location): 1}
        assert served.attempts[-1].kind is ErrorKind.INTEGRITY

    def test_a_version_that_is_gone_is_none(self, tmp_path: Path) -> None:
        replica = self.made()
        proof = entry_of(replica, "a").proof
        assert proof is not None
        put(replica, "a", b"evil!!")
        replica.store.delete_object(replica.ref("data/a", proof.version))
        with pytest.raises(FailoverError) as caught:
            fetch(replicas(replica.below("a")), FileTarget(tmp_path / "a"))
        assert caught.value.attempts[-1].kind is ErrorKind.INTEGRITY
        assert files_below(tmp_path) == {}

    def test_a_version_that_may_not_be_read_is_none(self, tmp_path: Path) -> None:
        class Current(object_store.Hook):
            def get_object(
                self,
                ref: ObjectRef,
                *,
                start: int = 0,
                end: int | None = None,
                if_etag: str | None = None,
            ) -> ObjectBody:
                if ref.version is not None:
                    raise StorageError("versions: no", kind=ErrorKind.PERMISSION_DENIED)
                return super().get_object(ref, start=start, end=end, if_etag=if_etag)

        replica = self.made()
        put(replica, "a", b"evil!!")
        current = replace(replica, store=Current(replica.location.conn_id or ""))
        with pytest.raises(FailoverError) as caught:
            fetch(replicas(current.below("a")), FileTarget(tmp_path / "a"))
        assert caught.value.attempts[-1].kind is ErrorKind.INTEGRITY

    @pytest.mark.parametrize("told", [True, False], ids=["by the store", "by reading"])
    def test_the_same_content_written_again_is_served(self, tmp_path: Path, *, told: bool) -> None:
        replica = self.made()
        put(replica, "a", b"proven")
        end = replica if told else without_versions(replica)
        served = fetch(replicas(end.below("a")), FileTarget(tmp_path / "a"))
        assert (files_below(tmp_path), served.findings) == ({"a": b"proven"}, ())

    def test_of_what_has_no_digest_a_change_is_refused(self, tmp_path: Path) -> None:
        replica = without_versions(self.made())
        entry = entry_of(replica, "a")
        assert entry.proof is not None
        weak = replace(entry.proof.digests, md5=None, sha256=None)
        record(replica, changed(entry, proof=changed(entry.proof, digests=weak)), step=Step.END)
        put(replica, "a", b"evil!!")
        with pytest.raises(FailoverError, match="knows no digest to tell its content by"):
            fetch(replicas(replica.below("a")), FileTarget(tmp_path / "a"))


class TestWhatTheLedgerSays:
    def behind(self, replica: Endpoint, name: str, *, proven: bool = True) -> None:
        entry = entry_of(replica, name)
        record(replica, behind(entry, proven=proven, at=datetime.now(UTC)), step=Step.END)

    def made(self) -> Endpoint:
        source, replica = endpoint(), endpoint()
        fill(source, {"a": b"a", "b": b"b"})
        run(source, replica)
        return replica

    def test_an_object_that_is_behind_is_served_with_its_own_age(self, tmp_path: Path) -> None:
        replica = self.made()
        proof = entry_of(replica, "a").proof
        assert proof is not None
        self.behind(replica, "a")
        served = fetch(replicas(replica.below("a")), FileTarget(tmp_path / "a"))
        assert served.as_of == proof.as_of
        assert "whose copy failed (failed in run later: no room)" in served.findings[0]
        whole = fetch_tree(replicas(replica), FileTarget(tmp_path / "t"))
        assert (whole.as_of, whole.findings) == (proof.as_of, served.findings)

    def test_and_is_stale_by_that_age(self, tmp_path: Path) -> None:
        replica = self.made()
        self.behind(replica, "a")
        time.sleep(0.2)
        policy = FailoverPolicy(max_staleness=timedelta(seconds=0.1))
        with pytest.raises(FailoverError, match="is stale: as of") as caught:
            fetch(replicas(replica.below("a")), FileTarget(tmp_path / "a"), policy)
        assert caught.value.attempts[-1].kind is ErrorKind.PRECONDITION_FAILED

    def test_what_never_arrived_is_not_served(self, tmp_path: Path) -> None:
        replica = self.made()
        self.behind(replica, "a", proven=False)
        with pytest.raises(FailoverError, match=r"was not replicated \(failed in run") as caught:
            fetch(replicas(replica.below("a")), FileTarget(tmp_path / "a"))
        assert caught.value.attempts[-1].kind is ErrorKind.PRECONDITION_FAILED

    def test_an_unknown_age_is_stale(self, tmp_path: Path) -> None:
        replica = self.made()
        self.behind(replica, "a")
        entry = entry_of(replica, "a")
        assert entry.behind is not None
        record(replica, changed(entry, behind=changed(entry.behind, since=None)), step=Step.END)
        ends = replicas(replica.below("a"))
        served = fetch(ends, FileTarget(tmp_path / "a"))
        assert (served.as_of, served.age_seconds) == (None, None)
        whole = fetch_tree(replicas(replica), FileTarget(tmp_path / "t"))
        assert (whole.as_of, whole.oldest) == (None, "a")
        policy = FailoverPolicy(max_staleness=timedelta(days=1000))
        with pytest.raises(FailoverError, match="not known to have been up to date ever"):
            fetch(ends, FileTarget(tmp_path / "b"), policy)

    def test_what_the_source_has_no_more_is_no_name_and_served_when_asked_for(
        self, tmp_path: Path
    ) -> None:
        source, replica = endpoint(), endpoint()
        fill(source, {"a": b"a", "b": b"b"})
        run(source, replica)
        source.store.delete_object(source.ref("data/a"))
        run(source, replica)
        policy = FailoverPolicy(list_unknown=True)
        served = fetch_tree(replicas(replica), FileTarget(tmp_path / "t"), policy)
        assert files_below(tmp_path / "t") == {"b": b"b"}
        assert (served.unknown, served.unknown_names) == (1, ("a",))
        one = fetch(replicas(replica.below("a")), FileTarget(tmp_path / "a"))
        assert "was not at the source any more" in one.findings[0]
        gone = entry_of(replica, "a").gone
        assert gone is not None
        assert one.as_of is not None
        assert one.as_of <= gone

    def test_what_lies_there_besides(self, tmp_path: Path) -> None:
        replica = self.made()
        put(replica, "planted", b"x")
        served = fetch_tree(replicas(replica), FileTarget(tmp_path / "t"))
        assert (files_below(tmp_path / "t"), served.unknown) == ({"a": b"a", "b": b"b"}, None)
        policy = FailoverPolicy(list_unknown=True)
        served = fetch_tree(replicas(replica), FileTarget(tmp_path / "t"), policy)
        assert (served.unknown, served.unknown_names) == (1, ("planted",))
        one = fetch(replicas(replica.below("planted")), FileTarget(tmp_path / "x"))
        assert "is not known to its ledger" in one.findings[0]
        assert one.verified_by == "store"

    def test_a_listing_has_no_unknown_names(self, tmp_path: Path) -> None:
        primary = endpoint()
        put(primary, "a", b"a")
        policy = FailoverPolicy(list_unknown=True)
        assert fetch_tree(candidates(primary), FileTarget(tmp_path), policy).unknown is None


class TestDuringARun:
    """Judged by before or after, never by a mixture."""

    def half_way(self) -> tuple[Endpoint, Entry]:
        """A run has written an object, and has not said so yet."""
        source, replica = endpoint(), endpoint()
        put(source, "a", b"before")
        run(source, replica)
        record(replica)
        put(source, "a", b"after!")
        there = endpoint()
        run(source, there)
        after = entry_of(there, "a")
        assert after.proof is not None
        meta = replica.store.put_object(replica.ref("data/a"), b"after!")
        proof = changed(after.proof, etag=meta.etag, version=meta.version)
        return replica, changed(after, proof=proof)

    def test_where_versions_are_kept_it_is_as_before(self, tmp_path: Path) -> None:
        replica, _ = self.half_way()
        fetch(replicas(replica.below("a")), FileTarget(tmp_path / "a"))
        assert files_below(tmp_path) == {"a": b"before"}

    def test_what_the_run_says_meanwhile_counts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(copies_module, "AGAIN", 0.05)
        monkeypatch.setattr("airflow_multicloud.core.failover.ledgers.AGAIN", 0.01)
        replica, after = self.half_way()
        said = threading.Timer(0.3, record, (replica, after))
        said.start()
        end = without_versions(replica)
        served = fetch(replicas(end.below("a")), FileTarget(tmp_path / "a"))
        said.join()
        assert files_below(tmp_path) == {"a": b"after!"}
        assert (served.verified_by, served.findings) == ("ledger", ())

    def test_it_is_not_waited_for_long(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(copies_module, "AGAIN", 0.05)
        monkeypatch.setattr(copies_module, "_PATIENCE", timedelta(seconds=0.3))
        replica, _ = self.half_way()
        end = without_versions(replica)
        started = time.monotonic()
        with pytest.raises(FailoverError) as caught:
            fetch(replicas(end.below("a")), FileTarget(tmp_path / "a"))
        assert 0.3 <= time.monotonic() - started < 5
        assert caught.value.attempts[-1].kind is ErrorKind.INTEGRITY

    def test_nor_is_a_run_that_is_silent(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(copies_module, "_ALIVE", timedelta(0))
        replica, _ = self.half_way()
        end = without_versions(replica)
        started = time.monotonic()
        with pytest.raises(FailoverError):
            fetch(replicas(end.below("a")), FileTarget(tmp_path / "a"))
        assert time.monotonic() - started < 0.9

    def test_a_commit_between_looking_up_and_reading(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No run is known to be under way when the entry is looked up."""
        monkeypatch.setattr("airflow_multicloud.core.failover.ledgers.AGAIN", 0.0)

        class Overtaken(object_store.Hook):
            before_reading: Any = None

            def get_object(
                self,
                ref: ObjectRef,
                *,
                start: int = 0,
                end: int | None = None,
                if_etag: str | None = None,
            ) -> ObjectBody:
                if ref.key == "data/a" and self.before_reading is not None:
                    first, self.before_reading = self.before_reading, None
                    first()
                return super().get_object(ref, start=start, end=end, if_etag=if_etag)

            list_versions = None  # type: ignore[assignment]

        source, replica = endpoint(), endpoint(hook=Overtaken)
        put(source, "a", b"before")
        run(source, replica)
        put(source, "a", b"after!")
        assert isinstance(replica.store, Overtaken)
        plain = replace(replica, store=object_store.Hook(replica.location.conn_id or ""))
        replica.store.before_reading = lambda: run(source, plain)
        served = fetch(replicas(replica.below("a")), FileTarget(tmp_path / "a"))
        assert files_below(tmp_path)["a"] in (b"before", b"after!")
        assert served.verified_by == "ledger"


def test_the_primary_dying_half_way_costs_nothing(tmp_path: Path) -> None:
    """Its names are known; each object is looked up in the replica's ledger."""

    class Dying(object_store.Hook):
        left = 3

        def get_object(
            self,
            ref: ObjectRef,
            *,
            start: int = 0,
            end: int | None = None,
            if_etag: str | None = None,
        ) -> ObjectBody:
            self.left -= 1
            if self.left < 0:
                raise StorageError("it is down", kind=ErrorKind.UNAVAILABLE)
            return super().get_object(ref, start=start, end=end, if_etag=if_etag)

        def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
            return super().list_objects(bucket, prefix)

    primary, replica = endpoint(hook=Dying), endpoint()
    objects = {f"{n:03}": str(n).encode() for n in range(40)}
    fill(primary, objects)
    honest = replace(primary, store=object_store.Hook(primary.location.conn_id or ""))
    run(honest, replica)
    served: TreeProvenance = fetch_tree(candidates(primary, replica), FileTarget(tmp_path))
    assert files_below(tmp_path) == objects
    assert served.served[str(replica.location)] >= 30
    assert served.verified_by["ledger"] == served.served[str(replica.location)]
