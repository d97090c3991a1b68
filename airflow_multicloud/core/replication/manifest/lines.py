"""What the records of a run are written as: pointers, and the lines of manifests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication.items import AwareTime
from airflow_multicloud.core.replication.manifest.names import place
from airflow_multicloud.core.replication.records import known_version
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions

FORMAT = 1
JSON_LINES = WriteOptions(attributes=ObjectAttributes(content_type="application/x-ndjson"))


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


class FirstLine(msgspec.Struct):
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


class LastLine(msgspec.Struct):
    """A manifest's footer; a journal proves nothing as a whole, and has no root."""

    end: bool
    objects: int
    root: str
    finished: AwareTime
    deleted: int


encode = msgspec.json.Encoder().encode
#: How a manifest's last line begins.
LAST = b'{"end":true,'
read_last = msgspec.json.Decoder(LastLine).decode
read_pointer = msgspec.json.Decoder(Latest).decode
_read_first = msgspec.json.Decoder(FirstLine).decode


def file_of(
    replica: Endpoint,
    header: Header,
    lines: Iterable[bytes],
    *,
    objects: int,
    root: str = "",
    deleted: int = 0,
) -> Iterator[bytes]:
    """A record's lines: its header, the objects, its footer."""
    yield _line(
        FirstLine(
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
    yield _line(LastLine(True, objects, root, now(), deleted))


def header_of(replica: Endpoint, key: str, line: bytes) -> FirstLine:
    """The header that a record begins with.

    :raises StorageError: kind ``unsupported`` for a version that this release does not know.
    """
    known_version(replica, key, line, "manifest", FORMAT)
    return _read_first(line)


def index_in(header: FirstLine, replica: Endpoint) -> int:
    """Which of the destinations in a header this replica is.

    :raises StorageError: kind ``integrity`` when it is none of them.
    """
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


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def _line(doc: FirstLine | LastLine) -> bytes:
    return encode(doc) + b"\n"
