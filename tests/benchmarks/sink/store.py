"""What a sink holds: synthetic objects to read, and the digests of what was written."""

from __future__ import annotations

import hashlib
import itertools
import os
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.benchmarks.sink import checksum
from tests.benchmarks.sink.http import Slice

#: Length of the random block that synthetic objects repeat: no multiple of any part size, so
#: parts in the wrong order have another digest.
_PERIOD: Final = (32 << 20) + 35
#: MD5 costs seven times as much as all else a sink does with bytes; real stores have it only
#: for objects that were written in one request, which are small here.
MD5_LIMIT: Final = 1 << 20
#: Objects under these prefixes can be read again; of others only digests are kept.
KEPT: Final = (".airflow-multicloud/ledger/", ".airflow-multicloud/runs/")


@dataclass(slots=True)
class Stored:
    """One object. ``content`` is ``None`` when its bytes were not kept."""

    key: str
    size: int
    crc32c: int
    md5: bytes | None
    etag: str
    generation: int
    modified: float
    content: bytes | int | None
    attributes: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    blocks: tuple[Part, ...] = ()

    def slices(self, start: int, end: int) -> tuple[Slice, ...]:
        """Bytes ``start`` up to ``end``, to be sent."""
        if isinstance(self.content, int):
            return tuple(_pattern_slices(self.content, start, end))
        if self.content is None:
            raise LookupError(f"{self.key}: this sink does not keep the bytes it receives")
        return (self.content[start:end],)


@dataclass(frozen=True, slots=True)
class Part:
    """One part or block that was received."""

    token: str
    size: int
    crc32c: int
    etag: str = ""


@dataclass(slots=True)
class Upload:
    """A multipart upload or a resumable session under way."""

    bucket: str
    key: str
    started: float
    attributes: Mapping[str, str]
    metadata: Mapping[str, str]
    parts: dict[int, Part] = field(default_factory=dict)
    digest: Digest | None = None


class Digest:
    """What is computed over a body while it arrives."""

    def __init__(self, *, md5: bool = False, keep: bool = False, crc64: bool = False) -> None:
        self.size = 0
        self.crc32c = 0
        self._md5 = checksum.md5() if md5 else None
        self._kept: list[bytes] | None = [] if keep else None
        self._crc64 = 0 if crc64 else None

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        self.crc32c = checksum.extend(self.crc32c, data)
        if self._md5 is not None:
            self._md5.update(data)
        if self._crc64 is not None:
            self._crc64 = checksum.extend_crc64(self._crc64, data)
        if self._kept is not None:
            self._kept.append(data)

    @property
    def crc64(self) -> str | None:
        """The CRC64 as Azure writes it, where one was computed."""
        return checksum.base64_of_crc64(self._crc64) if self._crc64 is not None else None

    @property
    def md5(self) -> bytes | None:
        """The MD5, where one was computed."""
        return self._md5.digest() if self._md5 is not None else None

    @property
    def content(self) -> bytes | None:
        """The bytes, where they are kept."""
        return b"".join(self._kept) if self._kept is not None else None


