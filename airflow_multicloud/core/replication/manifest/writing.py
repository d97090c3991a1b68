"""A run's manifest, written and made the newest."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication import retention
from airflow_multicloud.core.replication.manifest.lines import (
    JSON_LINES,
    Header,
    Latest,
    encode,
    file_of,
    now,
)
from airflow_multicloud.core.replication.manifest.names import (
    MANIFEST,
    POINTER,
    directory_of,
    place,
)
from airflow_multicloud.core.replication.manifest.pointers import pointers_below
from airflow_multicloud.core.replication.report import Tally
from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions

_JSON = WriteOptions(attributes=ObjectAttributes(content_type="application/json"))


def write(
    replica: Endpoint, header: Header, lines: Iterable[bytes], tally: Tally, *, deleted: int = 0
) -> Latest:
    """Write a complete manifest, then make it the latest one.

    :param lines: the objects as :func:`items.dump` writes them, by name in UTF-8 byte order.
    :param tally: has counted the same objects.
    :param deleted: how many extraneous objects were deleted here.
    """
    root = tally.root
    index = header.destinations.index(str(replica.location))
    key = retention.write_anew(
        replica,
        f"{directory_of('manifests', replica, header.source)}/{header.run_id}",
        MANIFEST,
        lambda: file_of(replica, header, lines, objects=tally.objects, root=root, deleted=deleted),
        JSON_LINES,
    )
    latest = Latest(
        key=key,
        run_id=header.run_id,
        source=place(header.source),
        replica=replica.location.key,
        root=root,
        objects=tally.objects,
        proven=tally.proven(index),
        started=header.started,
        finished=now(),
        newest_source=tally.newest,
        deleted=deleted,
        reserved=tally.reserved(index),
    )
    stem = directory_of("latest", replica, header.source)
    pointer = retention.write_anew(replica, stem, POINTER, lambda: [encode(latest)], _JSON)
    if pointer != stem + POINTER:
        older = [m.key for m in pointers_below(replica, stem) if m.key != pointer]
        retention.delete_all(replica, older, "earlier pointers to manifests")
    return latest
