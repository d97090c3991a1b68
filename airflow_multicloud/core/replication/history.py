"""What lies recorded beside a replica: the runs that wrote to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from itertools import islice

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.ledger.chain import chain
from airflow_multicloud.core.ledger.commits import Commit, Step
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.core.replication.freshness import is_known
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.text import printable

#: How many runs an error names.
_NAMED = 3
#: So many commits are gone through for a run: each is a request.
_FURTHEST = 2_000

_LAST = (Step.END, Step.UPLOAD)


@dataclass(frozen=True, slots=True)
class Run:
    """One run that has ended, as its last commit says; texts are printable.

    :param commit: the commit's number.
    :param ledger_root: the commit's root.
    :param prefix: what it wrote below, in the bucket; one key for a single object.
    :param source: without a connection; ``None`` if it is not told.
    :param selection: which objects it looked at.
    :param started: when it began.
    :param finished: when it had ended.
    :param objects: of the source that took part; ``None``: a later run had looked before it ended.
    :param changed: entries of the ledger that this commit changed.
    :param deleted: extraneous objects that the run deleted here.
    """

    run_id: str
    replica: str
    commit: int
    ledger_root: str
    commit_uri: str
    prefix: str
    source: str | None
    selection: str
    started: datetime
    finished: datetime
    objects: int | None
    changed: int
    deleted: int


def runs(replica: Endpoint, *, limit: int) -> tuple[Run, ...]:
    """The runs recorded beside a replica, the newest first.

    One page of a listing, and each commit of the bucket's ledger as far back as needed.

    :raises StorageError: kind ``not_found`` when there is none; ``invalid_argument`` for a limit
        below 1.
    """
    if limit < 1:
        raise StorageError(
            f"limit: {limit} given, expected 1 or more", kind=ErrorKind.INVALID_ARGUMENT
        )
    head = newest(replica)
    ended = (one for one in _about(replica, head) if one.commit.step in _LAST)
    found = tuple(_run(replica, one) for one in islice(ended, limit))
    if not found and not is_known(replica, head):
        raise nothing_recorded(replica, head)
    return found


def find_newest(replica: Endpoint) -> Head | None:
    """The newest commit of the bucket's ledger, if it has one.

    :raises StorageError: kind ``not_found``, naming ``replica``, when there is no bucket.
    """
    try:
        return reading.newest(replica)
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        raise StorageError(
            f"replica: {replica.location}: no bucket {replica.bucket!r}",
            kind=ErrorKind.NOT_FOUND,
            cloud=replica.cloud,
            code=err.code,
        ) from err


def newest(replica: Endpoint) -> Head:
    """The newest commit of the bucket's ledger.

    :raises StorageError: kind ``not_found``, naming ``replica``, when there is none.
    """
    head = find_newest(replica)
    if head is None:
        raise nothing_recorded(replica, None)
    return head


def nothing_recorded(replica: Endpoint, head: Head | None) -> StorageError:
    """The error for a place that no ledger knows.

    :param head: what the bucket's ledger says, if it has one.
    """
    meant = ""
    if head is not None:
        known = {look.prefix for look in head.commit.looks}
        known |= {entry.key for entry in head.commit.recent}
        others = sorted(str(replica.location.with_key(key)) for key in known)
        near = get_close_matches(str(replica.location), others) or others
        meant = f"; did you mean {near[0]}?" if near else ""
    return StorageError(
        f"replica: {replica.location} is in no ledger: nothing was replicated or uploaded to it by "
        f"this package, or this is not the prefix it was replicated to{meant}",
        kind=ErrorKind.NOT_FOUND,
        cloud=replica.cloud,
    )


def run_of(replica: Endpoint, head: Head, run_id: str) -> Head:
    """The last commit of an earlier run.

    :raises StorageError: kind ``not_found`` when there is none, naming those that there are.
    """
    known: dict[str, None] = {}
    for one in _about(replica, head):
        if one.commit.identity.run_id == run_id:
            return one
        known[one.commit.identity.run_id] = None
    near = get_close_matches(run_id, known)
    meant = f"; did you mean {near[0]}?" if near else f"; there are: {_some([*known])}"
    raise StorageError(
        f"run_id: no run {run_id!r} is recorded at {replica.location}{meant}",
        kind=ErrorKind.NOT_FOUND,
        cloud=replica.cloud,
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} older" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _about(replica: Endpoint, head: Head) -> Iterator[Head]:
    """The commits that say something of a place, the newest first."""
    for one in islice(chain(head, 1), _FURTHEST):
        if overlaps(one.commit.prefix, replica.location.key):
            yield one


def overlaps(written: str, asked: str) -> bool:
    """Whether what a run writes below, or one key, has a part in common with another place."""
    around = asked.startswith(written) and (written in ("", asked) or written.endswith("/"))
    within = written.startswith(asked) and (asked in ("", written) or asked.endswith("/"))
    return around or within


def _run(replica: Endpoint, one: Head) -> Run:
    commit = one.commit
    look = next((look for look in commit.looks if _is_of(commit, look.run_id, look.prefix)), None)
    is_one = commit.prefix != "" and not commit.prefix.endswith("/")
    return Run(
        run_id=printable(commit.identity.run_id),
        replica=str(replica.location),
        commit=commit.number,
        ledger_root=one.root,
        commit_uri=one.uri,
        prefix=printable(commit.prefix),
        source=None if commit.source is None else printable(commit.source),
        selection=printable(str(look.selection)) if look else "",
        started=commit.started or commit.made_at,
        finished=commit.made_at,
        objects=look.objects if look else 1 if is_one else None,
        changed=commit.changed,
        deleted=commit.deleted,
    )


def _is_of(commit: Commit, run_id: str, prefix: str) -> bool:
    return (run_id, prefix) == (commit.identity.run_id, commit.prefix)
