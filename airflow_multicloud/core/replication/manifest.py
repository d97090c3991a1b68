"""Manifests: the record of a run, kept as objects beside every replica.

``.airflow-multicloud/manifests/<replica>-<source>/<run>.jsonl`` in the replica's bucket, where
``<replica>`` and ``<source>`` are short hashes of the two prefixes. The first line is the
header, the last one the footer with counts and Merkle root, each line between is one object
(:mod:`items`). ``.airflow-multicloud/latest/<replica>-<source>.json`` names the newest complete
manifest and is written last, so a reader sees the old one or the new one; where a retention policy
keeps it, a new one lies beside it, with a time in its name.
``.airflow-multicloud/journals/<replica>-<source>/`` has the objects finished by a run that has
not ended yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from airflow_multicloud import known_clouds
from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.replication import items, records, retention
from airflow_multicloud.core.replication.items import AwareTime, Item, Proof
from airflow_multicloud.core.replication.records import intact, known_version
from airflow_multicloud.core.replication.report import Tally
from airflow_multicloud.core.streams import put_stream
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectAttributes, ObjectMeta, WriteOptions

FORMAT = 1
_LATEST = f"{RESERVED_PREFIX}latest/"
_POINTER = ".json"
_JSON_LINES = WriteOptions(attributes=ObjectAttributes(content_type="application/x-ndjson"))
#: Bytes within which a manifest's first line ends, and its last one begins.
_HEAD, _TAIL = 1 << 16, 1 << 12
_JSON = WriteOptions(attributes=ObjectAttributes(content_type="application/json"))


@dataclass(frozen=True, slots=True)
class Header:
    """Who copied what to where, and when. URIs carry no credentials."""

    run_id: str
    source: str
    destinations: tuple[str, ...]
    started: datetime


class Latest(msgspec.Struct, frozen=True):
    """The pointer to the newest complete manifest of a replica.

    :param replica: the replica's prefix.
    :param proven: how many of the objects are proven at this replica.
    :param started: the replica holds every change made at the source before this.
    :param newest_source: when the newest object at the source was last modified.
    :param deleted: how many extraneous objects the run deleted at this replica.
    :param version: of the pointer's and the manifest's format.
    :param reserved: how many of the objects were left out, as their keys are kept for this
        package's own files.
    """

    key: str
    run_id: str
    source: str
    replica: str
    root: str
    objects: int
    proven: int
    started: AwareTime
    finished: AwareTime
    newest_source: AwareTime | None
    deleted: int = 0
    version: int = FORMAT
    reserved: int = 0

    @property
    def owed(self) -> int:
        """How many objects the replica should have."""
        return self.objects - self.reserved


class _FirstLine(msgspec.Struct):
    """A manifest's header.

    ``replica`` says which of the destinations the manifest lies at: without their connections
    two of them may look the same.
    """

    manifest: int
    run_id: str
    source: str
    destinations: tuple[str, ...]
    replica: int
    started: AwareTime


class _LastLine(msgspec.Struct):
    """A manifest's footer; a journal proves nothing as a whole, and has no root."""

    end: bool
    objects: int
    root: str
    finished: AwareTime
    deleted: int


def place(endpoint: str) -> str:
    """A URI without its connection id and with one scheme for those that mean the same place.

    It is the same data, whoever reaches it and however it is spelt.
    """
    scheme, _, rest = endpoint.partition("://")
    authority, _, key = rest.partition("/")
    return f"{known_clouds.canonical_scheme(scheme)}://{authority.rpartition('@')[2]}/{key}"


def _identity(replica: Endpoint, source: str) -> str:
    return f"{_short(replica.location.key)}-{_short(place(source))}"


def _directory(kind: str, replica: Endpoint, source: str) -> str:
    return f"{RESERVED_PREFIX}{kind}/{_identity(replica, source)}"


def _file(
    replica: Endpoint,
    header: Header,
    lines: Iterable[bytes],
    *,
    objects: int,
    root: str = "",
    deleted: int = 0,
) -> Iterator[bytes]:
    yield _line(
        _FirstLine(
            FORMAT,
            header.run_id,
            place(header.source),
            tuple(map(place, header.destinations)),
            header.destinations.index(str(replica.location)),
            header.started,
        )
    )
    for line in lines:
        yield line + b"\n"
    yield _line(_LastLine(True, objects, root, _now(), deleted))


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
        f"{_directory('manifests', replica, header.source)}/{header.run_id}",
        ".jsonl",
        lambda: _file(replica, header, lines, objects=tally.objects, root=root, deleted=deleted),
        _JSON_LINES,
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
        finished=_now(),
        newest_source=tally.newest,
        deleted=deleted,
        reserved=tally.reserved(index),
    )
    stem = _directory("latest", replica, header.source)
    pointer = retention.write_anew(replica, stem, _POINTER, lambda: [_encode(latest)], _JSON)
    if pointer != stem + _POINTER:
        older = [m.key for m in _pointers(replica, stem) if m.key != pointer]
        retention.delete_all(replica, older, "earlier pointers to manifests")
    return latest


def read_latest(replica: Endpoint, source: str) -> Latest | None:
    """The newest complete manifest of a replica of this source, if there is one."""
    return _newest_at(replica, _directory("latest", replica, source))


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
    return retention.stem_of(recorded.key.rpartition("/")[2], ".jsonl")


def outline(replica: Endpoint, latest: Latest, recorded: ObjectMeta) -> Latest:
    """What a manifest's first and last line say; what lies between is not read.

    ``proven`` and ``newest_source`` are the latest run's: only the pointer has them.
    """
    key, ref = recorded.key, replica.ref(recorded.key)
    with intact(replica, key):
        head = bytes(replica.store.get_object(ref, end=min(_HEAD, recorded.size)).read())
        tail = bytes(replica.store.get_object(ref, start=max(0, recorded.size - _TAIL)).read())
        header = _header(replica, key, head.partition(b"\n")[0])
        footer = _read_last(tail.rstrip(b"\n").rpartition(b"\n")[2])
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


