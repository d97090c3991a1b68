"""Negative controls, with verification at work and with each of its parts put out of action."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core.drill.canary import CANARY_NAME, Canary, write_canary
from airflow_multicloud.core.drill.controls import Control, ControlKind, controls_of
from airflow_multicloud.core.drill.offers import rolled_back, stale
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover import corroboration
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.ledger.memory import Remembered
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.request import Replication
from airflow_multicloud.errors import ErrorKind, StorageError
from tests.unit.drill.disabled import DISABLED
from tests.unit.replication.memory import endpoint, fill, ledger, tree_of

TREE = {"a": b"alpha", "b": bytes(2048)}
POLICY = FailoverPolicy()


@dataclass
class Lab:
    replica: Endpoint
    canary: Canary

    @classmethod
    def new(cls, tree: dict[str, bytes] = TREE) -> Lab:
        primary, replica = endpoint("data/"), endpoint("copy/")
        fill(primary, tree)
        if tree:
            replicate(Replication(primary, (replica,)))
        canary = write_canary(primary, "drill-1")
        replicate(Replication(primary, (replica,)))
        return cls(replica, canary)

    def controls(self, policy: FailoverPolicy = POLICY) -> dict[str, Control]:
        candidate = Candidate(str(self.replica.location), self.replica)
        return {str(one.kind): one for one in controls_of(candidate, self.canary, policy)}

    def outcomes(self, policy: FailoverPolicy = POLICY) -> dict[str, str]:
        return {kind: str(one.outcome) for kind, one in self.controls(policy).items()}


@pytest.fixture
def lab() -> Lab:
    return Lab.new()


ALL_REJECTED = dict.fromkeys(map(str, ControlKind), "rejected")


def test_each_is_rejected_for_its_own_reason_and_nothing_is_changed(lab: Lab) -> None:
    before = (tree_of(lab.replica), ledger(lab.replica).mark)
    found = lab.controls()
    assert {kind: str(one.outcome) for kind, one in found.items()} == ALL_REJECTED
    for kind in ("corrupt", "stale"):
        assert "is not the one of ledger" in found[kind].detail
    assert "its ledger is not the one that is remembered" in found["rolled_back"].detail
    assert "now it ends with commit 3" in found["rolled_back"].detail
    assert (tree_of(lab.replica), ledger(lab.replica).mark) == before


@pytest.mark.parametrize("what", DISABLED)
def test_what_is_not_checked_is_accepted(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    disable, accepted = DISABLED[what]
    disable(monkeypatch)
    assert lab.outcomes() == {**ALL_REJECTED, **dict.fromkeys(accepted, "accepted")}


def test_a_check_that_rejects_everything_shows_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corroboration.Asked, "why_not", lambda *_: "no")
    found = lab.controls()
    assert {str(one.outcome) for one in found.values()} == {"untested"}
    assert "its canary, with nothing wrong, is not served: " in found["stale"].detail


def test_a_stale_copy_is_sound_in_itself(lab: Lab) -> None:
    key = lab.replica.key_of(CANARY_NAME)
    older = stale(lab.replica, key, lab.canary)
    ref = older.ref(key)
    there, now = older.store.stat_object(ref), lab.replica.store.stat_object(ref)
    body = bytes(older.store.get_object(ref).read())
    assert (there.size, there.digests.sha256) == (len(body), sha256_of(body))
    assert there.size == now.size
    assert (there.etag != now.etag, there.last_modified < now.last_modified) == (True, True)
    assert there.digests.sha256 != now.digests.sha256
    listed = {meta.key: meta.etag for meta in older.store.list_objects(older.bucket, "copy/")}
    assert listed[key] == there.etag
    assert set(listed) == {f"copy/{name}" for name in (*TREE, CANARY_NAME)}
    # It never had the version that is there now.
    with pytest.raises(StorageError) as raised:
        older.store.get_object(older.ref(key, now.version))
    assert raised.value.kind is ErrorKind.NOT_FOUND
    other = older.store.get_object(older.ref("copy/a"))
    assert bytes(other.read()) == TREE["a"]


def test_a_ledger_that_was_rolled_back_ends_earlier(lab: Lab) -> None:
    older = rolled_back(lab.replica, 2)
    head = reading.newest(older)
    assert head is not None
    assert head.commit.number == 2
    assert head.entry(f"copy/{CANARY_NAME}") is None
    for number in (3, 4):
        with pytest.raises(StorageError) as raised:
            reading.at(older, number)
        assert raised.value.kind is ErrorKind.NOT_FOUND


def test_what_the_policy_remembers_is_what_notices(lab: Lab) -> None:
    head = ledger(lab.replica)
    seen = Remembered(place_of(lab.replica), 4, head.root, head.commit.made_at)
    detail = lab.controls(replace(POLICY, remembered=(seen,)))["rolled_back"].detail
    assert str(seen) in detail
    # A memory of before the canary would not notice: the drill's own does.
    old = replace(seen, commit=1, ledger_root=reading.at(lab.replica, 1).root)
    detail = lab.controls(replace(POLICY, remembered=(old,)))["rolled_back"].detail
    assert f"commit 4 of root {head.root}" in detail


def test_a_canary_that_is_alone_can_be_offered_as_well() -> None:
    lab = Lab.new({})
    assert lab.outcomes() == ALL_REJECTED


def test_a_canary_that_had_another_before_it_can_not_be_offered_alone() -> None:
    primary, replica = endpoint("data/"), endpoint("copy/")
    for drill in ("drill-1", "drill-2"):
        canary = write_canary(primary, drill)
        replicate(Replication(primary, (replica,)))
    found = Lab(replica, canary).controls()
    assert str(found["rolled_back"].outcome) == "untested"
    assert "no object that is older than the canary" in found["rolled_back"].detail
    assert (str(found["corrupt"].outcome), str(found["stale"].outcome)) == ("rejected", "rejected")
