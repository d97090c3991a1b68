"""What somebody who is not at the bucket remembers of its ledger: Airflow, say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger.chain import End, search
from airflow_multicloud.core.ledger.entries import AwareTime
from airflow_multicloud.core.ledger.names import place_of
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.ledger.trust import FURTHEST, KEPT
from airflow_multicloud.errors import ErrorKind, StorageError


@dataclass(frozen=True, slots=True)
class Remembered:
    """One commit of a ledger, as it was seen.

    :param place: the ledger's bucket, as a URI without a connection.
    :param commit: its number.
    :param ledger_root: its root.
    :param seen: when it was the newest one.
    """

    place: str
    commit: int
    ledger_root: str
    seen: AwareTime

    def __str__(self) -> str:
        """For readers."""
        seen = self.seen.isoformat(timespec="seconds")
        return f"commit {self.commit} of root {self.ledger_root}, seen at {seen}"


def recall(head: Head, remembered: Remembered | None) -> str | None:
    """Refuse a ledger that is not the one remembered, with later commits perhaps.

    :param head: its newest commit.
    :return: why that can't be told, if so: its old commits have been deleted since, or it is too
        long ago.
    :raises StorageError: kind ``integrity``.
    """
    if remembered is None:
        return None
    if head.commit.number < remembered.commit:
        raise _another(
            head.end, remembered, f"now it ends with commit {head.commit.number} of {head.root}"
        )
    found = search(head, remembered.commit, furthest=FURTHEST)
    if found.root == remembered.ledger_root:
        return None
    long_ago = datetime.now(UTC) - remembered.seen > KEPT
    if found.end is End.TOO_FAR or (found.end is End.DELETED and long_ago):
        return f"{remembered} can't be compared with the ledger that is there now, as {found.why}"
    raise _another(head.end, remembered, f"now {found.why}")


def recall_none(end: Endpoint, remembered: Remembered | None) -> None:
    """Refuse that there is no ledger where one is remembered.

    :raises StorageError: kind ``integrity``.
    """
    if remembered is not None:
        raise _another(end, remembered, "now there is none")


def _another(end: Endpoint, remembered: Remembered, why: str) -> StorageError:
    return StorageError(
        f"{place_of(end)}: its ledger is not the one that is remembered ({remembered}): {why}: it "
        "was rolled back, written anew or restarted; find out who wrote to the bucket, and compare "
        "with other replicas; if it is right, have Airflow forget (see the docs' page on ledgers)",
        kind=ErrorKind.INTEGRITY,
        cloud=end.cloud,
    )
