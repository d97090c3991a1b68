"""Two runs that changed what is known of one object: what holds is decided by what is there now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice

from msgspec.structs import replace

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.follow import Follow
from airflow_multicloud.core.ledger import looks
from airflow_multicloud.core.ledger.commits import Look
from airflow_multicloud.core.ledger.entries import Behind, Entry, Proof
from airflow_multicloud.core.ledger.losses import Losses
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import ObjectMeta

#: Up to so many changes are looked up one by one when another run came between; more by going
#: through both states.
_ONE_BY_ONE = 64

#: What is known of a key; keys are asked for in their order.
Known = Callable[[str], Entry | None]


@dataclass
class Merging:
    """Merges a run's changes with what others have found out about the same keys meanwhile.

    :param head: what others have committed.
    :param prefix: what the run writes below, or one key.
    :param known: what the run went by.
    :param emptied: prefixes below which another run deleted or replaced objects meanwhile.
    :param losses: is told what others lose.
    :param started: when the run began.
    :ivar overtaken: what is behind only now that both are known.
    :ivar dropped: how many objects that the run has written are not there any more.
    """

    end: Endpoint
    head: Head
    prefix: str
    known: Known
    emptied: Sequence[str]
    losses: Losses
    started: datetime
    overtaken: list[Entry] = field(default_factory=list)
    dropped: int = 0

    def changes(self, found: Iterable[Entry]) -> Iterator[Entry]:
        """What is to be committed of what the run has found."""
        ours = iter(found)
        first = list(islice(ours, _ONE_BY_ONE + 1))
        if len(first) <= _ONE_BY_ONE:
            now: Known = self.head.entry
        else:
            theirs = self.head.entries(self.prefix, least=first[0].key)
            now = Follow((entry.key, entry) for entry in theirs).at
        for change in chain(first, ours):
            before = now(change.key)
            after = self._alone(change) if before is None else self._after(change, before)
            if after is not None:
                self.losses.add(before, after)
                yield after

    def _alone(self, change: Entry) -> Entry | None:
        """An entry of a key that nobody else knows.

        A run that deleted the object, which it may not have known, leaves no other trace here. To
        ask for each new object whether it is still there would cost a request for each.
        """
        if change.removed:
            return None
        if change.proof is not None and any(map(change.key.startswith, self.emptied)):
            there = stat(self.end, change.key)
            if not _is(change.proof, there):
                self.dropped += 1
                return None
        return self._seen_gone(change)

    def _after(self, change: Entry, theirs: Entry) -> Entry | None:
        if theirs == change:
            return change
        if theirs == self.known(change.key):
            return self._seen_gone(change) if _stays_if_gone(theirs, change) else change
        merged = merge(change, theirs, stat(self.end, change.key))
        if change.proof is not None and not _is_of(merged.proof, change.proof):
            self.dropped += 1
        if merged == theirs:
            return None
        if merged.behind not in (change.behind, theirs.behind):
            self.overtaken.append(merged)
        return merged

    def _seen_gone(self, change: Entry) -> Entry:
        later = [look for look in self.head.commit.looks if look.started > self.started]
        after = seen_gone(change, later)
        if after.behind != change.behind:
            self.overtaken.append(after)
        return after


def _stays_if_gone(theirs: Entry, ours: Entry) -> bool:
    """Whether a run that does not see our object at the source leaves their entry as it is.

    Then what they know being what we went by does not mean that the object was still there.
    """
    about = theirs.proof or theirs.behind
    if ours.proof is None or ours.behind is not None:
        return False
    return theirs.gone is not None or about is None or about.origin.uri != ours.proof.origin.uri


def stat(end: Endpoint, key: str) -> ObjectMeta | None:
    """What lies there now; ``None``: nothing."""
    try:
        return end.store.stat_object(end.ref(key))
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        return None


def _is_of(proof: Proof | None, ours: Proof) -> bool:
    """Whether an object is a copy of the one at the source that ours is a copy of."""
    return proof is not None and proof.origin.uri == ours.origin.uri


def merge(ours: Entry, theirs: Entry, there: ObjectMeta | None) -> Entry:
    """What is true of a key that another run has changed since ours looked. Pure.

    :param ours: what our run found.
    :param theirs: what has been committed meanwhile.
    :param there: the object at the destination now, if there is one.
    """
    if ours.removed and there is None and theirs.proof is not None:
        return ours if theirs.behind is None else replace(theirs, proof=None)
    if _is(theirs.proof, there) and not _is(ours.proof, there):
        return theirs
    if _is(ours.proof, there) and not _is(theirs.proof, there):
        return _no_later(ours, theirs)
    # Both mean the same object, or neither is there any more: who looked at the source later.
    return ours if looked(ours) >= looked(theirs) else theirs


def seen_gone(ours: Entry, known: Iterable[Look]) -> Entry:
    """Our run's entry of an object that no other run has recorded, though some may have looked.

    A run that began later and did not see the object has seen that the source has it no more. One
    that passes over what is too young, or has another size, may have seen another object there: so
    long ours may have been behind. Pure.

    :param known: what was looked at, and when, by runs that began later.
    """
    proof = ours.proof
    if proof is None or ours.gone is not None:
        return ours
    modified = proof.origin.modified
    later = [
        look
        for look in known
        if look.as_of > proof.as_of
        and not look.displaced
        and (modified is None or modified < look.as_of)
        and looks.is_origin(proof, ours.key, look)
        and looks.within(proof, ours.key, look)
    ]
    if gone := [look.as_of for look in later if look.passed_nothing_over]:
        return replace(ours, gone=min(gone))
    if not later or ours.behind is not None:
        return ours
    reason = "a run that had begun later did not find it, or passed another one over"
    return replace(ours, behind=_behind(proof, reason, proof, later[0].as_of))


def _behind(ours: Proof, reason: str, newer: Proof, seen: datetime) -> Behind:
    """Why what a run has written is not what the source had when a later one looked."""
    return Behind(
        outcome=Outcome.CONFLICT,
        kind=ErrorKind.PRECONDITION_FAILED,
        reason=reason,
        run_id=ours.run_id,
        origin=newer.origin,
        size=newer.size,
        at=seen,
        since=ours.as_of,
    )


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
    reason = "a run that had begun earlier wrote it after another one"
    return replace(ours, behind=_behind(ours.proof, reason, newer, newer.as_of))
