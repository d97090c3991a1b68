"""A prefix whose primary is gone: what that costs for each of its objects."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.failover.fetch import Candidate
from airflow_multicloud.core.failover.targets import FileTarget
from airflow_multicloud.core.failover.tree import fetch_tree
from airflow_multicloud.errors import ErrorKind
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
