"""Two runs that changed what is known of one object: what holds is decided by what is there now."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from airflow_multicloud.core.ledger import looks
from airflow_multicloud.core.ledger.commits import Look
from airflow_multicloud.core.ledger.entries import Behind, Entry, Proof
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import ObjectMeta


def merge(ours: Entry, theirs: Entry, there: ObjectMeta | None) -> Entry:
    """What is true of a key that another run has changed since ours looked. Pure.

    :param ours: what our run found.
    :param theirs: what has been committed meanwhile.
    :param there: the object at the destination now, if there is one.
    """
    if _is(theirs.proof, there) and not _is(ours.proof, there):
        return theirs
    if _is(ours.proof, there) and not _is(theirs.proof, there):
        return _no_later(ours, theirs)
    # Both mean the same object, or neither is there any more: who looked at the source later.
    return ours if looked(ours) >= looked(theirs) else theirs


def seen_gone(ours: Entry, known: Iterable[Look]) -> Entry:
    """Our run's entry of a key that nobody else knows, though others may have looked. Pure.

    A run that began later and did not see the object has seen that the source has it no more.

    :param known: what was looked at, and when.
    """
    proof = ours.proof
    if proof is None or ours.gone is not None:
        return ours
    modified = proof.origin.modified
    later = [
        look.as_of
        for look in known
        if look.as_of > proof.as_of
        and (modified is None or modified < look.as_of)
        and proof.origin.uri == look.source + ours.key[len(look.prefix) :]
        and looks.within(proof, ours.key, look)
    ]
    return replace(ours, gone=min(later)) if later else ours


def looked(entry: Entry) -> float:
    """When the source was last looked at for an entry, as far as it tells."""
    proof, behind = entry.proof, entry.behind
    times = [
        entry.gone,
        proof.as_of if proof else None,
        behind.at if behind else None,
    ]
    return max((moment.timestamp() for moment in times if moment), default=0.0)


def _is(proof: Proof | None, there: ObjectMeta | None) -> bool:
    if proof is None or there is None:
        return False
    return proof.wrote(there.etag, there.version) and proof.size == there.size


def _no_later(ours: Entry, theirs: Entry) -> Entry:
    """Ours is what is there, though another run has seen a later state of the source."""
    if looked(theirs) <= looked(ours) or ours.proof is None:
        return ours
    if theirs.gone is not None:
        return replace(ours, gone=theirs.gone)
    if theirs.behind is not None:
        return replace(ours, behind=replace(theirs.behind, since=ours.proof.as_of))
    newer = theirs.proof
    if newer is None or newer.origin == ours.proof.origin:
        return ours
    return replace(
        ours,
        behind=Behind(
            outcome=Outcome.CONFLICT,
            kind=ErrorKind.PRECONDITION_FAILED,
            reason="a run that had begun earlier wrote it after another one",
            run_id=ours.proof.run_id,
            origin=newer.origin,
            size=newer.size,
            at=newer.as_of,
            since=ours.proof.as_of,
        ),
    )
