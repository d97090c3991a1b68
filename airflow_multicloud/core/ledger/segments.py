"""Sorted files of entries, and the state of a ledger that is put together from them.

A segment is gzip over one JSON document per line, one entry each, by key in the order of the keys'
UTF-8 bytes. Its name is its SHA-256. Runs of segments are kept so that each is more than four times
as large as the next (a log-structured merge tree), which bounds both how many a reader must look at
and how often an entry is written again.
"""

from __future__ import annotations

import gzip
import secrets
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import lt

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core import records
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.ledger import entries
from airflow_multicloud.core.ledger.entries import Entry
from airflow_multicloud.core.ledger.names import segment_key
from airflow_multicloud.core.ledger.refs import SegmentRef
from airflow_multicloud.core.streams import PERHAPS_OURS, put_stream
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import ObjectAttributes, PartUploads, WriteOptions

#: Entries in one segment, and bytes of their lines: however badly they are packed, it is read.
ENTRIES = 5_000
_FULL = 15 << 20
#: As the format has it.
MOST_ENTRIES = 5_000
#: Bytes of a segment as it lies there; whatever is larger is none.
_LARGEST = 16 << 20
_LARGEST_UNPACKED = 24 << 20
#: A run is at least so many times as large as the next.
_RATIO = 4

_GZIP = ObjectAttributes(content_type="application/gzip")

Run = tuple[SegmentRef, ...]


def write(end: Endpoint, found: Iterable[Entry]) -> Run:
    """Write entries, which come by key, as segments; holds one segment at a time."""
    refs: list[SegmentRef] = []
    for batch, lines in _batches(found):
        # No two writers make the same file, or one that nobody named could be deleted while it is
        # written again.
        body = gzip.compress(b"".join(lines), compresslevel=1, mtime=secrets.randbits(32))
        sha256 = sha256_of(body)
        _put(end, segment_key(sha256), body)
        refs.append(SegmentRef(sha256, len(body), len(batch), batch[0].key, batch[-1].key))
    return tuple(refs)


def _batches(found: Iterable[Entry]) -> Iterator[tuple[list[Entry], list[bytes]]]:
    batch, lines, size = list[Entry](), list[bytes](), 0
    for entry in found:
        line = entries.write_line(entry) + b"\n"
        if batch and (len(batch) == ENTRIES or size + len(line) > _FULL):
            yield batch, lines
            batch, lines, size = [], [], 0
        batch.append(entry)
        lines.append(line)
        size += len(line)
    if batch:
        yield batch, lines


def _put(end: Endpoint, key: str, body: bytes) -> None:
    options = WriteOptions(attributes=_GZIP, condition=end.condition(None))
    try:
        put_stream(end, key, [body], options, part_size=largest_put(end))
    except CloudError as err:
        # What has this name has this content, or it is damaged: which reading it will tell.
        if err.kind not in PERHAPS_OURS or err.kind is ErrorKind.NOT_FOUND:
            raise


def largest_put(end: Endpoint) -> int:
    """Bytes that are written in one request; more go in parts."""
    limits = end.store.part_limits if isinstance(end.store, PartUploads) else None
    return min(8 << 20, limits.put_limit) if limits else 8 << 20


def read(end: Endpoint, ref: SegmentRef) -> Iterator[Entry]:
    """The entries of a segment, which is read and checked as a whole first.

    :raises StorageError: kind ``integrity`` for anything that is not what the commit names.
    """
    key = segment_key(ref.sha256)
    if ref.size > _LARGEST or ref.count > MOST_ENTRIES:
        raise records.damaged(end, key, "it is larger than a segment is")
    try:
        body = records.whole(end, key, most=ref.size)
    except CloudError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        raise records.damaged(end, key, "it is not there, and a commit names it") from err
    if sha256_of(body) != ref.sha256:
        raise records.damaged(end, key, "its SHA-256 is not its name")
    with records.intact(end, key):
        found = _unpacked(body, ref)
    yield from found


def _unpacked(body: bytes, ref: SegmentRef) -> list[Entry]:
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
    lines = unpack.decompress(body, _LARGEST_UNPACKED)
    if not unpack.eof or unpack.unused_data:
        raise ValueError("it is cut off, too large, or something follows it")
    count = lines.count(b"\n")
    if count != ref.count or not count:
        raise ValueError(f"it has {count} lines instead of {ref.count}")
    found = [entries.read_line(line) for line in lines.splitlines()]
    if (found[0].key, found[-1].key) != (ref.first, ref.last):
        raise ValueError("its first or last key is not the one that its commit names")
    keys = [entry.key for entry in found]
    if not all(map(lt, keys, keys[1:])):
        raise ValueError("its keys are out of order")
    return found


