"""One hash for a whole replica: an RFC 6962 Merkle tree over its objects.

Each leaf is the object's name, size and strongest known digest, so equal content below a
prefix has an equal root, on any cloud and in any run, as far as its objects were proven by the same
digests. Memory grows with the logarithm of the number of objects.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        self.extend([leaf_hash(name, size, digests)])

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Append objects, by the hashes of their leaves."""
        same, peaks, nodes = self._leaves, self._peaks, leaves
        self._leaves += len(leaves)
        grown: list[bytes] = []
        while nodes:  # A level of the tree after another: of each, at most one node is left over.
            if same & 1:
                nodes = [peaks.pop(), *nodes]
            same >>= 1
            if len(nodes) & 1:
                grown.append(nodes[-1])
            lefts, rights = nodes[::2], nodes[1::2]
            nodes = [_parent(*both) for both in zip(lefts, rights, strict=False)]
        peaks += reversed(grown)

    def root(self) -> str:
        """The hash of all leaves so far (RFC 6962, 2.1), as hexadecimal."""
        if not self._peaks:
            return sha256().hexdigest()
        node = self._peaks[-1]
        for left in reversed(self._peaks[:-1]):
            node = _parent(left, node)
        return node.hex()


def leaf_hash(name: str, size: int, digests: Digests) -> bytes:
    """The hash of one object's leaf; 32 bytes."""
    return sha256(b"\x00" + leaf(name, size, digests)).digest()


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
