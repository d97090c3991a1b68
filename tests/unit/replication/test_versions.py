"""Every file of a replication says its version first; another one is refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.core.replication import shards
from airflow_multicloud.core.replication.engine import replicate
from airflow_multicloud.core.replication.freshness import freshness
from airflow_multicloud.core.replication.status import status
from airflow_multicloud.core.replication.verification import verify
from airflow_multicloud.errors import CloudError, ErrorKind

from .memory import SMALL, World, own, world

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("way")

TREE = {"a": b"1", "b": b"2", "c": b"3"}
OPTIONS = replace(SMALL, delete_extraneous=True, max_delete=5)


def first_line(end: Endpoint, key: str) -> tuple[dict[str, Any], bytes]:
    line, _, rest = bytes(end.store.get_object(end.ref(key)).read()).partition(b"\n")
    return json.loads(line), rest


def rewrite(end: Endpoint, key: str, change: dict[str, Any]) -> None:
    line, rest = first_line(end, key)
    line = {k: v for k, v in (line | change).items() if v is not None}
    body = json.dumps(line, separators=(",", ":")).encode()
    end.store.put_object(end.ref(key), body if key.endswith(".json") else body + b"\n" + rest)


@pytest.fixture
def lab() -> World:
    """A replica, and a sharded second run, planned and copied."""
    made = world(TREE)
    (there,) = made.destinations
    replicate(made.replication(OPTIONS), run_id="first")
    made.source.store.put_object(made.source.ref("data/d"), b"4")
    there.store.put_object(there.ref("copy/extraneous"), b"5")
    plan = shards.plan_shards(made.replication(OPTIONS), shards=1, run_id="second")
    SHARD[:] = plan.shards
    return made


#: The shard that the lab has planned.
SHARD: list[str] = []


def close(lab: World) -> object:
    return shards.close_shards(lab.replication(OPTIONS), run_id="second")


def copy_shard(lab: World) -> object:
    return shards.replicate_shard(lab.replication(OPTIONS), run_id="second", shard=SHARD[0])


READERS: dict[str, tuple[str, list[Callable[[World], object]]]] = {
    "ledger/commits/": (
        "version",
        [
            lambda lab: replicate(lab.replication(OPTIONS)),
            lambda lab: verify(lab.destinations[0]),
            lambda lab: freshness(lab.destinations[0]),
            lambda lab: status(lab.destinations[0]),
        ],
    ),
    "runs/second/plan.json": ("plan", [close, copy_shard]),
    "runs/second/shard-00000.jsonl": ("lines", [copy_shard]),
}


@pytest.mark.parametrize("file", READERS)
def test_another_version_is_refused_with_its_place_and_what_to_do(lab: World, file: str) -> None:
    (there,) = lab.destinations
    key = own(there, file)[0]
    field, readers = READERS[file]
    assert first_line(there, key)[0][field] == 1
    # Whatever else a later release may have changed.
    rewrite(there, key, {field: 7, "started": None, "objects": "many", "later": True})
    for read in readers:
        with pytest.raises(CloudError) as raised:
            read(lab)
        assert raised.value.kind is ErrorKind.UNSUPPORTED
        assert not raised.value.retryable
        text = str(raised.value)
        assert str(there.location.with_key(key)) in text
        assert "version 7" in text
        assert "knows version 1 only; use the release that wrote it everywhere, or delete" in text


@pytest.mark.parametrize("file", READERS)
def test_a_file_without_a_version_is_damaged(lab: World, file: str) -> None:
    (there,) = lab.destinations
    key = own(there, file)[0]
    field, readers = READERS[file]
    rewrite(there, key, {field: None})
    if file.startswith("ledger/"):
        readers = readers[1:]  # A run starts over: what is damaged counts for nothing.
    for read in readers:
        with pytest.raises(CloudError, match=f"it is damaged .*no '{field}'") as raised:
            read(lab)
        assert raised.value.kind is ErrorKind.INTEGRITY


def test_no_file_of_ours_is_without_one(lab: World) -> None:
    (there,) = lab.destinations
    copy_shard(lab)
    fields = {"version", "plan", "lines"}
    for key in own(there, ""):
        assert fields & set(first_line(there, key)[0]), key