@dataclass(frozen=True, slots=True)
class Keys:
    """Which keys are asked for: below a prefix, and within bounds.

    :param least: the first one, included.
    :param most: the last one, included; ``None``: there is no last.
    """

    prefix: str = ""
    least: str = ""
    most: str | None = None

    def has(self, key: str) -> bool:
        """Whether a key is among them."""
        return (
            key.startswith(self.prefix)
            and key >= self.least
            and (self.most is None or key <= self.most)
        )

    def may_have(self, ref: SegmentRef) -> bool:
        """Whether a segment may have some of them."""
        return (
            ref.first[: len(self.prefix)] <= self.prefix
            and ref.last >= max(self.prefix, self.least)
            and (self.most is None or ref.first <= self.most)
        )


ALL = Keys()


def merged(
    end: Endpoint, runs: Sequence[Run], recent: Sequence[Entry], keys: Keys = ALL
) -> Iterator[Entry]:
    """What is known of each key, by key; removed ones are left out.

    Holds one segment of each run.
    """
    streams: list[Iterable[Entry]] = [_of_run(end, run, keys) for run in runs]
    if wanted := [entry for entry in recent if keys.has(entry.key)]:
        streams.append(wanted)
    return (entry for entry in newest(streams) if not entry.removed)


def newest(streams: Sequence[Iterable[Entry]]) -> Iterator[Entry]:
    """Of each key the entry in the last stream that has it; every stream is by key."""
    return reduce(_over, streams, iter(()))


def _over(older: Iterable[Entry], newer: Iterable[Entry]) -> Iterator[Entry]:
    """Two streams as one; most entries are in the older one, and pass with one comparison."""
    rest = iter(newer)
    ahead = next(rest, None)
    for entry in older:
        while ahead is not None and ahead.key < entry.key:
            yield ahead
            ahead = next(rest, None)
        if ahead is None or ahead.key != entry.key:
            yield entry
    if ahead is not None:
        yield ahead
        yield from rest


def _of_run(end: Endpoint, run: Run, keys: Keys) -> Iterator[Entry]:
    for ref in run:
        if keys.may_have(ref):
            found = read(end, ref)
            inside = keys.has(ref.first) and keys.has(ref.last)
            yield from found if inside else (entry for entry in found if keys.has(entry.key))


def compacted(end: Endpoint, runs: Sequence[Run]) -> tuple[Run, ...]:
    """Runs of which each is more than four times as large as the next, with the same entries."""
    kept = [run for run in runs if run]
    while len(kept) > 1 and _size(kept[-2]) <= _RATIO * _size(kept[-1]):
        later, earlier = kept.pop(), kept.pop()
        try:
            joined = _joined(end, earlier, later, oldest=not kept)
        except CloudError as err:
            if err.kind is not ErrorKind.INTEGRITY:
                raise
            # Another replica's, perhaps: who reads it will say so, and others go on.
            return (*kept, earlier, later)
        if joined:
            kept.append(joined)
    return tuple(kept)


def _joined(end: Endpoint, earlier: Run, later: Run, *, oldest: bool) -> Run:
    joined: list[SegmentRef] = []
    for older, newer in _groups(earlier, later):
        if len(older) + len(newer) == 1:
            joined += older or newer
            continue
        both = newest([_of_run(end, older, ALL), _of_run(end, newer, ALL)])
        # With nothing older below it, what was removed need not be known any more.
        joined += write(end, (entry for entry in both if not (oldest and entry.removed)))
    return tuple(joined)


def _groups(earlier: Run, later: Run) -> Iterator[tuple[Run, Run]]:
    """The segments of both by key, in groups with no key in common.

    Neighbours that fit into one segment are in one group too: commits of a few entries each would
    leave as many segments as they are, and every commit names all.
    """
    group: tuple[list[SegmentRef], list[SegmentRef]] = ([], [])
    last, count = "", 0
    sides = [(ref, 0) for ref in earlier] + [(ref, 1) for ref in later]
    for ref, side in sorted(sides, key=lambda one: one[0].first):
        if count and ref.first > last and count + ref.count > ENTRIES:
            yield tuple(group[0]), tuple(group[1])
            group, count = ([], []), 0
        group[side].append(ref)
        last, count = max(last, ref.last), count + ref.count
    yield tuple(group[0]), tuple(group[1])


def _size(run: Run) -> int:
    return sum(ref.count for ref in run)
