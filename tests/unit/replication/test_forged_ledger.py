"""A ledger that was written by somebody else, with all that it needs to look right."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from airflow_multicloud.adapters.digests import digests_of
from airflow_multicloud.core.ledger import writing
from airflow_multicloud.core.ledger.base import base_of
from airflow_multicloud.core.ledger.commits import Step
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.state import Draft
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.core.replication.run import new_identity
from airflow_multicloud.core.replication.verification import verify
from airflow_multicloud.ports.object_store import Digests

from . import memory

GOOD, EVIL = b"pay 100 EUR to Alice", b"pay 999 EUR to Mallo"


def plant(world: memory.World, digests: Digests) -> None:
    """Another content at the replica, and a commit that proves it."""
    (end,) = world.destinations
    written = end.store.put_object(end.ref("copy/order"), EVIL)
    base = base_of(end)
    entry = base.entry("copy/order")
    assert entry is not None
    assert entry.proof is not None
    proof = replace(
        entry.proof, etag=written.etag, version=written.version, digests=digests, run_id="forged"
    )
    draft = Draft(
        identity=new_identity("forged"),
        step=Step.PROGRESS,
        prefix="copy/",
        source=None,
        started=proof.at,
    )
    writing.commit(end, draft, lambda: [Entry(entry.key, proof)], base=base, known=lambda _: None)


GOOD_MD5 = digests_of(GOOD).md5


@pytest.mark.parametrize(
    "digests",
    [
        digests_of(EVIL),
        Digests(sha256=digests_of(EVIL).sha256),
        Digests(),
        Digests(sha256=digests_of(EVIL).sha256, md5=GOOD_MD5),
        digests_of(GOOD),
    ],
)
def test_the_next_run_finds_it_out_by_what_both_stores_say(digests: Digests) -> None:
    world = memory.world({"order": GOOD, "other": b"1"})
    replicate(world.replication())
    plant(world, digests)
    report = replicate(world.replication())
    assert report.destinations[0].outcomes == {Outcome.UNCHANGED: 1, Outcome.REPLACED: 1}
    assert memory.tree_of(world.destinations[0]) == {"order": GOOD, "other": b"1"}
    assert verify(world.destinations[0]).proven
