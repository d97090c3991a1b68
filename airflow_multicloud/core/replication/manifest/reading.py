"""What the manifests of a replica say, and what they prove."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from msgspec.structs import replace

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication import items, records, retention
from airflow_multicloud.core.replication.items import Item, Proof
from airflow_multicloud.core.replication.manifest.lines import (
    LAST,
    Latest,
    header_of,
    index_in,
    read_last,
)
from airflow_multicloud.core.replication.manifest.names import MANIFEST
from airflow_multicloud.core.replication.records import intact
from airflow_multicloud.ports.object_store import ObjectMeta

#: Bytes within which a manifest's first line ends, and its last one begins.
_HEAD, _TAIL = 1 << 16, 1 << 12


def at_run(replica: Endpoint, latest: Latest, run_id: str) -> Latest | None:
    """The newest manifest of a run of the same replica and source, if there is one.

    Of a run that was recorded more than once there are several where a retention policy keeps
    them.

    :raises StorageError: kind ``integrity`` when it is damaged.
    """
    stem = f"{latest.key.rpartition('/')[0]}/{run_id}"
    found = retention.newest(m for m in replica.objects(stem) if run_id_of(m) == run_id)
    return outline(replica, latest, found) if found else None


def recorded(replica: Endpoint, latest: Latest) -> list[ObjectMeta]:
    """The manifests of a replica and its source, the newest first."""
    directory = latest.key.rpartition("/")[0]
    listed = replica.objects(f"{directory}/")
    return sorted(listed, key=lambda meta: (meta.last_modified, meta.key), reverse=True)


def run_id_of(recorded: ObjectMeta) -> str:
    """The run that a manifest is of."""
    return retention.stem_of(recorded.key.rpartition("/")[2], MANIFEST)


def outline(replica: Endpoint, latest: Latest, recorded: ObjectMeta) -> Latest:
    """What a manifest's first and last line say; what lies between is not read.

    ``proven`` and ``newest_source`` are the latest run's: only the pointer has them.
    """
    key, ref = recorded.key, replica.ref(recorded.key)
    with intact(replica, key):
        head = bytes(replica.store.get_object(ref, end=min(_HEAD, recorded.size)).read())
        tail = bytes(replica.store.get_object(ref, start=max(0, recorded.size - _TAIL)).read())
        header = header_of(replica, key, head.partition(b"\n")[0])
        footer = read_last(tail.rstrip(b"\n").rpartition(b"\n")[2])
        return replace(
            latest,
            key=key,
            run_id=run_id_of(recorded),
            root=footer.root,
            objects=footer.objects,
            started=header.started,
            finished=footer.finished,
            deleted=footer.deleted,
        )


def objects_of(replica: Endpoint, key: str) -> Iterator[tuple[Item, int]]:
    """A manifest's objects, each with this replica's index among the destinations.

    :raises StorageError: kind ``integrity`` when the manifest is damaged, cut off, or about
        another place.
    """
    with intact(replica, key):
        lines = records.lines(replica, key)
        index = index_in(header_of(replica, key, next(lines)), replica)
        line: bytes | None = None
        for following in lines:
            if line is not None:
                item = items.decoder.decode(line)
                if len(item.replicas) <= index:
                    raise ValueError(f"{item.name!r} has no replica of number {index}")
                item.modified.astimezone(UTC)  # fails for what is no time in UTC
                yield item, index
            line = following
        if line is None or not line.startswith(LAST):
            raise records.damaged(replica, key, "the manifest has no last line: it was cut off")
        read_last(line)


def proofs(replica: Endpoint, key: str) -> Iterator[tuple[str, Proof]]:
    """What a manifest (or a journal) proves about this replica, by object name."""
    for item, index in objects_of(replica, key):
        state = item.replicas[index]
        if state.outcome is not None and state.outcome.proven and state.etag is not None:
            yield (
                item.name,
                Proof(
                    item.etag,
                    item.size,
                    state.etag,
                    item.digests,
                    state.confirmed,
                    state.version,
                    state.not_kept,
                    state.attributes,
                    state.tags,
                    state.seen,
                ),
            )
