"""A bucket of its own in each local cloud, and what a test does with it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from airflow_multicloud.core.endpoints import RESERVED_PREFIX, Endpoint
from airflow_multicloud.core.ledger import reading
from airflow_multicloud.core.ledger.entries import Proof
from airflow_multicloud.core.ledger.reading import Head
from airflow_multicloud.locations import parse_location
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.ports.object_store import BucketCreation

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Awkward on purpose: an empty object, a key with spaces, quotes and non-ASCII letters.
TREE = {
    "a.txt": b"alpha",
    "empty": b"",
    "deep/er/b.bin": bytes(range(256)) * 64,
    "deep/spa ced 'ö'.csv": b"x,y\n1,2\n",
}


@dataclass(frozen=True)
class Lab:
    """URIs of a source prefix in S3 and of replicas in the other two clouds."""

    bucket: str

    @classmethod
    def new(cls) -> Lab:
        """Fresh buckets of one new name in all three clouds."""
        lab = cls(f"lab-{uuid4().hex[:12]}")
        for uri in (lab.s3, lab.gcs, lab.azure):
            end = at(uri)
            assert isinstance(end.store, BucketCreation)
            end.store.ensure_bucket(lab.bucket)
        return lab

    @property
    def s3(self) -> str:
        return f"s3://aws_local@{self.bucket}/data/"

    @property
    def gcs(self) -> str:
        return f"gs://gcp_local@{self.bucket}/copy/"

    @property
    def azure(self) -> str:
        return f"abfs://wasb_local@{self.bucket}/copy/"

    @property
    def replicas(self) -> list[str]:
        return [self.gcs, self.azure]


@cache
def _root(root: str, connection: str | None) -> Endpoint:
    return open_endpoint(root, parameter="uri")


def at(uri: str) -> Endpoint:
    """The endpoint of a URI; one store serves a whole bucket, as opening one takes long."""
    location = parse_location(uri, parameter="uri")
    connection = os.environ.get(f"AIRFLOW_CONN_{(location.conn_id or '').upper()}")
    return replace(_root(str(location.with_key("")), connection), location=location)


def put(uri: str, content: bytes) -> None:
    end = at(uri)
    end.store.put_object(end.location.ref, content)


def get(uri: str) -> bytes:
    end = at(uri)
    return bytes(end.store.get_object(end.location.ref).read())


def edit(uri: str, old: bytes, new: bytes) -> None:
    """Replace what an object says."""
    content = get(uri)
    assert old in content
    put(uri, content.replace(old, new))


def delete(uri: str) -> None:
    end = at(uri)
    end.store.delete_object(end.location.ref)


def flip(uri: str) -> None:
    """Flip one bit in the middle of an object, as its store's own API allows."""
    content = bytearray(get(uri))
    content[len(content) // 2] ^= 1
    put(uri, bytes(content))


def fill(uri: str, tree: Mapping[str, bytes] = TREE) -> None:
    for name, content in tree.items():
        put(uri + name, content)


def tree_of(uri: str) -> dict[str, bytes]:
    """What lies below a prefix, without this package's own objects."""
    end = at(uri)
    listed = end.store.list_objects(end.bucket, end.location.key)
    return {
        meta.key.removeprefix(end.location.key): bytes(
            end.store.get_object(end.ref(meta.key)).read()
        )
        for meta in listed
        if not meta.key.startswith(RESERVED_PREFIX)
    }


def own_keys(uri: str, below: str = "") -> list[str]:
    """This package's own objects in the bucket of a URI."""
    end = at(uri)
    return [m.key for m in end.store.list_objects(end.bucket, RESERVED_PREFIX + below)]


def ledger(uri: str) -> Head:
    """The newest commit of the ledger of a URI's bucket."""
    head = reading.newest(at(uri))
    assert head is not None, f"no ledger at {uri}"
    return head


def proven(uri: str) -> dict[str, Proof]:
    """What the ledger proves of each name below a prefix."""
    prefix = at(uri).location.key
    return {
        entry.key.removeprefix(prefix): entry.proof
        for entry in ledger(uri).entries(prefix)
        if entry.proof is not None
    }


def outcomes(facts: Mapping[str, Any]) -> list[dict[str, int]]:
    """What ``ReplicateOperator`` returned, by destination."""
    return [dict(d["outcomes"]) for d in facts["destinations"]]
