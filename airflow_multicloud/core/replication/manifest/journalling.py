"""Journals: what a run that has not ended yet has finished."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.replication import items, records, retention
from airflow_multicloud.core.replication.items import Item
from airflow_multicloud.core.replication.manifest.lines import (
    JSON_LINES,
    Header,
    file_of,
    header_of,
)
from airflow_multicloud.core.replication.manifest.names import LATEST, directory_of
from airflow_multicloud.core.replication.manifest.pointers import newest_at
from airflow_multicloud.core.replication.records import intact
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.errors import CloudError
from airflow_multicloud.ports.object_store import ObjectMeta


def write_journal(
    replica: Endpoint,
    header: Header,
    sequence: int,
    finished: Sequence[Item],
    *,
    attempt: str = "0",
) -> None:
    """Record objects finished by a run under way, for the next try if this one is killed.

    :param attempt: tells the tries of one run apart.
    """
    directory = directory_of("journals", replica, header.source)
    key = f"{directory}/{header.run_id}-{attempt}-{sequence:06d}.jsonl"
    file = file_of(replica, header, map(items.dump, finished), objects=len(finished))
    put_stream(replica, key, file, JSON_LINES)


def journals(replica: Endpoint, source: str, *, since: datetime | None = None) -> list[str]:
    """The keys of the journals that runs which did not end have left, oldest first.

    :param since: when the latest run began: what was written before is superseded by it, and is
        still there only where a retention policy keeps it.
    """
    prefix = f"{directory_of('journals', replica, source)}/"
    listed = sorted(replica.objects(prefix), key=lambda m: (m.last_modified, m.key))
    return [meta.key for meta in listed if since is None or meta.last_modified >= since]


def all_journals(place: Endpoint) -> Iterator[ObjectMeta]:
    """The journals of every replica below a prefix, whatever its source.

    One that can't be read is only among those of the whole bucket.
    """
    for meta in place.objects(f"{RESERVED_PREFIX}journals/"):
        try:
            below = _replica_of(place, meta.key).startswith(place.location.key)
        except CloudError as err:
            if err.kind not in records.UNREADABLE:
                raise
            below = place.location.key == ""
        if below:
            yield meta


def is_over(place: Endpoint, journal: ObjectMeta) -> bool:
    """Whether a complete manifest has superseded a journal: its run, or a later one, ended.

    A pointer that can't be read says nothing of it.
    """
    directory = journal.key.rpartition("/")[0].removeprefix(f"{RESERVED_PREFIX}journals/")
    try:
        latest = newest_at(place, f"{LATEST}{directory}")
    except CloudError as err:
        if err.kind not in records.UNREADABLE:
            raise
        return False
    return latest is not None and latest.started > journal.last_modified


def _replica_of(place: Endpoint, key: str) -> str:
    with intact(place, key):
        header = header_of(place, key, next(records.lines(place, key)))
        # "s3://bucket/key": places carry no connection.
        return header.destinations[header.replica].partition("://")[2].partition("/")[2]


def delete_journals(replica: Endpoint, keys: Sequence[str]) -> str | None:
    """Delete journals that a complete manifest has made superfluous; which stay, and why."""
    return retention.delete_all(replica, keys, "journals of runs that have ended")
