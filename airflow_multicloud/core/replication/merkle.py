"""One hash for a whole replica: an RFC 6962 Merkle tree over its objects.

Each leaf is the object's name, size and strongest known digest, so equal content below a
prefix has an equal root, on any cloud and in any run. Memory grows with the logarithm of the
number of objects.
"""

from __future__ import annotations

import hashlib

from airflow_multicloud.ports.object_store import Digests


class MerkleTree:
    """Built leaf by leaf, in the order of the names' UTF-8 bytes."""

    def __init__(self) -> None:
        # Complete subtrees, largest first, as (number of leaves, hash).
        self._peaks: list[tuple[int, bytes]] = []

    def add(self, name: str, size: int, digests: Digests) -> None:
        """Append an object."""
        self._append(hashlib.sha256(b"\x00" + leaf(name, size, digests)).digest())

    def _append(self, node: bytes) -> None:
        size = 1
        while self._peaks and self._peaks[-1][0] == size:
            node = _parent(self._peaks.pop()[1], node)
            size *= 2
        self._peaks.append((size, node))

    def root(self) -> str:
        """The hash of all leaves so far (RFC 6962, 2.1), as hexadecimal."""
        if not self._peaks:
            return hashlib.sha256().hexdigest()
        node = self._peaks[-1][1]
        for _, left in reversed(self._peaks[:-1]):
            node = _parent(left, node)
        return node.hex()


def leaf(name: str, size: int, d: Digests) -> bytes:
    """What the tree commits to for one object."""
    digest = next(
        (f"{n}:{v}" for n, v in (("sha256", d.sha256), ("crc32c", d.crc32c), ("md5", d.md5)) if v),
        "",
    )
    return b"\x00".join((name.encode(), str(size).encode(), digest.encode()))


def _parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
