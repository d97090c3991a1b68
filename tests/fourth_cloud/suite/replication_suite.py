"""The engine on the cloud outside the package, which it learns of by the entry point alone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import api, registry
from airflow_multicloud.errors import CredentialsError, ErrorKind, StorageError
from airflow_multicloud.opening.endpoints import open_endpoint
from airflow_multicloud.ports.object_store import ObjectRef, ObjectStore, WriteOptions
from airflow_multicloud.testing import memory_cloud
from airflow_multicloud.testing.memory_cloud import object_store as memory

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "mem://memory_default@lake/sales/"
REPLICA = "disk://lake/sales/"
CONTENT = {f"{number:02}.csv": f"row {number}\n".encode() * 1000 for number in range(20)}


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory for one test, with the connection that leads to it."""
    root = tmp_path / "disk"
    root.mkdir()
    connection = {"conn_type": "local_disk", "extra": {"root": str(root)}}
    monkeypatch.setenv("AIRFLOW_CONN_LOCAL_DISK_DEFAULT", json.dumps(connection))
    return root


@pytest.fixture
def source(disk: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """A lake in the memory cloud, and an empty disk."""
    memory_cloud.register()
    memory.reset()
    monkeypatch.setenv("AIRFLOW_CONN_MEMORY_DEFAULT", "memory://")
    store = open_endpoint(SOURCE, parameter="source").store
    memory.Hook().ensure_bucket("lake")
    for name, content in CONTENT.items():
        store.put_object(ObjectRef("lake", f"sales/{name}"), content)
    return store


def test_is_found_by_its_entry_point() -> None:
    cloud = registry.get_provider("localdisk")
    assert (cloud.title, cloud.conn_types) == ("Local disk", ("local_disk",))


def test_replicate_verify_fail_over(source: ObjectStore, disk: Path, tmp_path: Path) -> None:
    options = api.ReplicationOptions(create_buckets=True)
    report = api.replicate(SOURCE, [REPLICA], options)
    assert dict(report.destinations[0].outcomes) == {"copied": 20}
    again = api.replicate(SOURCE, [REPLICA], options)
    assert dict(again.destinations[0].outcomes) == {"unchanged": 20}
    assert again.bytes_read == 0

    assert api.verify_replica(REPLICA, depth=api.Depth.READ).proven

    memory.reset()  # The primary is lost, bucket and all.
    served = api.failover_fetch([SOURCE, REPLICA], tmp_path / "back")
    assert isinstance(served, api.TreeProvenance)
    assert (served.served, served.failed_over) == ({REPLICA: 20}, True)
    assert {p.name: p.read_bytes() for p in (tmp_path / "back").iterdir()} == CONTENT


def test_damage_is_found(source: ObjectStore, disk: Path) -> None:
    api.replicate(SOURCE, [REPLICA], api.ReplicationOptions(create_buckets=True))
    store = open_endpoint(REPLICA, parameter="replica").store
    damaged = next(p for p in disk.rglob("*") if p.is_file() and b"row 7\n" in p.read_bytes())
    damaged.write_bytes(damaged.read_bytes().replace(b"row 7\n", b"row 8\n", 1))
    assert store.stat_object(ObjectRef("lake", "sales/07.csv")).size == len(CONTENT["07.csv"])
    report = api.verify_replica(REPLICA, depth=api.Depth.READ)
    assert [found.name for found in report.found] == ["07.csv"]


def test_identity(disk: Path) -> None:
    status = api.check_connection("local_disk_default")
    assert status.available
    assert status.account_id == str(disk)


def test_errors_name_what_is_wrong(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError, match=r"'\.\.' is no name of a bucket") as climbing:
        api.verify_replica("disk://../etc/")
    assert climbing.value.kind is ErrorKind.INVALID_ARGUMENT
    store = registry.resolve(ObjectStore, "local_disk_default")
    with pytest.raises(StorageError, match="storage_class: a local disk has none"):
        store.put_object(ObjectRef("lake", "a"), b"", WriteOptions(storage_class="COLD"))
    monkeypatch.setenv("AIRFLOW_CONN_LOCAL_DISK_DEFAULT", "local-disk://")
    with pytest.raises(CredentialsError, match="expected the path of a directory"):
        api.verify_replica(REPLICA)


_WRITER = """
from airflow_multicloud import registry
from airflow_multicloud.ports.object_store import ObjectRef, ObjectStore

store = registry.resolve(ObjectStore, "local_disk_default")
store.ensure_bucket("lake")
store.put_object(ObjectRef("lake", "key"), b"first")
print("writing", flush=True)
while True:
    for letter in b"ab":
        store.put_object(ObjectRef("lake", "key"), bytes([letter]) * (8 << 20))
"""


def test_killed_while_writing(disk: Path) -> None:
    """The key is the old object or the complete new one, and the next write is as good."""
    command = [sys.executable, "-c", _WRITER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        time.sleep(0.3)
        writer.send_signal(signal.SIGKILL)
    store = registry.resolve(ObjectStore, "local_disk_default")
    body = store.get_object(ObjectRef("lake", "key"))
    content = bytes(body.read())
    assert content in (b"first", b"a" * (8 << 20), b"b" * (8 << 20))
    assert [meta.key for meta in store.list_objects("lake")] == ["key"]
    store.put_object(ObjectRef("lake", "key"), b"next")
    assert bytes(store.get_object(ObjectRef("lake", "key")).read()) == b"next"
    assert len(list((disk / "lake").iterdir())) == 1
