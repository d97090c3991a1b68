"""Ledgers that are written by hand, with just the state that a test is about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from airflow_multicloud.core.ledger import commits, reading
from airflow_multicloud.core.ledger.commits import Commit, Identity, Step
from airflow_multicloud.core.ledger.entries import Behind
from airflow_multicloud.core.ledger.names import commit_key, place_of
from airflow_multicloud.core.replication.outcomes import Outcome
from tests.unit.failover.stores import CONTENT
from tests.unit.ledger import made
from tests.unit.ledger.made import NOON

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.ledger.commits import Look
    from airflow_multicloud.core.ledger.entries import Entry
    from airflow_multicloud.core.ledger.reading import Head

WHO = Identity("run", "token")


def write(end: Endpoint, *entries: Entry, number: int = 1, **state: Any) -> Head:
    """A commit with this state, which follows on nothing."""
    commit = Commit(
        format=commits.FORMAT,
        version=commits.VERSION,
        number=number,
        place=place_of(end),
        made_at=NOON,
        identity=WHO,
        step=Step.END,
        recent=tuple(sorted(entries, key=lambda entry: entry.key)),
        **state,
    )
    end.store.put_object(end.ref(commit_key(number)), commits.write(commit) + b"\n")
    return reading.at(end, number)


def damage(end: Endpoint, number: int = 1, content: bytes = b"{") -> None:
    end.store.put_object(end.ref(commit_key(number)), content)


def uri_of(end: Endpoint, name: str = "") -> str:
    """As ledgers have it."""
    return end.below(name).place


def look(end: Endpoint, source: Endpoint | str, name: str = "", **facts: Any) -> Look:
    """At what lies below a name here, which has the same name at the source."""
    at = source if isinstance(source, str) else uri_of(source, name)
    return made.look(end.key_of(name), source=at, **facts)


def proven(
    end: Endpoint, name: str, source: Endpoint | str, content: bytes = CONTENT, **facts: Any
) -> Entry:
    """An object that lies here, and its proof.

    :param source: a prefix with an object of this name, or the object's URI.
    """
    meta = end.store.put_object(end.ref(end.key_of(name)), content)
    entry = made.entry(meta.key, content, etag=meta.etag)
    assert entry.proof is not None
    uri = source if isinstance(source, str) else uri_of(source, name)
    origin = replace(entry.proof.origin, uri=uri)
    proof = replace(entry.proof, origin=origin, version=meta.version)
    return replace(entry, proof=replace(proof, **facts))


def behind(entry: Entry, *, proven: bool = True, **facts: Any) -> Entry:
    """The same object, whose newer copy failed, and which was up to date until it was proven.

    :param proven: whether an older copy is there.
    """
    proof = entry.proof
    assert proof is not None
    said = {
        "outcome": Outcome.FAILED,
        "run_id": "later",
        "origin": proof.origin,
        "size": 9,
        "at": proof.as_of + timedelta(days=1),
        "reason": "no room",
        "since": proof.as_of if proven else None,
    }
    return replace(entry, proof=proof if proven else None, behind=Behind(**(said | facts)))
