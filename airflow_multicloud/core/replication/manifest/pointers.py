"""Which manifest of a replica is the newest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication import records, retention
from airflow_multicloud.core.replication.manifest.lines import FORMAT, Latest, read_pointer
from airflow_multicloud.core.replication.manifest.names import LATEST, POINTER, directory_of, short
from airflow_multicloud.core.replication.records import intact, known_version
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import ObjectMeta


def read_latest(replica: Endpoint, source: str) -> Latest | None:
    """The newest complete manifest of a replica of this source, if there is one."""
    return newest_at(replica, directory_of("latest", replica, source))


def all_latest(place: Endpoint) -> Iterator[Latest]:
    """The newest manifest of every replica in a bucket, for each source."""
    return newest_of(place, pointers_below(place, LATEST))


def latest_of(replica: Endpoint) -> list[Latest]:
    """The newest manifests of exactly this replica, one for each source.

    Those of other replicas in the bucket are not read.
    """
    key = replica.location.key
    listed = pointers_below(replica, f"{LATEST}{short(key)}-")
    return [latest for latest in newest_of(replica, listed) if latest.replica == key]


def find_latest(copy: Endpoint) -> tuple[Latest, ...]:
    """The newest manifests about a replica, or about replicas that an object belongs to.

    One for each source; those of the narrowest replica come first.
    """
    key = copy.location.key
    prefixes = {key, ""} | {key[: i + 1] for i, letter in enumerate(key) if letter == "/"}
    hashes = {short(prefix) for prefix in prefixes}
    pointers = (
        meta
        for meta in pointers_below(copy, LATEST)
        if meta.key[len(LATEST) :].partition("-")[0] in hashes
    )
    found = newest_of(copy, pointers)
    return tuple(sorted(found, key=lambda latest: len(latest.replica), reverse=True))


def pointers_below(replica: Endpoint, prefix: str) -> list[ObjectMeta]:
    """The pointers whose keys begin with a prefix, the oldest first."""
    listed = replica.objects(prefix)
    return sorted(listed, key=lambda meta: (meta.last_modified, meta.key))


def newest_at(replica: Endpoint, stem: str) -> Latest | None:
    """What the newest version of one pointer says, if it is there."""
    newest = retention.newest(pointers_below(replica, stem))
    return _latest_at(replica, newest.key) if newest else None


def newest_of(replica: Endpoint, pointers: Iterable[ObjectMeta]) -> Iterator[Latest]:
    """What the newest version of each pointer says."""
    versions: dict[str, list[ObjectMeta]] = {}
    for meta in pointers:
        versions.setdefault(retention.stem_of(meta.key, POINTER), []).append(meta)
    for listed in versions.values():
        newest = retention.newest(listed)
        if newest is not None and (latest := _latest_at(replica, newest.key)) is not None:
            yield latest


def _latest_at(replica: Endpoint, key: str) -> Latest | None:
    try:
        body = records.whole(replica, key)
    except CloudError as err:
        if err.kind is ErrorKind.NOT_FOUND:
            return None
        raise
    known_version(replica, key, body, "version", FORMAT)
    with intact(replica, key):
        latest = read_pointer(body)
        for time in (latest.started, latest.finished, latest.newest_source):
            if time is not None:
                time.astimezone(UTC)  # fails for what is no time in UTC
        return latest
