"""A prefix whose primary is gone: what that costs for each of its objects."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.candidates import Candidate
from airflow_multicloud.core.failover.targets import FileTarget, ObjectTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.locations import Location
from airflow_multicloud.testing.memory_cloud import object_store

if TYPE_CHECKING:
    from pathlib import Path

OBJECTS = 40

_numbers = count()


def end(bucket: str | None) -> Endpoint:
    conn_id = f"tree_{next(_numbers)}"
    store = object_store.Hook(conn_id)
    if bucket is not None:
        store.ensure_bucket(bucket)
    return Endpoint("memory", store, Location("mem", conn_id, "lab", "data/"))


@pytest.mark.parametrize("bucket", [None, "lab"], ids=["no bucket", "an empty bucket"])
def test_a_primary_that_is_gone_is_not_asked_for_every_object(
    tmp_path: Path, bucket: str | None
) -> None:
    primary, replica = end(bucket), end("lab")
    for number in range(OBJECTS):
        replica.store.put_object(replica.ref(f"data/{number}"), b"content")
    candidates = [Candidate(str(e.location), e, primary=e is primary) for e in (primary, replica)]
    served = fetch_tree(candidates, FileTarget(tmp_path))
    assert served.served == {str(replica.location): OBJECTS}
    assert served.failed_over
    assert served.failed_attempts == 1
    assert [a.kind for a in served.attempts] == [ErrorKind.NOT_FOUND]


@pytest.mark.parametrize("names", [("a", "a/b"), ("a", "a/"), ("x/a", "x/a/b/c")])
def test_a_file_and_a_directory_of_one_name_are_refused_first(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    primary = end("lab")
    for name in ("0", *names):
        content = b"" if name.endswith("/") else b"content"
        primary.store.put_object(primary.ref(f"data/{name}"), content)
    candidates = [Candidate(str(primary.location), primary, primary=True)]
    with pytest.raises(StorageError, match=r"^target: the keys '.*a' and '.*a/.*' can't both be"):
        fetch_tree(candidates, FileTarget(tmp_path))
    assert list(tmp_path.iterdir()) == []
    # A store has no such trouble.
    there = end("lab")
    assert fetch_tree(candidates, ObjectTarget(there)).objects == 3


def test_a_key_that_the_target_store_refuses_is_refused_first() -> None:
    class Picky(object_store.Hook):
        def why_not_key(self, key: str) -> str | None:
            return "too long" if key.endswith("long") else None

    primary, there = end("lab"), end("lab")
    picky = Picky(there.location.conn_id or "")
    for name in ("0", "long"):
        primary.store.put_object(primary.ref(f"data/{name}"), b"content")
    candidates = [Candidate(str(primary.location), primary, primary=True)]
    with pytest.raises(StorageError, match=r"^target: the key 'long' can't be .*: too long$"):
        fetch_tree(candidates, ObjectTarget(replace(there, store=picky)))
    assert list(there.store.list_objects("lab")) == []
