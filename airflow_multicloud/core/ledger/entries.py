"""The entries of a ledger: facts about one object each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import Digests

#: A time as records have it: with its zone.
AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]
#: As records have it, which a run's catalog holds as a signed integer of 64 bits.
Size = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
#: No text of an entry is longer: keys have 1,024 bytes at most in every store.
_Text = Annotated[str, msgspec.Meta(max_length=8192)]


class Origin(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The object at the source that a fact is about.

    :param uri: without a connection; ``file:<name>`` for an upload.
    """

    uri: _Text
    etag: _Text = ""
    version: _Text | None = None
    modified: AwareTime | None = None


class Proof(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One object at the destination, as it was proven there.

    :param digests: of the bytes as they were read from the source or computed by this destination's
        service.
    :param etag: at the proven write.
    :param version: likewise.
    :param confirmed: which digest the service confirmed; ``None`` when it reports none, and nothing
        proves what it holds.
    :param at: when.
    :param as_of: the source's object was this one when it was looked at, then.
    :param not_kept: what the destination could not keep of the attributes.
    :param attributes: fingerprint of the source's attributes that it has.
    :param tags: fingerprint of the source's tags that it has.
    :param seen: when the source had last been modified as its attributes were looked at.
    """

    size: Size
    etag: _Text
    digests: Digests
    origin: Origin
    outcome: Outcome
    run_id: _Text
    at: AwareTime
    as_of: AwareTime
    version: _Text | None = None
    confirmed: _Text | None = None
    not_kept: tuple[_Text, ...] = ()
    attributes: _Text | None = None
    tags: _Text | None = None
    seen: AwareTime | None = None

    @property
    def proven(self) -> bool:
        """Whether a digest that the service computed confirms it."""
        return self.outcome.proven

    def is_about(self, uri: str, etag: str, size: int) -> bool:
        """Whether it is a proof of the very object that the source has under a URI."""
        origin = self.origin
        return origin.etag == etag and self.size == size and origin.uri == uri

    def wrote(self, etag: str, version: str | None) -> bool:
        """Whether an object of this ETag and version is that of the proven write.

        A version that either side does not tell is not compared; an empty ETag tells nothing.
        """
        same_version = None in (self.version, version) or self.version == version
        return bool(self.etag) and self.etag == etag and same_version


class Behind(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Why the destination does not have what the source had when a run looked.

    :param at: the source was looked at then.
    :param since: the destination was up to date with this object until then; ``None``: it never
        was, as far as is known.
    """

    outcome: Outcome
    run_id: _Text
    origin: Origin
    size: Size
    at: AwareTime
    kind: ErrorKind | None = None
    reason: _Text | None = None
    since: AwareTime | None = None


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """All that is known of one key.

    :param key: in the bucket.
    :param proof: the object as it was proven last; ``None``: it never was.
    :param behind: set while the source has something else.
    :param gone: when a run saw that the source has it no more.
    :param removed: nothing is known of the key any more: it was deleted here.
    """

    key: _Text
    proof: Proof | None = None
    behind: Behind | None = None
    gone: AwareTime | None = None
    removed: bool = False

    @property
    def owed(self) -> bool:
        """Whether the source has the object, so that a replica should have it."""
        return self.gone is None and not (self.behind is not None and not self.behind.outcome.owed)

    @property
    def current(self) -> bool:
        """Whether what was proven here is what the source had when it was last looked at."""
        return self.proof is not None and self.behind is None and self.gone is None


write_line = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Entry).decode


def read_line(line: bytes) -> Entry:
    """An entry from its line.

    :raises ValueError: for anything that is none (msgspec's errors are).
    """
    entry = _decode(line)
    check(entry)
    return entry


def check(entry: Entry) -> None:
    """Refuse what only looks like an entry.

    :raises ValueError: for times that no calendar has, and for a removed key with facts.
    """
    proof, behind = entry.proof, entry.behind
    times = [entry.gone]
    if proof is not None:
        times += (proof.at, proof.as_of, proof.seen, proof.origin.modified)
    if behind is not None:
        times += (behind.at, behind.since, behind.origin.modified)
    for moment in times:
        if moment is not None and moment.tzinfo is not UTC:
            moment.astimezone(UTC)  # fails for what is no time in UTC
    if entry.removed and (proof or behind or entry.gone):
        raise ValueError(f"{entry.key!r} is removed, and yet something is known of it")
