"""Which buckets a live run takes as its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from airflow_multicloud.ports.object_store import ObjectRef
from airflow_multicloud.testing import live
from airflow_multicloud.testing.contracts.object_store.rigs import RigSpec
from airflow_multicloud.testing.live.stores import LiveStore, live_store_rigs
from airflow_multicloud.testing.memory_cloud import object_store
from tests.unit.testing.test_live_options import Config

MINE = ObjectRef("scratch", "mine")


@pytest.fixture
def rig(memory_account: Callable[[str, str], str]) -> Iterator[RigSpec]:
    """Of a bucket that was given."""
    conn_id = memory_account("my_memory", MINE.bucket)
    config: Any = Config(
        live=[f"memory={conn_id}"], live_bucket=[f"memory={MINE.bucket}"], live_max_requests=50
    )
    with ExitStack() as undoing:
        config.add_cleanup = undoing.callback
        live.pytest_configure(config)
        spec = RigSpec(name="memory", cloud="memory", hook=object_store.Hook, open=pytest.fail)
        store = LiveStore(rig=spec, remove_bucket=lambda _store, _bucket: None)
        (found,) = live_store_rigs(config, {"memory": store})
        yield found


def refusal(rig: RigSpec, request: pytest.FixtureRequest) -> str:
    with pytest.raises(pytest.exit.Exception) as refused:
        rig.open(request)
    return str(refused.value)


def test_an_empty_bucket_is_emptied_again(rig: RigSpec, request: pytest.FixtureRequest) -> None:
    store: Any = rig.open(request)
    store.put_object(MINE, b"1")
    store.begin_upload(MINE)
    rig.open(request)  # the suite's own are no reason to refuse
    assert rig.finish is not None
    rig.finish(store)
    assert [*store.list_objects(MINE.bucket), *store.list_uploads(MINE.bucket)] == []


def test_a_bucket_with_objects(rig: RigSpec, request: pytest.FixtureRequest) -> None:
    object_store.Hook("my_memory").put_object(MINE, b"1")
    assert "scratch has objects" in refusal(rig, request)


def test_a_bucket_with_unfinished_uploads(rig: RigSpec, request: pytest.FixtureRequest) -> None:
    object_store.Hook("my_memory").begin_upload(MINE)
    assert "scratch has unfinished uploads" in refusal(rig, request)


def test_a_bucket_with_earlier_versions(rig: RigSpec, request: pytest.FixtureRequest) -> None:
    store = object_store.Hook("my_memory")
    store.put_object(MINE, b"1")
    store.delete_object(MINE)
    assert list(store.list_objects(MINE.bucket)) == []
    assert "scratch has earlier versions" in refusal(rig, request)
