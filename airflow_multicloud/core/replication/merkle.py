"""One hash for a whole replica: an RFC 6962 Merkle tree over its objects.

Each leaf is the object's name, size and strongest known digest, so equal content below a
prefix has an equal root, on any cloud and in any run, as far as its objects were proven by the same
digests. Memory grows with the logarithm of the number of objects.
"""

from __future__ import annotations

from hashlib import sha256

from airflow_multicloud.ports.object_store import Digests


class MerkleTree:
    """Built leaf by leaf, in the order of the names' UTF-8 bytes."""

    def __init__(self) -> None:
        self._leaves = 0
        # The hash of each complete subtree, the largest first: one for each bit of the number.
        self._peaks: list[bytes] = []

    def add(self, name: str, size: int, digests: Digests) -> None:
        """Append an object."""
        node = sha256(b"\x00" + leaf(name, size, digests)).digest()
        same, peaks = self._leaves, self._peaks
        while same & 1:
            node = _parent(peaks.pop(), node)
            same >>= 1
        peaks.append(node)
        self._leaves += 1

    def root(self) -> str:
        """The hash of all leaves so far (RFC 6962, 2.1), as hexadecimal."""
        if not self._peaks:
            return sha256().hexdigest()
        node = self._peaks[-1]
        for left in reversed(self._peaks[:-1]):
            node = _parent(left, node)
        return node.hex()


def leaf(name: str, size: int, d: Digests) -> bytes:
    """What the tree commits to for one object."""
    if d.sha256:
        digest = f"sha256:{d.sha256}"
    elif d.blake3:
        digest = f"blake3:{d.blake3}"
    elif d.crc32c:
        digest = f"crc32c:{d.crc32c}"
    else:
        digest = f"md5:{d.md5}" if d.md5 else ""
    return f"{name}\0{size}\0{digest}".encode()


def _parent(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()
