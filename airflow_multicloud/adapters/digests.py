"""Digests of bytes: what this package computes over what it moves, and what services report.

Digests are hexadecimal here, as in :class:`~airflow_multicloud.ports.object_store.Digests`; most
services speak base64.
"""

from __future__ import annotations

import base64
import hashlib
from binascii import a2b_base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from awscrt.checksums import combine_crc32c, crc32c  # type: ignore[import-untyped]

from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.extras import require_extra
from airflow_multicloud.ports.object_store import Digests

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: User metadata under which a replica keeps the SHA-256 of its content, or its BLAKE3. The names
#: are C# identifiers, as Azure demands of metadata (Naming and referencing containers, blobs, and
#: metadata), and lower-case, as S3 stores them.
SHA256_METADATA = "multicloud_sha256"
BLAKE3_METADATA = "multicloud_blake3"
OWN_METADATA = frozenset({SHA256_METADATA, BLAKE3_METADATA})


class _Hasher(Protocol):
    def update(self, data: Buffer, /) -> object: ...

    def hexdigest(self) -> str: ...


class StreamDigest:
    """CRC32C and other digests over a stream, fed in order.

    :param blake3: it takes a quarter of the time of SHA-256; no service computes it.
    :param md5: for stores that report no other digest; it takes twice as long as SHA-256.
    :raises ProviderNotAvailableError: where ``blake3`` is asked for and not installed.
    """

    def __init__(self, *, sha256: bool = True, blake3: bool = False, md5: bool = False) -> None:
        self._crc32c = 0
        self._others: dict[str, _Hasher] = {}
        if sha256:
            self._others["sha256"] = hashlib.sha256()
        if blake3:
            self._others["blake3"] = _blake3()
        if md5:
            self._others["md5"] = hashlib.md5(usedforsecurity=False)
        self.size = 0

    @classmethod
    def like(cls, *known: Digests, sha256: bool = False) -> StreamDigest:
        """What computes, of each of these, the strongest digest, to be compared with it.

        :param sha256: SHA-256 in any case.
        :raises ProviderNotAvailableError: where a BLAKE3 is all that tells content by, and
            ``blake3`` is not installed.
        """
        names = {_strongest(one) for one in known}
        return cls(sha256=sha256 or "sha256" in names, blake3="blake3" in names, md5="md5" in names)

    def update(self, chunk: Buffer, *, known: str | None = None) -> None:
        """Take the next bytes.

        :param known: their CRC32C, where it was computed before.
        """
        if known is None:
            self._crc32c = crc32c(chunk, self._crc32c)
        else:
            size = memoryview(chunk).nbytes
            self._crc32c = combine_crc32c(self._crc32c, int(known, 16), size)
        for hasher in self._others.values():
            hasher.update(chunk)
        self.size += memoryview(chunk).nbytes

    def digests(self) -> Digests:
        """The digests of all bytes so far."""
        others = {name: hasher.hexdigest() for name, hasher in self._others.items()}
        return Digests(crc32c=f"{self._crc32c:08x}", **others)


def check_blake3(why: str) -> None:
    """Refuse to compute a BLAKE3 where nothing can.

    :param why: what needs it, a clause.
    :raises ProviderNotAvailableError: kind ``unsupported``, naming what to install.
    """
    require_extra("blake3", "blake3", why=why)


def _blake3() -> _Hasher:
    check_blake3("only its BLAKE3 tells the content of what is read")
    from blake3 import blake3

    # In one thread, which hashes 4 GB/s: more of them do not have less to do together.
    return blake3()


def digests_of(body: Buffer) -> Digests:
    """CRC32C, MD5 and SHA-256 of one small body.

    MD5 is for comparing with what stores report; nothing here relies on it for security.
    """
    # CRC32C comes last: it keeps Python's lock, and the others bring the body into the cache.
    md5, sha256 = md5_of(body), sha256_of(body)
    return Digests(crc32c=crc32c_of(body), md5=md5, sha256=sha256)


def crc32c_of(body: Buffer) -> str:
    """CRC32C as eight hexadecimal digits."""
    return f"{crc32c(body):08x}"


def md5_of(body: Buffer) -> str:
    """MD5 in hexadecimal; for comparing with what stores report, never for security."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def sha256_of(body: Buffer) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def to_base64(digest: str) -> str:
    """A hexadecimal digest as services write it."""
    return base64.b64encode(bytes.fromhex(digest)).decode("ascii")


def from_base64(digest: str | None) -> str | None:
    """A service's digest in hexadecimal; ``None`` for what is missing or no base64."""
    try:
        return a2b_base64(digest or "", strict_mode=True).hex() or None
    except ValueError:
        return None


def check_digests(body: Buffer, digests: Digests, doing: str, *, cloud: str) -> None:
    """Compare a body with what the caller computed over it, before anything is sent.

    :raises StorageError: kind ``integrity``.
    """
    for name, compute in _COMPUTED.items():
        expected = getattr(digests, name)
        if expected is not None and (actual := compute(body)) != expected:
            raise StorageError(
                f"{doing}: the body's {name} is {actual}, digests say {expected}",
                kind=ErrorKind.INTEGRITY,
                cloud=cloud,
            )


_COMPUTED = {"crc32c": crc32c_of, "sha256": sha256_of, "md5": md5_of}


#: What tells an object from every other one, the strongest first.
_IDENTIFYING = ("sha256", "blake3", "md5")


def identifies(digests: Digests) -> bool:
    """Whether they tell an object from every other one: by a SHA-256, a BLAKE3 or an MD5."""
    # Spelled out: it is asked of every object.
    return not (digests.sha256 is None and digests.blake3 is None and digests.md5 is None)


def _strongest(digests: Digests) -> str | None:
    return next((name for name in _IDENTIFYING if getattr(digests, name) is not None), None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two contents have in common, by the digests that are known of both.

    :param name: a digest that differs; else the strongest of those that agree.
    :param equal: whether every digest that is known of both agrees.
    """

    name: str
    equal: bool

    @property
    def identical(self) -> bool:
        """Whether this is the same content, and not only what arrived without damage.

        Another content with the same CRC32C is easily made. MD5 holds against damage and mistakes,
        but not against somebody who made both contents.
        """
        return self.equal and self.name != "crc32c"

    @property
    def decisive(self) -> bool:
        """Whether more digests would not tell more."""
        return self.identical or not self.equal


# Made once: a run compares each object several times.
_AGREED = {name: Comparison(name, equal=True) for name in (*_IDENTIFYING, "crc32c")}


def compare(ours: Digests, theirs: Digests) -> Comparison | None:
    """Compare by every digest that both sides have; ``None`` if there is none."""
    agreed = None
    for name, left, right in (
        ("sha256", ours.sha256, theirs.sha256),
        ("blake3", ours.blake3, theirs.blake3),
        ("md5", ours.md5, theirs.md5),
        ("crc32c", ours.crc32c, theirs.crc32c),
    ):
        if left is None or right is None:
            continue
        if left != right:
            return Comparison(name, equal=False)
        agreed = agreed or _AGREED[name]
    return agreed
