"""What a copy is judged by: the live primary by its store, a replica by its ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from airflow_multicloud.core.failover import anchors
from airflow_multicloud.core.failover.limits import within
from airflow_multicloud.core.failover.references import blaming
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.names import place_by_uri, without_store
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.records import UNREADABLE
from airflow_multicloud.errors import CloudError

if TYPE_CHECKING:
    from airflow_multicloud.core.endpoints import Endpoint
    from airflow_multicloud.core.failover.copies import Copies, Copy

#: So many of the first entries are asked for where they came from.
_LOOKED_AT = 1000
#: How long another candidate's ledger may take to say so.
_TO_ASK = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a copy is judged by.

    :param head: its ledger's newest commit; ``None`` when it is judged by its store alone.
    :param live: whether it is the live primary.
    :param findings: what is to be said whenever it serves.
    """

    head: Head | None
    live: bool
    findings: tuple[str, ...] = ()


def judge(copy: Copy, copies: Copies) -> Judged:
    """What a copy is judged by.

    :raises StorageError: kind ``integrity`` for a ledger that is not believed.
    """
    policy = copies.policy
    live, findings = _role(copy, copies)
    if live:
        if policy.expected_at(copy.end) != (None, None):
            anchors.check(copy.end, copy.ledger.head(), replace(policy, public_keys=None))
        return Judged(None, live=True, findings=findings)
    head = copy.ledger.head()
    findings = anchors.check(copy.end, head, policy)
    others = [other for _, other in copies.heads_beside(copy)]
    findings += anchors.check_others(copy.end, head, others)
    return Judged(head, live=False, findings=findings)


def _role(copy: Copy, copies: Copies) -> tuple[bool, tuple[str, ...]]:
    """Whether a copy is the live primary, and a finding when that can't be told for sure.

    The first candidate is, unless its ledger says that it is a replica. After a failback it says
    so as well; but then the former replica's ledger names it as its source.
    """
    given = copies.policy.live_primary
    if not copy.candidate.primary or given is not None:
        return copy.candidate.primary and bool(given), ()
    own: set[str] = set()
    damaged: CloudError | None = None
    try:
        own = _came_from(copy, copy.ledger.head(), parts=False)
    except CloudError as err:
        if err.kind not in UNREADABLE:
            raise
        damaged = err
    if not own and damaged is None:
        return True, ()
    here = copy.end.place
    answered = copies.answered(copy)
    if any(here in _said(other, head) - {_place(other)} for other, head in answered):
        return True, ()
    if damaged is not None:
        raise damaged
    spoken = {id(other) for other, _ in answered}
    silent = [o for o in copies.all if o is not copy and id(o) not in spoken]
    lost = own & {_place(other) for other in silent}
    # Of a copy that could not be opened it is not known in which store it is.
    unopened = {_place(other) for other in silent if other.candidate.endpoint is None}
    lost |= {one for one in own if without_store(one) in unopened}
    if not lost:
        return False, ()
    return True, (
        f"{copy.candidate.uri}: its ledger says that it was replicated from "
        f"{', '.join(sorted(lost))}, which can't be asked whether it is the replica now; "
        "as the first candidate it is taken for the live primary, and judged by its store",
    )


def _place(copy: Copy) -> str:
    end = copy.candidate.endpoint
    return place_by_uri(copy.candidate.uri) if end is None else end.place


def _said(other: Copy, head: Head | None) -> set[str]:
    """Where another copy's ledger says that it came from; nothing when it can't be read."""
    try:
        with blaming(other.end, "read"):
            return within(_TO_ASK, partial(_came_from, other, head), parameter="attempt_timeout")
    except CloudError:
        return set()


def _came_from(copy: Copy, head: Head | None, *, parts: bool = True) -> set[str]:
    """Where a copy's ledger says that it was replicated from, as places.

    :param parts: also by what was replicated to parts of it only; a primary may have some.
    """
    if head is None:
        return set()
    found = set(_looked_at(head, copy.end, parts=parts))
    if not found and (parts or not copy.end.location.is_prefix):
        entries = islice(_entries(copy, head), _LOOKED_AT)
        found = set(islice(_origins(entries, copy.end), 1))
    return found


def _entries(copy: Copy, head: Head) -> Iterable[Entry]:
    location = copy.end.location
    if location.is_prefix:
        return head.entries(location.key)
    found = copy.ledger.entry(head, location.key)
    return () if found is None else (found,)


def _looked_at(head: Head, end: Endpoint, *, parts: bool) -> Iterator[str]:
    here = end.location.key
    for look in head.commit.looks:
        if here.startswith(look.prefix):
            yield look.source + here[len(look.prefix) :]
        elif (
            parts
            and look.prefix.startswith(here)
            and look.source.endswith(name := look.prefix[len(here) :])
        ):
            yield look.source.removesuffix(name)


def _origins(entries: Iterable[Entry], end: Endpoint) -> Iterator[str]:
    """Where entries are from, but for those that were uploaded."""
    for entry in entries:
        about = entry.proof or entry.behind
        name = entry.key[len(end.location.key) :]
        if about is None or about.origin.uri.startswith("file:"):
            continue
        if about.origin.uri.endswith(name):
            yield about.origin.uri.removesuffix(name)
