"""What lies recorded beside a replica: its runs, and how it stands now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from itertools import islice
from typing import ClassVar

from airflow_multicloud.core import cleanup
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication import manifest
from airflow_multicloud.documents import Document
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.text import duration_text

#: How many runs an error names.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Run:
    """One run that was recorded beside a replica.

    :param started: the replica then held every change made at the source before this.
    :param objects: of the source that took part.
    :param deleted: extraneous objects that the run deleted here.
    :param latest: whether ``verify`` and ``fetch`` go by this one.
    """

    run_id: str
    replica: str
    source: str
    started: datetime
    finished: datetime
    objects: int
    deleted: int
    latest: bool
    manifest_uri: str


def runs(replica: Endpoint, *, limit: int) -> tuple[Run, ...]:
    """The runs recorded beside a replica, the newest first.

    One listing, and of each run's manifest the first and the last line.

    :raises StorageError: kind ``not_found`` when there is none.
    """
    newest = {latest.key: latest for latest in pointers(replica)}
    if not newest:
        raise no_manifest(replica)
    found = islice(_newest_first(replica, [*newest.values()]), limit)
    uri = str(replica.location)
    return tuple(
        Run(
            run_id=run.run_id,
            replica=uri,
            source=run.source,
            started=run.started,
            finished=run.finished,
            objects=run.objects,
            deleted=run.deleted,
            latest=run.key in newest,
            manifest_uri=str(replica.location.with_key(run.key)),
        )
        for run in found
    )


def no_manifest(replica: Endpoint) -> StorageError:
    """The error for a prefix that nothing was recorded beside."""
    others = sorted(
        {str(replica.location.with_key(m.replica)) for m in manifest.all_latest(replica)}
    )
    near = get_close_matches(str(replica.location), others, n=1, cutoff=0.6) or others[:1]
    meant = f"; did you mean {near[0]}?" if near else ""
    return StorageError(
        f"replica: {replica.location} has no manifest: it was not replicated by this package, or "
        f"this is not the prefix it was replicated to{meant}",
        kind=ErrorKind.NOT_FOUND,
        cloud=replica.cloud,
    )


def run_of(replica: Endpoint, latest: manifest.Latest, run_id: str) -> manifest.Latest:
    """The manifest of an earlier run.

    :raises StorageError: kind ``not_found`` when there is none, naming those that there are.
    """
    found = manifest.at_run(replica, latest, run_id)
    if found is not None:
        return found
    known = list(dict.fromkeys(map(manifest.run_id_of, manifest.recorded(replica, latest))))
    near = get_close_matches(run_id, known, n=1, cutoff=0.6)
    meant = f"; did you mean {near[0]}?" if near else f"; there are: {_some(known)}"
    raise StorageError(
        f"run_id: no run {run_id!r} is recorded at {replica.location}{meant}",
        kind=ErrorKind.NOT_FOUND,
        cloud=replica.cloud,
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} older" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def pointers(replica: Endpoint) -> list[manifest.Latest]:
    """The newest manifests of a replica, one for each of its sources.

    :raises StorageError: kind ``not_found``, naming ``replica``, when there is no bucket.
    """
    try:
        return manifest.latest_of(replica)
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        raise StorageError(
            f"replica: {replica.location}: no bucket {replica.bucket!r}",
            kind=ErrorKind.NOT_FOUND,
            cloud=replica.cloud,
            code=err.code,
        ) from err


def _newest_first(replica: Endpoint, newest: list[manifest.Latest]) -> Iterator[manifest.Latest]:
    listed = [(meta, latest) for latest in newest for meta in manifest.recorded(replica, latest)]
    listed.sort(key=lambda one: one[0].last_modified, reverse=True)
    for meta, latest in listed:
        yield latest if meta.key == latest.key else manifest.outline(replica, latest, meta)


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    """How a replica stands by what lies beside it; nothing is verified again.

    :param as_of: the replica holds every change made at the source before this.
    :param lag: from ``as_of`` to now.
    :param objects: that the replica should have.
    :param proven: how many are proven there.
    :param findings: what is not as it should be, a sentence each.
    """

    replica: str
    source: str
    run_id: str
    as_of: datetime
    lag: timedelta
    objects: int
    proven: int
    findings: tuple[str, ...]

    DOCUMENT: ClassVar = Document(
        ("replica", "source", "run_id", "as_of", "lag", "objects", "proven", "complete", "findings")
    )

    @property
    def complete(self) -> bool:
        """Whether every object of the latest run is proven here."""
        return self.objects == self.proven


def status(replica: Endpoint, *, max_lag: timedelta | None = None) -> tuple[ReplicaStatus, ...]:
    """How a replica stands, once for each source that was replicated to it.

    :param max_lag: more than this is a finding.
    :raises StorageError: kind ``not_found`` when nothing is recorded.
    """
    newest = pointers(replica)
    if not newest:
        raise no_manifest(replica)
    left = cleanup.cleanup([replica], older_than=timedelta(0), dry_run=True)
    now = datetime.now(UTC)
    return tuple(
        ReplicaStatus(
            replica=str(replica.location),
            source=latest.source,
            run_id=latest.run_id,
            as_of=latest.started,
            lag=now - latest.started,
            objects=latest.owed,
            proven=latest.proven,
            findings=tuple(_findings(latest, now - latest.started, max_lag, left)),
        )
        for latest in sorted(newest, key=lambda m: m.started, reverse=True)
    )


def _findings(
    latest: manifest.Latest,
    lag: timedelta,
    max_lag: timedelta | None,
    left: cleanup.CleanupReport,
) -> Iterator[str]:
    if latest.proven < latest.owed:
        yield f"{latest.owed - latest.proven} of {latest.owed} objects are not proven"
    if lag < timedelta(0):
        yield (
            f"the last run began {duration_text(-lag.total_seconds())} in the future: a clock is "
            "ahead, and the lag means nothing"
        )
    elif max_lag is not None and lag > max_lag:
        yield (
            f"the lag of {duration_text(lag.total_seconds())} is more than "
            f"{duration_text(max_lag.total_seconds())}"
        )
    if left.found:
        counts = ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in left.found.items())
        yield f"{counts} of runs that are under way, or were killed"
