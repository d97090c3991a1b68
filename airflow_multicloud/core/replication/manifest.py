"""Manifests: the record of a run, kept as objects beside every replica.

``.airflow-multicloud/manifests/<replica>-<source>/<run>.jsonl`` in the replica's bucket, where
``<replica>`` and ``<source>`` are short hashes of the two prefixes. The first line is the
header, the last one the footer with counts and Merkle root, each line between is one object
(:mod:`items`). ``.airflow-multicloud/latest/<replica>-<source>.json`` names the newest complete
manifest and is written last, so a reader sees the old one or the new one.
``.airflow-multicloud/journals/<replica>-<source>/`` has the objects finished by a run that has
not ended yet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from airflow_multicloud import registry
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.replication import items
from airflow_multicloud.core.replication.items import Item, Proof
from airflow_multicloud.core.replication.merkle import MerkleTree
from airflow_multicloud.core.replication.records import aware_time, documents, intact, of_type
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    ObjectAttributes,
    WriteOptions,
)

FORMAT = 1
_JSON_LINES = WriteOptions(attributes=ObjectAttributes(content_type="application/x-ndjson"))
_JSON = WriteOptions(attributes=ObjectAttributes(content_type="application/json"))


@dataclass(frozen=True, slots=True)
class Header:
    """Who copied what to where, and when. URIs carry no credentials."""

    run_id: str
    source: str
    destinations: tuple[str, ...]
    started: datetime


@dataclass(frozen=True, slots=True)
class Latest:
    """The pointer to the newest complete manifest of a replica.

    :param replica: the replica's prefix.
    :param proven: how many of the objects are proven at this replica.
    :param started: the replica holds every change made at the source before this.
    :param newest_source: when the newest object at the source was last modified.
    """

    key: str
    run_id: str
    source: str
    replica: str
    root: str
    objects: int
    proven: int
    started: datetime
    finished: datetime
    newest_source: datetime | None


def place(endpoint: str) -> str:
    """A URI without its connection id and with one scheme for those that mean the same place.

    It is the same data, whoever reaches it and however it is spelt.
    """
    scheme, _, rest = endpoint.partition("://")
    authority, _, key = rest.partition("/")
    return f"{registry.canonical_scheme(scheme)}://{authority.rpartition('@')[2]}/{key}"


def _identity(replica: Endpoint, source: str) -> str:
    return f"{_short(replica.location.key)}-{_short(place(source))}"


def _directory(kind: str, replica: Endpoint, source: str) -> str:
    return f"{RESERVED_PREFIX}{kind}/{_identity(replica, source)}"


def lines(
    replica: Endpoint, header: Header, objects: Iterable[Item], tree: MerkleTree
) -> Iterator[bytes]:
    """The manifest as JSON lines; ``tree`` has every object added when this is exhausted.

    ``replica`` in the header says which of the destinations the manifest lies at: without
    their connections two of them may look the same.
    """
    yield _line(
        {
            "manifest": FORMAT,
            "run_id": header.run_id,
            "source": place(header.source),
            "destinations": [place(d) for d in header.destinations],
            "replica": header.destinations.index(str(replica.location)),
            "started": header.started.isoformat(),
        }
    )
    count = 0
    for item in objects:
        count += 1
        tree.add(item)
        yield items.dump(item).encode() + b"\n"
    yield _line(
        {"end": True, "objects": count, "root": tree.root(), "finished": _now().isoformat()}
    )


def write(
    replica: Endpoint,
    header: Header,
    objects: Iterable[Item],
    *,
    newest_source: datetime | None,
) -> Latest:
    """Write a complete manifest, then make it the latest one."""
    key = f"{_directory('manifests', replica, header.source)}/{header.run_id}.jsonl"
    index = header.destinations.index(str(replica.location))
    tree = MerkleTree()
    count = proven = 0

    def counted() -> Iterator[Item]:
        nonlocal count, proven
        for item in objects:
            outcome = item.replicas[index].outcome
            count += 1
            proven += outcome is not None and outcome.proven
            yield item

    put_stream(replica, key, lines(replica, header, counted(), tree), _JSON_LINES)
    latest = Latest(
        key=key,
        run_id=header.run_id,
        source=place(header.source),
        replica=replica.location.key,
        root=tree.root(),
        objects=count,
        proven=proven,
        started=header.started,
        finished=_now(),
        newest_source=newest_source,
    )
    body = json.dumps(
        {
            "key": latest.key,
            "run_id": latest.run_id,
            "source": latest.source,
            "replica": latest.replica,
            "root": latest.root,
            "objects": latest.objects,
            "proven": latest.proven,
            "started": latest.started.isoformat(),
            "finished": latest.finished.isoformat(),
            "newest_source": newest_source and newest_source.isoformat(),
        }
    ).encode()
    put_stream(replica, f"{_directory('latest', replica, header.source)}.json", [body], _JSON)
    return latest


def read_latest(replica: Endpoint, source: str) -> Latest | None:
    """The newest complete manifest of a replica of this source, if there is one."""
    return _latest_at(replica, f"{_directory('latest', replica, source)}.json")


def at_run(replica: Endpoint, latest: Latest, run_id: str) -> Latest:
    """The manifest of an earlier run of the same replica and source.

    :raises StorageError: kind ``not_found`` when there is none, ``integrity`` when it is
        damaged.
    """
    key = f"{latest.key.rpartition('/')[0]}/{run_id}.jsonl"
    with intact(replica, key):
        lines = read(replica, key)
        header = next(lines)
        *_, footer = lines
        return replace(
            latest,
            key=key,
            run_id=run_id,
            root=footer["root"],
            objects=footer["objects"],
            started=aware_time(header["started"]),
            finished=aware_time(footer["finished"]),
        )


def find_latest(copy: Endpoint) -> tuple[Latest, ...]:
    """The newest manifests about a replica, or about replicas that an object belongs to.

    One for each source; those of the narrowest replica come first.
    """
    key = copy.location.key
    prefixes = {key, ""} | {key[: i + 1] for i, letter in enumerate(key) if letter == "/"}
    hashes = {_short(prefix) for prefix in prefixes}
    root = f"{RESERVED_PREFIX}latest/"
    found = [
        latest
        for meta in copy.store.list_objects(copy.bucket, root)
        if meta.key[len(root) :].partition("-")[0] in hashes
        and (latest := _latest_at(copy, meta.key)) is not None
    ]
    return tuple(sorted(found, key=lambda latest: len(latest.replica), reverse=True))


def read(replica: Endpoint, key: str) -> Iterator[dict[str, Any]]:
    """A manifest's lines, parsed, header first, footer last.

    :raises StorageError: kind ``integrity`` when the footer is missing or a line is broken.
    """
    last: dict[str, Any] = {}
    for last in documents(replica, key):
        yield last
    if not last.get("end"):
        raise StorageError(
            f"{replica.location.with_key(key)}: the manifest has no last line; it was cut off",
            kind=ErrorKind.INTEGRITY,
            cloud=replica.cloud,
        )


def objects_of(replica: Endpoint, key: str) -> Iterator[tuple[Item, int]]:
    """A manifest's objects, each with this replica's index among the destinations.

    :raises StorageError: kind ``integrity`` when the manifest is damaged or about another place.
    """
    with intact(replica, key):
        lines = read(replica, key)
        index = _index(next(lines, {}), replica)
        for doc in lines:
            if "name" in doc:
                yield items.from_document(doc), index


def proofs(replica: Endpoint, key: str) -> Iterator[tuple[str, Proof]]:
    """What a manifest (or a journal) proves about this replica, by object name."""
    index: int | None = None
    for doc in documents(replica, key):
        if index is None:
            index = _index(doc, replica)
        elif "name" in doc:
            with intact(replica, key):
                item = items.from_document(doc)
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
                    ),
                )


def write_journal(
    replica: Endpoint, header: Header, sequence: int, finished: Iterable[Item]
) -> None:
    """Record objects finished by a run under way, for the next try if this one is killed."""
    directory = _directory("journals", replica, header.source)
    key = f"{directory}/{header.run_id}-{sequence:06d}.jsonl"
    put_stream(replica, key, lines(replica, header, finished, MerkleTree()), _JSON_LINES)


def journals(replica: Endpoint, source: str) -> list[str]:
    """The keys of the journals that runs which did not end have left, oldest first."""
    prefix = f"{_directory('journals', replica, source)}/"
    listed = sorted(
        replica.store.list_objects(replica.bucket, prefix), key=lambda m: (m.last_modified, m.key)
    )
    return [meta.key for meta in listed]


def delete_journals(replica: Endpoint, keys: Iterable[str]) -> None:
    """Delete journals that a complete manifest has made superfluous."""
    for key in keys:
        try:
            replica.store.delete_object(replica.ref(key))
        except CloudError as err:
            if err.kind is not ErrorKind.NOT_FOUND:  # A concurrent run tidied up as well.
                raise


def _latest_at(replica: Endpoint, key: str) -> Latest | None:
    try:
        body = replica.store.get_object(replica.ref(key)).read()
    except CloudError as err:
        if err.kind is ErrorKind.NOT_FOUND:
            return None
        raise
    with intact(replica, key):
        doc: Mapping[str, Any] = json.loads(bytes(body))
        newest = doc["newest_source"]
        return Latest(
            key=of_type(str, doc["key"]),
            run_id=of_type(str, doc["run_id"]),
            source=of_type(str, doc["source"]),
            replica=of_type(str, doc["replica"]),
            root=of_type(str, doc["root"]),
            objects=of_type(int, doc["objects"]),
            proven=of_type(int, doc["proven"]),
            started=aware_time(doc["started"]),
            finished=aware_time(doc["finished"]),
            newest_source=None if newest is None else aware_time(newest),
        )


def _index(header: Mapping[str, Any], replica: Endpoint) -> int:
    here = place(str(replica.location))
    # A manifest may name its destinations as its writer spelt them.
    if header.get("manifest") != FORMAT or here not in map(place, header["destinations"]):
        raise StorageError(
            f"the manifest is not about {here}, or of an unknown format",
            kind=ErrorKind.INTEGRITY,
            cloud=replica.cloud,
        )
    return int(header["replica"])


def _line(doc: Mapping[str, Any]) -> bytes:
    return json.dumps(doc, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _now() -> datetime:
    return datetime.now(UTC)
