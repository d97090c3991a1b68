"""How a replica stands by what its ledger says; nothing is verified again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import ClassVar

from airflow_multicloud.core import cleanup
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import looks, writing
from airflow_multicloud.core.ledger.chain import chain
from airflow_multicloud.core.ledger.commits import Look, Selection
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.replication import history, under_way
from airflow_multicloud.core.replication.freshness import Freshness, freshness_at, is_known
from airflow_multicloud.documents import Document, Documented
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.text import duration_text, printable

#: So many commits are looked at for one before which nothing was known.
_BACK = 20


@dataclass(frozen=True, slots=True)
class Part:
    """What the last run found that looked at one selection; texts are printable.

    :param place: the prefix that it looked at, without a connection.
    :param source: what that was compared with, without a connection.
    :param as_of: the replica holds every change of the selection before this; ``None``: unknown.
    :param behind: objects that the replica does not have as the source had them then.
    :param left_out: objects whose keys are kept for this package's own files.
    """

    place: str
    source: str
    selection: str
    as_of: datetime | None
    run_id: str
    finished: datetime
    objects: int
    proven: int
    behind: int
    left_out: int


@dataclass(frozen=True, slots=True)
class ReplicaStatus(Documented):
    """How a replica stands by what lies beside it.

    :param run_id: the last run that looked at it.
    :param as_of: the replica holds every change made at the source before this; ``None``: that is
        not known of any time.
    :param lag: from ``as_of`` to now.
    :param oldest: the part that ``as_of`` is due to.
    :param objects: that the replica should have.
    :param proven: how many are proven there.
    :param parts: what was looked at, the oldest first.
    :param commit: the number of the ledger's newest commit.
    :param ledger_root: that commit's root.
    :param findings: what is not as it should be, a sentence each.
    """

    replica: str
    sources: tuple[str, ...]
    run_id: str | None
    as_of: datetime | None
    lag: timedelta | None
    oldest: str | None
    objects: int
    proven: int
    parts: tuple[Part, ...]
    commit: int
    ledger_root: str
    commit_uri: str
    findings: tuple[str, ...]

    DOCUMENT: ClassVar = Document(
        (
            "replica",
            "sources",
            "run_id",
            "as_of",
            "lag",
            "oldest",
            "objects",
            "proven",
            "complete",
            "parts",
            "commit",
            "ledger_root",
            "commit_uri",
            "findings",
        )
    )

    @property
    def complete(self) -> bool:
        """Whether every object that the replica should have is proven here."""
        return self.objects == self.proven


def status(
    replica: Endpoint, *, max_lag: timedelta | None = None, asked: Selection = looks.ALL
) -> ReplicaStatus:
    """How a replica stands.

    :param max_lag: more than this is a finding.
    :param asked: which objects below the prefix are meant, as the runs select them.
    :raises StorageError: kind ``not_found`` when nothing is recorded.
    """
    head = history.newest(replica)
    runs = under_way.open_runs(head.commit, replica.location.key, datetime.now(UTC))
    if not runs and not is_known(replica, head):
        raise history.nothing_recorded(replica, head)
    found = freshness_at(replica, head, asked)
    key = replica.location.key
    around = (look for look in head.commit.looks if history.overlaps(look.prefix, key))
    parts = looks.freshness(around, key, asked).looks
    last = max(parts, key=lambda look: look.finished, default=None)
    return ReplicaStatus(
        replica=str(replica.location),
        sources=tuple(sorted({printable(look.source) for look in parts})),
        run_id=printable(last.run_id) if last else None,
        as_of=found.as_of,
        lag=found.lag,
        oldest=found.oldest,
        objects=found.objects,
        proven=found.proven,
        parts=tuple(_part(head, look) for look in parts),
        commit=head.commit.number,
        ledger_root=head.root,
        commit_uri=head.uri,
        findings=(
            *_of_age(found, parts, max_lag),
            *(f"{under_way.run_text(run)}, is under way or was killed" for run in runs),
            *_of_ledger(replica, head),
            *_left(replica),
        ),
    )


def _part(head: Head, look: Look) -> Part:
    return Part(
        place=printable(f"{head.commit.place}{look.prefix}"),
        source=printable(look.source),
        selection=printable(str(look.selection)),
        as_of=look.holds,
        run_id=printable(look.run_id),
        finished=look.finished,
        objects=look.objects,
        proven=look.proven,
        behind=look.lacking,
        left_out=look.left_out,
    )


def _of_age(found: Freshness, parts: tuple[Look, ...], max_lag: timedelta | None) -> Iterator[str]:
    if not found.complete:
        yield f"{found.objects - found.proven} of {found.objects} objects are not proven"
    behind = sum(look.lacking for look in parts)
    if behind:
        yield (
            f"{behind} of {sum(look.objects for look in parts)} objects were not as the source had "
            "them when a run looked: the next run copies them, or says again why not"
        )
    if found.lag is None:
        yield f"how old it is can't be told: {found.finding}"
    elif found.lag < timedelta(0):
        yield (
            f"its as_of is {duration_text(-found.lag.total_seconds())} in the future: a clock is "
            "ahead, and the lag means nothing"
        )
    elif max_lag is not None and found.lag > max_lag:
        yield (
            f"the lag of {duration_text(found.lag.total_seconds())} is more than "
            f"{duration_text(max_lag.total_seconds())}; the oldest part is {found.oldest}"
        )


def _of_ledger(replica: Endpoint, head: Head) -> Iterator[str]:
    try:
        for one in islice(chain(head, 1), _BACK):
            if one.commit.restarted is not None:
                yield printable(
                    f"what its ledger said before commit {one.commit.number} was lost and found "
                    f"out again by run {one.commit.identity.run_id}: {one.commit.restarted}"
                )
            elif one.commit.why is not None:
                yield printable(f"its ledger before commit {one.commit.number}: {one.commit.why}")
    except CloudError as err:
        if err.kind is not ErrorKind.INTEGRITY:
            raise
        yield printable(str(err))
    if not writing.is_guarded(replica):
        yield (
            "the store can't write an object only if it is absent: of two runs at once, one may "
            "overwrite what the other has recorded, which the next run finds out again"
        )


def _left(replica: Endpoint) -> Iterator[str]:
    left = cleanup.cleanup([replica], older_than=timedelta(0), dry_run=True)
    if left.found:
        counts = ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in left.found.items())
        yield f"{counts} of runs that are under way, or were killed"
