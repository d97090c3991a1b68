"""The unit of work: one source object and what is to become of it at each destination."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import Digests, IfUnchanged

_DIGESTS = ("crc32c", "md5", "sha256")
_REPLICA_TEXTS = ("outcome", "etag", "version", "confirmed", "kind", "reason")
# One for all lines: json.dumps makes a new one for each.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Replica:
    """One object at one destination, before and after.

    :param prior: the object that was there when the destination was listed.
    :param outcome: ``None`` while it is still to be done.
    :param confirmed: which digest the store confirmed (``sha256``, ``crc32c``, ``md5``).
    :param kind: the error kind of a failure.
    :param reason: why it is not proven, for a reader.
    :param not_kept: what the destination could not keep (``metadata:x``, ``tags`` …).
    :param doubtful: the object that is there may be ours from a run that was cut off: look
        before replacing it.
    """

    prior: IfUnchanged | None = None
    outcome: Outcome | None = None
    etag: str | None = None
    version: str | None = None
    confirmed: str | None = None
    kind: ErrorKind | None = None
    reason: str | None = None
    not_kept: tuple[str, ...] = ()
    doubtful: bool = False

    def failed(self, outcome: Outcome, kind: ErrorKind, reason: str) -> Replica:
        """This replica, ended without success."""
        return replace(self, outcome=outcome, kind=kind, reason=reason)


@dataclass(frozen=True, slots=True)
class Item:
    """One source object, pinned by its ETag and version as listed.

    :param name: the key below the source prefix.
    :param digests: computed once it was read, or proven by the last manifest; until then what
        the source's listing said.
    :param seconds: how long reading and writing it took.
    """

    name: str
    size: int
    etag: str
    version: str | None
    modified: datetime
    replicas: tuple[Replica, ...]
    digests: Digests = Digests()
    seconds: float = 0.0

    @property
    def open_replicas(self) -> tuple[int, ...]:
        """The destinations, by index, that are still to be done."""
        return tuple(n for n, r in enumerate(self.replicas) if r.outcome is None)

    def with_replica(self, index: int, new: Replica) -> Item:
        """The item with one replica's state replaced."""
        return replace(self, replicas=(*self.replicas[:index], new, *self.replicas[index + 1 :]))

    def end_open(self, outcome: Outcome, kind: ErrorKind, reason: str) -> Item:
        """The item with every replica that is still open ended like this."""
        return replace(
            self,
            replicas=tuple(
                r if r.outcome is not None else r.failed(outcome, kind, reason)
                for r in self.replicas
            ),
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """What an earlier manifest proves of one object at one destination."""

    source_etag: str
    size: int
    replica_etag: str
    digests: Digests
    confirmed: str | None = None
    replica_version: str | None = None
    not_kept: tuple[str, ...] = field(default=())


def with_digests(item: Item, digests: Digests) -> Item:
    """The item with what became known of its content."""
    return replace(item, digests=digests)


def dump(item: Item) -> str:
    """One JSON line; absent values are left out. Keys are stable."""
    doc: dict[str, Any] = {"name": item.name, "size": item.size, "source": {"etag": item.etag}}
    if item.version is not None:
        doc["source"]["version"] = item.version
    doc["modified"] = item.modified.isoformat()
    for name in _DIGESTS:
        if (value := getattr(item.digests, name)) is not None:
            doc[name] = value
    doc["replicas"] = [_replica_out(r) for r in item.replicas]
    doc["seconds"] = round(item.seconds, 4)
    return _encode(doc)


def load(line: str | bytes) -> Item:
    """The item of a line that :func:`dump` wrote."""
    return from_document(json.loads(line))


def from_document(doc: dict[str, Any]) -> Item:
    """The item of a parsed line."""
    source = doc["source"]
    return Item(
        name=doc["name"],
        size=doc["size"],
        etag=source["etag"],
        version=source.get("version"),
        modified=datetime.fromisoformat(doc["modified"]),
        replicas=tuple(_replica_in(r) for r in doc["replicas"]),
        digests=digests_in(doc),
        seconds=doc["seconds"],
    )


def digests_in(doc: Mapping[str, Any]) -> Digests:
    """The digests of a parsed line."""
    return Digests(crc32c=doc.get("crc32c"), md5=doc.get("md5"), sha256=doc.get("sha256"))


def _replica_out(replica: Replica) -> dict[str, Any]:
    doc: dict[str, Any] = {}
    for name in _REPLICA_TEXTS:
        if (value := getattr(replica, name)) is not None:
            doc[name] = value
    if replica.not_kept:
        doc["not_kept"] = replica.not_kept
    if replica.prior is not None:
        doc["prior"] = {"etag": replica.prior.etag}
        if replica.prior.version is not None:
            doc["prior"]["version"] = replica.prior.version
    if replica.doubtful:
        doc["doubtful"] = True
    return doc


def _replica_in(doc: dict[str, Any]) -> Replica:
    prior = doc.get("prior")
    outcome, kind = doc.get("outcome"), doc.get("kind")
    return Replica(
        prior=prior and IfUnchanged(prior["etag"], prior.get("version")),
        outcome=outcome and Outcome(outcome),
        etag=doc.get("etag"),
        version=doc.get("version"),
        confirmed=doc.get("confirmed"),
        kind=kind and ErrorKind(kind),
        reason=doc.get("reason"),
        not_kept=tuple(doc.get("not_kept", ())),
        doubtful=doc.get("doubtful", False),
    )