def all_latest(place: Endpoint) -> Iterator[Latest]:
    """The newest manifest of every replica in a bucket, for each source."""
    return _newest_of(place, _pointers(place, _LATEST))


def latest_of(replica: Endpoint) -> list[Latest]:
    """The newest manifests of exactly this replica, one for each source.

    Those of other replicas in the bucket are not read.
    """
    key = replica.location.key
    listed = _pointers(replica, f"{_LATEST}{_short(key)}-")
    return [latest for latest in _newest_of(replica, listed) if latest.replica == key]


def find_latest(copy: Endpoint) -> tuple[Latest, ...]:
    """The newest manifests about a replica, or about replicas that an object belongs to.

    One for each source; those of the narrowest replica come first.
    """
    key = copy.location.key
    prefixes = {key, ""} | {key[: i + 1] for i, letter in enumerate(key) if letter == "/"}
    hashes = {_short(prefix) for prefix in prefixes}
    pointers = (
        meta
        for meta in _pointers(copy, _LATEST)
        if meta.key[len(_LATEST) :].partition("-")[0] in hashes
    )
    found = _newest_of(copy, pointers)
    return tuple(sorted(found, key=lambda latest: len(latest.replica), reverse=True))


def objects_of(replica: Endpoint, key: str) -> Iterator[tuple[Item, int]]:
    """A manifest's objects, each with this replica's index among the destinations.

    :raises StorageError: kind ``integrity`` when the manifest is damaged, cut off, or about
        another place.
    """
    with intact(replica, key):
        lines = records.lines(replica, key)
        index = _index(_header(replica, key, next(lines)), replica)
        line: bytes | None = None
        for following in lines:
            if line is not None:
                item = items.decoder.decode(line)
                if len(item.replicas) <= index:
                    raise ValueError(f"{item.name!r} has no replica of number {index}")
                item.modified.astimezone(UTC)  # fails for what is no time in UTC
                yield item, index
            line = following
        if line is None or not line.startswith(_LAST):
            raise records.damaged(replica, key, "the manifest has no last line: it was cut off")
        _read_last(line)


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
    directory = _directory("journals", replica, header.source)
    key = f"{directory}/{header.run_id}-{attempt}-{sequence:06d}.jsonl"
    file = _file(replica, header, map(items.dump, finished), objects=len(finished))
    put_stream(replica, key, file, _JSON_LINES)


def journals(replica: Endpoint, source: str, *, since: datetime | None = None) -> list[str]:
    """The keys of the journals that runs which did not end have left, oldest first.

    :param since: when the latest run began: what was written before is superseded by it, and is
        still there only where a retention policy keeps it.
    """
    prefix = f"{_directory('journals', replica, source)}/"
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
        latest = _newest_at(place, f"{_LATEST}{directory}")
    except CloudError as err:
        if err.kind not in records.UNREADABLE:
            raise
        return False
    return latest is not None and latest.started > journal.last_modified


def _replica_of(place: Endpoint, key: str) -> str:
    with intact(place, key):
        header = _header(place, key, next(records.lines(place, key)))
        # "s3://bucket/key": places carry no connection.
        return header.destinations[header.replica].partition("://")[2].partition("/")[2]


def delete_journals(replica: Endpoint, keys: Sequence[str]) -> str | None:
    """Delete journals that a complete manifest has made superfluous; which stay, and why."""
    return retention.delete_all(replica, keys, "journals of runs that have ended")


def _pointers(replica: Endpoint, prefix: str) -> list[ObjectMeta]:
    listed = replica.objects(prefix)
    return sorted(listed, key=lambda meta: (meta.last_modified, meta.key))


def _newest_at(replica: Endpoint, stem: str) -> Latest | None:
    newest = retention.newest(_pointers(replica, stem))
    return _latest_at(replica, newest.key) if newest else None


def _newest_of(replica: Endpoint, pointers: Iterable[ObjectMeta]) -> Iterator[Latest]:
    """What the newest version of each pointer says."""
    versions: dict[str, list[ObjectMeta]] = {}
    for meta in pointers:
        versions.setdefault(retention.stem_of(meta.key, _POINTER), []).append(meta)
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
        latest = _read_latest(body)
        for time in (latest.started, latest.finished, latest.newest_source):
            if time is not None:
                time.astimezone(UTC)  # fails for what is no time in UTC
        return latest


def _header(replica: Endpoint, key: str, line: bytes) -> _FirstLine:
    known_version(replica, key, line, "manifest", FORMAT)
    return _read_first(line)


def _index(header: _FirstLine, replica: Endpoint) -> int:
    here = place(str(replica.location))
    # A manifest may name its destinations as its writer spelt them.
    if here not in map(place, header.destinations):
        raise StorageError(
            f"the manifest is not about {here}",
            kind=ErrorKind.INTEGRITY,
            cloud=replica.cloud,
        )
    if not 0 <= header.replica < len(header.destinations):
        raise ValueError(f"there is no destination of number {header.replica}")
    return header.replica


def _line(doc: _FirstLine | _LastLine) -> bytes:
    return _encode(doc) + b"\n"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _now() -> datetime:
    return datetime.now(UTC)


_encode = msgspec.json.Encoder().encode
_LAST = b'{"end":true,'
_read_first = msgspec.json.Decoder(_FirstLine).decode
_read_last = msgspec.json.Decoder(_LastLine).decode
_read_latest = msgspec.json.Decoder(Latest).decode
