"""What speaks against a copy's ledger: what the caller remembers, and the other copies' ledgers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.policy import FailoverPolicy
from airflow_multicloud.core.ledger import reading, trust
from airflow_multicloud.core.ledger.commits import Sibling
from airflow_multicloud.core.ledger.memory import recall, recall_none
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.text import printable

#: So many other ledgers that say the same are believed.
_MANY = 2


@dataclass(frozen=True, slots=True)
class Accusation:
    """What another ledger has seen of this one, and is not so.

    :param by: its place.
    """

    by: str
    reason: str


def check(end: Endpoint, head: Head | None, policy: FailoverPolicy) -> tuple[str, ...]:
    """Refuse a ledger that is not the one that the caller remembers, or that nobody signed.

    :return: findings.
    :raises StorageError: kind ``integrity``.
    """
    (root, number), memory = policy.expected_at(end), policy.remembered_at(end)
    if head is None:
        trust.check_none_expected(end, root, number)
        recall_none(end, memory)
        if policy.public_keys is not None:
            raise StorageError(
                f"{place_of(end)}: there is no ledger in this bucket, and public_keys are given: "
                "nothing that lies there is signed",
                kind=ErrorKind.INTEGRITY,
                cloud=end.cloud,
            )
        return ()
    trust.check_expected(head, root, number)
    trust.check_signature(head, policy.public_keys)
    forgotten = recall(head, memory)
    return () if forgotten is None else (forgotten,)


def check_others(end: Endpoint, head: Head | None, others: Iterable[Head]) -> tuple[str, ...]:
    """Refuse a ledger that two other ones contradict.

    Of two that contradict each other nobody can tell which is right, so what one says is a finding.

    :return: findings.
    :raises StorageError: kind ``integrity``.
    """
    against = tuple(accusations(end, head, others))
    if len({one.by for one in against}) >= _MANY:
        raise StorageError(
            f"{place_of(end)}: its ledger is not believed, as {_MANY} or more other candidates' "
            f"ledgers contradict it: {'; '.join(one.reason for one in against)}",
            kind=ErrorKind.INTEGRITY,
            cloud=end.cloud,
        )
    return tuple(
        f"{one.reason}; which of the two is right can't be told from them alone, but only by a "
        "third ledger, by an expected root, or by a signature"
        for one in against
    )


def accusations(end: Endpoint, head: Head | None, others: Iterable[Head]) -> Iterable[Accusation]:
    """What other ledgers have seen of a ledger, and is not so."""
    here = place_of(end)
    for other in others:
        for seen in other.commit.siblings:
            if seen.place == here != other.commit.place and (why := _why_not(end, head, seen)):
                reason = (
                    f"the ledger of {other.commit.place} has seen commit {seen.number} of root "
                    f"{seen.root} in the ledger of {here}, {why}"
                )
                yield Accusation(other.commit.place, printable(reason))


def _why_not(end: Endpoint, head: Head | None, seen: Sibling) -> str | None:
    if head is None or seen.number > head.commit.number:
        # It may have been made after this ledger was read.
        head = reading.newest(end)
    if head is None:
        return "where there is no ledger now"
    if seen.number > head.commit.number:
        return f"which ends with commit {head.commit.number} now"
    try:
        found = reading.at(end, seen.number)
    except CloudError as err:
        if err.kind in (ErrorKind.INTEGRITY, ErrorKind.UNSUPPORTED):
            return "which can't be read now"
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        # Old commits may be deleted, but not so soon.
        kept = datetime.now(UTC) - seen.seen <= trust.KEPT
        return "which is not there now" if kept else None
    return None if found.root == seen.root else f"which has the root {found.root} now"
