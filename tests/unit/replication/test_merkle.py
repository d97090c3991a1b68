"""The incremental tree against the recursive definition of RFC 6962, section 2.1."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_multicloud.core.replication.merkle import MerkleTree, leaf
from airflow_multicloud.ports.object_store import Digests


def _leaf(name: str, size: int = 1, **digests: str) -> bytes:
    return leaf(name, size, Digests(**digests))


def _tree_hash(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1" + _tree_hash(leaves[:split]) + _tree_hash(leaves[split:])).digest()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=70))
def test_the_root_is_that_of_the_definition(names: list[str]) -> None:
    tree = MerkleTree()
    for size, name in enumerate(names):
        tree.add(name, size, Digests(sha256="aa"))
    leaves = [_leaf(name, size, sha256="aa") for size, name in enumerate(names)]
    assert tree.root() == _tree_hash(leaves).hex()


@pytest.mark.parametrize(
    "changed",
    [
        _leaf("b", 1, sha256="aa"),
        _leaf("a", 2, sha256="aa"),
        _leaf("a", 1, sha256="ab"),
        _leaf("a", 1, crc32c="aa"),
        _leaf("a", 1, blake3="aa"),
        _leaf("a", 1),
    ],
)
def test_name_size_and_digest_all_count(changed: bytes) -> None:
    assert changed != _leaf("a", 1, sha256="aa")


def test_the_strongest_digest_counts() -> None:
    every = {"md5": "1", "crc32c": "2", "blake3": "3", "sha256": "4"}
    while every:
        name, digest = every.popitem()
        assert _leaf("a", **every, **{name: digest}) == _leaf("a", **{name: digest})
