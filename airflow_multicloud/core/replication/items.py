"""The unit of work: one source object and what is to become of it at each destination.

These are structures of ``msgspec``, which makes, writes and reads them at a tenth of what frozen
dataclasses and ``json`` cost; a replication of small objects handles each many times.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec.structs import replace

from airflow_multicloud.core.ledger.entries import AwareTime, Size
from airflow_multicloud.core.replication.outcomes import Outcome
from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.object_store import Digests, IfUnchanged

_NO_DIGESTS = Digests()


class Replica(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One object at one destination, before and after.

    :param prior: the object that was there when the destination was listed.
    :param outcome: ``None`` while it is still to be done.
    :param confirmed: which digest the store confirmed (``sha256``, ``crc32c``, ``md5`` …).
    :param kind: the error kind of a failure.
    :param reason: why it is not proven, for a reader.
    :param not_kept: what the destination could not keep (``metadata:x``, ``tags`` …).
    :param doubtful: the object that is there may be ours from a run that was cut off: look
        before replacing it.
    :param inspect: its content is proven; whether its attributes are the source's is to be seen.
    :param attributes: fingerprint of the source's attributes that it has.
    :param tags: fingerprint of the source's tags that it has.
    :param seen: when the source had last been modified as its attributes were looked at, where
        its listing does not tell them; left out when that was so shortly before that a later
        change may not show in the time.
    :param held: digests of the object that is there, where the source has none to compare them
        with before it is read.
    :param digests: what this destination's own service computed, or its bytes gave, besides what
        the item knows. It says nothing of any other destination.
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
    inspect: bool = False
    attributes: str | None = None
    tags: str | None = None
    seen: AwareTime | None = None
    held: Digests | None = None
    digests: Digests = Digests()

    def failed(self, outcome: Outcome, kind: ErrorKind, reason: str) -> Replica:
        """This replica, ended without success."""
        return replace(self, outcome=outcome, kind=kind, reason=reason)


class Item(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One source object, pinned by its ETag and version as listed.

    :param name: the key below the source prefix.
    :param etag: the source's.
    :param version: the source's.
    :param digests: computed once it was read, or proven by a ledger; until then what
        the source's store said. Never what a destination said.
    :param attributes: fingerprint of its attributes, where the source's listing told them.
    :param declared: an MD5 that is still to be compared: until it was read one that whoever wrote
        the source may have made up, then one that its service told.
    """

    name: str
    size: Size
    etag: str = msgspec.field(name="source_etag")
    version: str | None = msgspec.field(name="source_version")
    modified: AwareTime
    replicas: tuple[Replica, ...]
    digests: Digests = Digests()
    attributes: str | None = None
    declared: str | None = None

    @property
    def open_replicas(self) -> tuple[int, ...]:
        """The destinations, by index, that are still to be done."""
        return tuple([n for n, r in enumerate(self.replicas) if r.outcome is None])

    def with_replica(self, index: int, new: Replica) -> Item:
        """The item with one replica's state replaced."""
        return replace(self, replicas=(*self.replicas[:index], new, *self.replicas[index + 1 :]))

    def digests_at(self, index: int) -> Digests:
        """All that is known of the content at one destination.

        That is what is known of the source's object, and what this destination's service said; none
        of it comes from another destination.
        """
        here = self.replicas[index].digests
        if here == _NO_DIGESTS:
            return self.digests
        return Digests(
            crc32c=self.digests.crc32c or here.crc32c,
            md5=self.digests.md5 or here.md5,
            sha256=self.digests.sha256 or here.sha256,
            blake3=self.digests.blake3 or here.blake3,
        )

    @property
    def to_be_met(self) -> Digests:
        """What a destination's service must say of what was sent to it.

        With the MD5 that the source's service told, if none was computed: so the bytes are compared
        from one end to the other.
        """
        if self.declared is None:
            return self.digests
        known = self.digests
        return Digests(crc32c=known.crc32c, md5=self.declared, sha256=known.sha256)

    def end_open(self, outcome: Outcome, kind: ErrorKind, reason: str) -> Item:
        """The item with every replica that is still open ended like this."""
        return replace(
            self,
            replicas=tuple(
                r if r.outcome is not None else r.failed(outcome, kind, reason)
                for r in self.replicas
            ),
        )


class Untouched(msgspec.Struct, frozen=True):
    """The objects that are unchanged at every destination, where the ledgers' entries stay.

    :param newest: when the newest of them was last modified; ``None``: there are none.
    """

    objects: int = 0
    bytes: int = 0
    newest: datetime | None = None

    def and_also(self, objects: int, size: int, newest: datetime | None) -> Untouched:
        """These and others."""
        times = [one for one in (self.newest, newest) if one is not None]
        return Untouched(self.objects + objects, self.bytes + size, max(times, default=None))


_encoder = msgspec.json.Encoder()
#: Reads lines that :func:`dump` wrote; raises ``msgspec.DecodeError`` at what is none.
decoder = msgspec.json.Decoder(Item)


def dump(item: Item) -> bytes:
    """One line of JSON, without its end; absent values are left out. Keys are stable."""
    return _encoder.encode(item)
