"""Ledgers that contradict each other are not believed by their word alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from airflow_multicloud.core.ledger.entries import Origin, Proof
from airflow_multicloud.core.replication.catalog import Listed
from airflow_multicloud.core.replication.disputes import (
    Disputes,
    contradict_each_other,
    doubted,
)
from airflow_multicloud.core.replication.items import Replica
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.ports.object_store import Digests, IfUnchanged
from tests.unit.ledger.made import at, proof

if TYPE_CHECKING:
    from collections.abc import Sequence

GOOD, EVIL = proof(b"good"), proof(b"evil")
LISTED = Listed("a", 4, "e", None, at(0), Digests())


def at_source(**changes: Any) -> Proof:
    return replace(EVIL, origin=replace(EVIL.origin, **changes))


@pytest.mark.parametrize(
    ("proofs", "contradict"),
    [
        ([], False),
        ([GOOD], False),
        ([GOOD, None], False),
        ([GOOD, GOOD], False),
        ([GOOD, EVIL], True),
        ([EVIL, GOOD], True),
        ([GOOD, None, EVIL], True),
        ([GOOD, GOOD, EVIL], True),
        # Of other versions of the source's object each may be right.
        ([GOOD, at_source(uri="mem://lab/other")], False),
        ([GOOD, at_source(etag="other")], False),
        ([replace(GOOD, origin=Origin("mem://lab/s")), at_source(etag="")], False),
        ([GOOD, replace(EVIL, size=5)], False),
        # What is not known of both says nothing.
        ([GOOD, replace(EVIL, digests=Digests())], False),
        (
            [replace(GOOD, digests=Digests(sha256="a")), replace(EVIL, digests=Digests(md5="b"))],
            False,
        ),
        ([GOOD, replace(GOOD, digests=Digests(crc32c=EVIL.digests.crc32c))], True),
    ],
)
def test_ledgers_that_contradict_each_other(
    proofs: Sequence[Proof | None], contradict: bool
) -> None:
    assert contradict_each_other(proofs) is contradict


UNCHANGED = Replica(
    prior=IfUnchanged("e"), outcome=Outcome.UNCHANGED, etag="e", digests=GOOD.digests
)
INSPECTED = replace(UNCHANGED, outcome=None, inspect=True)


@pytest.mark.parametrize("state", [UNCHANGED, INSPECTED])
@pytest.mark.parametrize("shown", [Digests(), Digests(crc32c=GOOD.digests.crc32c), EVIL.digests])
def test_what_no_listing_confirms_is_compared_again(state: Replica, shown: Digests) -> None:
    other = replace(LISTED, digests=shown)
    again = Replica(prior=IfUnchanged("e"), etag="e", doubtful=True)
    assert doubted(other, state, other, GOOD) == again


@pytest.mark.parametrize("state", [UNCHANGED, INSPECTED])
@pytest.mark.parametrize("name", ["sha256", "md5"])
def test_what_either_listing_confirms_is_believed(state: Replica, name: str) -> None:
    shown = replace(LISTED, digests=Digests(**{name: getattr(GOOD.digests, name)}))
    assert doubted(shown, state, LISTED, GOOD) == state
    assert doubted(LISTED, state, shown, GOOD) == state


def test_what_was_not_believed_anyway_is_left() -> None:
    copied = replace(UNCHANGED, outcome=Outcome.CONFLICT)
    fresh = Replica(prior=IfUnchanged("e"))
    for state in (copied, fresh):
        assert doubted(LISTED, state, LISTED, GOOD) is state
    assert doubted(LISTED, UNCHANGED, None, GOOD) is UNCHANGED
    assert doubted(LISTED, UNCHANGED, LISTED, None) is UNCHANGED


def test_a_warning_names_the_first_and_counts_all(caplog: pytest.LogCaptureFixture) -> None:
    disputed = Disputes()
    disputed.warn()
    assert caplog.text == ""
    for name in ("a", "b\n", "c", "d"):
        disputed.add(name)
    disputed.warn()
    assert "of 4 objects (a, b\\n, c): at least" in caplog.text
