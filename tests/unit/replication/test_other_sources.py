"""One source's replica, into which another source's objects are written, or from which deleted."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.core.ledger import commits, segments
from airflow_multicloud.core.ledger.names import segment_key
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.freshness import freshness
from airflow_multicloud.core.replication.options import ObjectFilter
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.core.replication.status import status
from airflow_multicloud.core.replication.verification import verify
from airflow_multicloud.core.upload import upload
from airflow_multicloud.testing.memory_cloud import object_store

from .memory import SMALL, World, conn_of, endpoint, fill, ledger, tree_of, world

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.ports.object_store import ObjectMeta, ObjectRef

TREE = {"a": b"1", "b": b"2", "x/c": b"3"}
HOUR = timedelta(hours=1)


@pytest.fixture
def lab() -> World:
    made = world(TREE)
    replicate(made.replication(), run_id="first")
    return made


@pytest.fixture
def there(lab: World) -> Endpoint:
    return lab.destinations[0]


def other(tree: Mapping[str, bytes]) -> Endpoint:
    """Another source."""
    made = endpoint()
    object_store.Hook(conn_of(made)).ensure_bucket("other")
    made = replace(made, location=replace(made.location, bucket="other"))
    fill(made, tree)
    return made


def at(end: Endpoint, name: str) -> Endpoint:
    return replace(end, location=end.location.with_key(end.location.key + name))


class TestReplaced:
    def by_one_object(self, there: Endpoint) -> None:
        replicate(Replication(at(other({"c": b"other"}), "c"), (at(there, "x/c"),), SMALL))

    def by_a_nested_prefix(self, there: Endpoint) -> None:
        replicate(Replication(other({"c": b"other"}), (at(there, "x/"),), SMALL))

    def by_a_selection(self, there: Endpoint) -> None:
        chosen = replace(SMALL, filter=ObjectFilter(include=("x/*",)))
        replicate(Replication(other({"x/c": b"other"}), (there,), chosen))

    def by_an_upload(self, there: Endpoint, tmp_path: Path) -> None:
        (tmp_path / "c").write_bytes(b"other")
        upload(tmp_path / "c", at(there, "x/c"))

    @pytest.mark.parametrize("how", ["one_object", "a_nested_prefix", "a_selection", "an_upload"])
    def test_an_object_of_another_source_is_not_the_replicas(
        self, lab: World, there: Endpoint, how: str, tmp_path: Path
    ) -> None:
        before = freshness(there)
        if how == "an_upload":
            self.by_an_upload(there, tmp_path)
        else:
            getattr(self, f"by_{how}")(there)
        assert tree_of(there) == {**TREE, "x/c": b"other"}
        found = freshness(there)
        looked = int(how in ("a_nested_prefix", "a_selection"))  # What the other one owes.
        assert (found.as_of, found.objects, found.proven) == (None, 3 + looked, 2 + looked)
        assert found.finding == (
            "at least 1 of 3 objects were deleted or replaced since, by a run of another source: "
            f"{there.place} (all objects), by run first"
        )
        assert not found.within(HOUR)
        stands = status(there, max_lag=HOUR)
        assert (stands.as_of, stands.complete) == (None, False)
        assert any(str(found.finding) in one for one in stands.findings)
        assert (verify(there).as_of, verify(there).age_unknown) == (None, found.finding)
        fetched = fetch_tree(
            [Candidate(str(there.location), there)], FileTarget(tmp_path / "fetched")
        )
        assert fetched.as_of is None
        assert any("at least 1 objects below copy/ were deleted" in f for f in fetched.findings)
        # What it still has is as old as before, and the next run brings the rest back.
        assert freshness(at(there, "a")).as_of == before.as_of
        replicate(lab.replication(), run_id="second")
        assert tree_of(there) == TREE
        found = freshness(there)
        assert (found.proven, found.within(HOUR), found.finding) == (3, True, None)

    def test_it_stays_so_while_the_source_is_passed_over(self, there: Endpoint, lab: World) -> None:
        """A run that leaves the object out, as it is too young, does not bring it back."""
        time.sleep(0.3)
        self.by_a_nested_prefix(there)
        fill(lab.source, {"x/c": b"newer"})
        chosen = replace(SMALL, filter=ObjectFilter(min_age=timedelta(milliseconds=250)))
        replicate(lab.replication(chosen), run_id="second")
        found = freshness(there)
        assert (found.as_of, "by run second" in str(found.finding)) == (None, True)

    def test_what_only_another_source_has_takes_nothing(self, there: Endpoint) -> None:
        replicate(Replication(other({"new": b"other"}), (at(there, "x/"),), SMALL))
        assert freshness(there).within(HOUR)


class Interrupted(object_store.Hook):
    """Does something else once an object was put."""

    def __init__(self, conn_id: str, key: str, action: object) -> None:
        super().__init__(conn_id)
        self.key, self.action = key, action

    def put_object(self, ref: ObjectRef, *rest, **more) -> ObjectMeta:  # type: ignore[no-untyped-def]
        made = super().put_object(ref, *rest, **more)
        action, self.action = self.action, self.action if ref.key != self.key else None
        if ref.key == self.key and callable(action):
            action()
        return made


DELETING = replace(SMALL, delete_extraneous=True, max_delete=100, concurrency=1)


def test_what_another_run_deletes_while_it_is_copied_is_not_recorded() -> None:
    lab = world(TREE)
    (there,) = lab.destinations
    theirs = Replication(other({"theirs": b"9"}), (there,), DELETING)
    store = Interrupted(conn_of(there), "copy/x/c", lambda: replicate(theirs, run_id="theirs"))
    replicate(lab.with_destination(store).replication(replace(SMALL, concurrency=1)))
    left = tree_of(there)
    assert "theirs" in left
    assert "a" not in left
    assert {one.key for one in ledger(there).entries()} == {f"copy/{name}" for name in left}
    (mine,) = [one for one in ledger(there).commit.looks if one.source == lab.source.place]
    assert mine.displaced
    report = verify(there)
    assert report.findings == {"verified": len(left)}
    replicate(lab.replication())
    assert freshness(at(there, "a")).within(HOUR)


def test_a_run_that_deletes_what_it_did_not_know_takes_it_from_the_ledger_too() -> None:
    """Another run has recorded the object after this one had read the ledger."""
    lab = world({"keep": b"1"})
    (there,) = lab.destinations
    ours = other({"a": b"1", "b": b"2"})
    store = Interrupted(
        conn_of(there), "copy/keep", lambda: replicate(Replication(ours, (there,), SMALL))
    )
    fill(there, {"a": b"1", "b": b"2"})  # So they are listed, and in no ledger.
    replicate(lab.with_destination(store).replication(DELETING))
    assert tree_of(there) == {"keep": b"1"}
    assert [one.key for one in ledger(there).entries()] == ["copy/keep"]
    (theirs,) = [one for one in ledger(there).commit.looks if one.source == ours.place]
    assert theirs.displaced == 2
    assert freshness(there).as_of is None


def test_a_damaged_segment_costs_other_replicas_of_the_bucket_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commits, "MOST_RECENT", 1)
    monkeypatch.setattr(segments, "ENTRIES", 3)
    lab = world(TREE)
    (there,) = lab.destinations
    second = replace(there, location=there.location.with_key("more/"))
    replicate(lab.replication())
    replicate(Replication(lab.source, (second,), SMALL))
    head = ledger(there)
    (lost,) = [r for run in head.commit.segments for r in run if r.first.startswith("copy/")]
    there.store.delete_object(there.ref(segment_key(lost.sha256)))
    age = freshness(second).as_of

    report = replicate(lab.replication(), run_id="mends")

    (finding,) = report.destinations[0].findings
    assert finding.startswith("its ledger was damaged: what it said of keys from 'copy/a' to ")
    assert segment_key(lost.sha256) in finding
    assert freshness(second).as_of == age
    for replica in (there, second):
        assert verify(replica).proven
        assert freshness(replica).within(HOUR)
    assert ledger(there).commit.restarted is None
    assert any("what it said of keys" in finding for finding in status(second).findings)
    assert replicate(lab.replication()).destinations[0].findings == ()
