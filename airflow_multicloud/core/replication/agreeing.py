"""Whether two replicas of one source prove the same content.

Who forges a ledger may add to it without taking anything back. Another replica's ledger then still
knows what the source's object was.
"""

from __future__ import annotations

from collections.abc import Iterator

from airflow_multicloud.adapters.digests import compare as compare_digests
from airflow_multicloud.core import cancellation
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.follow import Follow
from airflow_multicloud.core.ledger.base import Base
from airflow_multicloud.core.ledger.entries import Entry, Proof
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.ledger.trust import Contradiction, Corroboration
from airflow_multicloud.core.replication import stock
from airflow_multicloud.errors import CloudError
from airflow_multicloud.text import printable

#: So many objects a contradiction names.
_NAMED = 5


class _OtherError(Exception):
    """The other ledger can't be read."""


def compare(replica: Endpoint, head: Head, said: Corroboration) -> Corroboration:
    """Compare what ledgers prove of each object of the same version at the same source.

    Names below the two places correspond. Both ledgers are gone through once.

    :param said: the ledgers that were read, and what is known of them already.
    :return: the same, with what this adds.
    :raises StorageError: kind ``integrity`` when this ledger is damaged.
    """
    contradictions = list(said.contradictions)
    unknown = list(said.unknown)
    for other in said.heads:
        place = str(other.end.location)
        try:
            compared, differing, names = _compare(replica, head, other)
        except _OtherError as err:
            unknown.append(printable(f"what the ledger of {place} proves can't be read: {err}"))
            continue
        if differing:
            contradictions.append(
                Contradiction(
                    other.commit.place,
                    f"the ledgers of {replica.location} and {place} prove different contents of "
                    f"the same object at the source, for {differing} of {compared} objects "
                    f"({', '.join(names)}); which is right is told by the source, or by a third "
                    "replica",
                )
            )
        if not compared:
            unknown.append(f"{place} has no object of the same version of the same source")
    return Corroboration(tuple(contradictions), tuple(unknown), said.heads)


def _compare(replica: Endpoint, head: Head, other: Head) -> tuple[int, int, list[str]]:
    """How many objects both know, how many of them differ, and the names of some."""
    theirs = Follow(_readable(other))
    compared = differing = 0
    names: list[str] = []
    for name, entry in stock.known_at(replica, Base(head, head.commit.number)):
        cancellation.check()
        known: Entry | None = theirs.at(name)
        if entry.proof is None or known is None or known.proof is None:
            continue
        if _same_origin(entry.proof, known.proof):
            compared += 1
            if _differ(entry.proof, known.proof):
                differing += 1
                names += [repr(name)] if len(names) < _NAMED else []
    return compared, differing, names


def _readable(other: Head) -> Iterator[tuple[str, Entry]]:
    try:
        yield from stock.known_at(other.end, Base(other, other.commit.number))
    except CloudError as err:
        raise _OtherError(f"{err.kind}: {err}") from err


def _same_origin(one: Proof, other: Proof) -> bool:
    return bool(one.origin.etag) and (
        (one.origin.uri, one.origin.etag, one.origin.version)
        == (other.origin.uri, other.origin.etag, other.origin.version)
    )


def _differ(one: Proof, other: Proof) -> bool:
    compared = compare_digests(one.digests, other.digests)
    return one.size != other.size or (compared is not None and not compared.equal)
