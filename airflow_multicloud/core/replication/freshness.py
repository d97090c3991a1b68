"""How far a replica lags behind its source: the recovery point it would give now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from airflow_multicloud.core.clocks import clock_ahead
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import looks, reading
from airflow_multicloud.core.ledger.commits import Look, Selection
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.text import printable


@dataclass(frozen=True, slots=True)
class Freshness(Documented):
    """What the ledger says of a replica's age.

    :param as_of: the replica holds every change made at the source before this; ``None``: that is
        not known of any time.
    :param newest_source: when the newest object was last modified at the source.
    :param lag: from ``as_of`` to now.
    :param objects: that the replica should have.
    :param proven: how many of them are proven.
    :param parts: how many selections have been looked at.
    :param oldest: the part that ``as_of`` is due to.
    :param unknown: why ``as_of`` is not known.
    """

    replica: str
    as_of: datetime | None
    newest_source: datetime | None
    lag: timedelta | None
    objects: int
    proven: int
    parts: int = 0
    oldest: str | None = None
    unknown: str | None = None

    DOCUMENT: ClassVar = Document(
        (
            "replica",
            "as_of",
            "newest_source",
            "lag",
            "objects",
            "proven",
            "parts",
            "oldest",
            "finding",
        )
    )

    @property
    def complete(self) -> bool:
        """Whether every object that the replica should have is proven there."""
        return self.objects == self.proven

    @property
    def finding(self) -> str | None:
        """Why there is no lag, or one that says nothing: its time is ahead of this clock."""
        return self.unknown or (clock_ahead(self.as_of) if self.as_of else None)

    def within(self, max_lag: timedelta) -> bool:
        """Whether the replica would meet a recovery point objective of ``max_lag`` now.

        A negative lag is no freshness: see :attr:`finding`.
        """
        if self.lag is None or self.finding is not None:
            return False
        return self.complete and self.lag <= max_lag


def freshness(replica: Endpoint, asked: Selection = looks.ALL) -> Freshness:
    """Ask the bucket's ledger: a page of a listing, and one object.

    For a single object, and for a part of what was looked at, also what the ledger knows of it.

    :param asked: which objects below the prefix are meant, as the runs select them.
    :raises StorageError: kind ``integrity`` when the ledger's newest commit is damaged.
    """
    return freshness_at(replica, reading.newest(replica), asked)


def freshness_at(replica: Endpoint, head: Head | None, asked: Selection = looks.ALL) -> Freshness:
    """The same by a commit that has been read; ``None``: there is no ledger."""
    if head is None:
        return _unknown(replica, "no replication to it has ended")
    if not replica.location.is_prefix:
        return _of_object(replica, head)
    prefix = replica.location.key
    found = looks.freshness(head.commit.looks, prefix, asked)
    if found.oldest is None:
        return _unknown(replica, "no replication to it has ended")
    if not is_known(replica, head):
        return _unknown(replica, "nothing is known to lie below it")
    oldest = part_text(head, found.oldest)
    as_of, unknown = found.as_of, None
    if as_of is None:
        unknown = f"{_lacks(found.oldest)}: {oldest}"
    elif not found.covered:
        what = "it" if asked == looks.ALL else f"the selection {asked}"
        unknown = printable(
            f"no run has looked at all of {what}; the oldest part is {oldest}, as of "
            f"{as_of.isoformat(timespec='seconds')} (a selection is asked for by the include, "
            "exclude, min_size, max_size and max_age of its runs)"
        )
        as_of = None
    return Freshness(
        replica=str(replica.location),
        as_of=as_of,
        newest_source=max((one.newest for one in found.looks if one.newest), default=None),
        lag=_lag(as_of),
        objects=found.objects,
        proven=found.proven,
        parts=len(found.looks),
        oldest=oldest,
        unknown=unknown,
    )


def _lacks(look: Look) -> str:
    """Why it is not known until when a part was up to date."""
    if look.displaced:
        return (
            f"at least {look.displaced} of {look.objects} objects were deleted or replaced since, "
            "by a run of another source"
        )
    return f"{look.behind} of {look.objects} objects are not up to date, some never were"


def is_known(replica: Endpoint, head: Head) -> bool:
    """Whether a ledger says anything of a place: a run looked at it, or it knows an object there.

    A run may have looked at a wider place in which there is nothing of this name.
    """
    location = replica.location
    if not location.is_prefix:
        return head.entry(location.key) is not None
    if any(look.prefix.startswith(location.key) for look in head.commit.looks):
        return True
    return next(head.entries(location.key), None) is not None


def part_text(head: Head, look: Look) -> str:
    """One part of a replica, for readers."""
    place = f"{head.commit.place}{look.prefix}"
    return printable(f"{place} ({look.selection}), by run {look.run_id}")


def _of_object(replica: Endpoint, head: Head) -> Freshness:
    entry = head.entry(replica.location.key)
    if entry is None:
        return _unknown(replica, "nothing is known of it")
    as_of = entry.gone or looks.as_of(entry, head.commit.looks)
    proof, behind = entry.proof, entry.behind
    about = behind or proof
    run_id = about.run_id if about else ""
    why = behind.reason if behind else "unknown"
    return Freshness(
        replica=str(replica.location),
        as_of=as_of,
        newest_source=about.origin.modified if about else None,
        lag=_lag(as_of),
        objects=int(entry.owed),
        proven=int(entry.current and proof is not None and proof.proven),
        parts=1,
        oldest=printable(f"{head.commit.place}{entry.key}, by run {run_id}"),
        unknown=None if as_of else printable(f"it never arrived: {why}"),
    )


def _unknown(replica: Endpoint, why: str) -> Freshness:
    return Freshness(str(replica.location), None, None, None, 0, 0, unknown=why)


def _lag(as_of: datetime | None) -> timedelta | None:
    return None if as_of is None else datetime.now(UTC) - as_of