class Store:
    """Buckets of objects. A bucket comes into being with its first object or request.

    :param keep: whether small objects that are written can be read again.
    """

    def __init__(self, *, keep: bool = False) -> None:
        self._keep = keep
        self.buckets: dict[str, dict[str, Stored]] = {}
        self.uploads: dict[str, Upload] = {}
        self.blocks: dict[tuple[str, str], dict[str, Part]] = {}
        self._sorted: dict[str, list[str]] = {}
        self._serial = itertools.count(int(time.time() * 1e6))

    def serial(self) -> int:
        """A number that was never given out."""
        return next(self._serial)

    def find(self, bucket: str, key: str) -> Stored | None:
        """An object."""
        return self.buckets.get(bucket, {}).get(key)

    def keys(self, bucket: str, prefix: str, after: str) -> Iterator[str]:
        """Keys under a prefix that come after one, in order."""
        if bucket not in self._sorted:
            self._sorted[bucket] = sorted(self.buckets.get(bucket, ()))
        keys = self._sorted[bucket]
        for key in itertools.islice(keys, bisect_left(keys, max(prefix, after)), None):
            if not key.startswith(prefix):
                return
            if key > after:
                yield key

    def digest(self, key: str, size: int | None) -> Digest:
        """A digest for a body of ``size`` bytes, as far as its length is known."""
        small = size is None or size <= MD5_LIMIT
        return Digest(md5=small, keep=key.startswith(KEPT) or (self._keep and small))

    def put(
        self,
        bucket: str,
        key: str,
        digest: Digest,
        attributes: Mapping[str, str],
        metadata: Mapping[str, str],
    ) -> Stored:
        """Store an object that came in one request."""
        return self._add(
            bucket, key, digest.size, digest.crc32c, digest.md5, digest.content,
            attributes, metadata,
        )  # fmt: skip

    def compose(
        self,
        bucket: str,
        key: str,
        parts: tuple[Part, ...],
        attributes: Mapping[str, str],
        metadata: Mapping[str, str],
    ) -> Stored:
        """Store an object made of parts."""
        size = crc = 0
        for part in parts:
            crc = checksum.combine(crc, part.crc32c, part.size)
            size += part.size
        stored = self._add(bucket, key, size, crc, None, None, attributes, metadata)
        stored.blocks = parts
        return stored

    def seed(self, bucket: str, key: str, size: int, *, etag_is_md5: bool) -> Stored:
        """Make a synthetic object.

        :param etag_is_md5: otherwise its ETag looks as if it had been uploaded in parts.
        """
        start = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % _PERIOD
        crc, md5 = 0, checksum.md5()
        for at in range(0, size, 1 << 20):
            data = b"".join(_read(s) for s in _pattern_slices(start, at, min(at + (1 << 20), size)))
            crc = checksum.extend(crc, data)
            md5.update(data)
        attributes = {"content-type": "application/octet-stream"}
        stored = self._add(bucket, key, size, crc, md5.digest(), start, attributes, {})
        if not etag_is_md5:
            stored.etag = f"{md5.hexdigest()}-{-(-size // (8 << 20))}"
        stored.modified -= 3600
        return stored

    def delete(self, bucket: str, key: str) -> bool:
        """Delete an object; whether there was one."""
        self._sorted.pop(bucket, None)
        return self.buckets.get(bucket, {}).pop(key, None) is not None

    def clear(self, bucket: str) -> None:
        """Forget a bucket's objects."""
        self._sorted.pop(bucket, None)
        self.buckets[bucket] = {}
        self.uploads = {i: u for i, u in self.uploads.items() if u.bucket != bucket}
        self.blocks = {k: b for k, b in self.blocks.items() if k[0] != bucket}

    def _add(
        self,
        bucket: str,
        key: str,
        size: int,
        crc: int,
        md5: bytes | None,
        content: bytes | int | None,
        attributes: Mapping[str, str],
        metadata: Mapping[str, str],
    ) -> Stored:
        serial = self.serial()
        etag = md5.hex() if md5 is not None else f"{crc:08x}{serial:016x}-1"
        objects = self.buckets.setdefault(bucket, {})
        if key not in objects:
            self._sorted.pop(bucket, None)
        objects[key] = Stored(
            key, size, crc, md5, etag, serial, time.time(), content, attributes, metadata
        )
        return objects[key]


def _pattern() -> int:
    fd = os.memfd_create("pattern")
    os.write(fd, hashlib.shake_128(b"airflow-multicloud").digest(_PERIOD))
    return fd


_FD: Final = _pattern()


def _pattern_slices(origin: int, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    at = origin + start
    left = end - start
    while left > 0:
        offset = at % _PERIOD
        count = min(left, _PERIOD - offset)
        yield _FD, offset, count
        at += count
        left -= count


def _read(piece: Slice) -> bytes:
    if isinstance(piece, bytes):
        return piece
    fd, offset, count = piece
    return os.pread(fd, count, offset)
