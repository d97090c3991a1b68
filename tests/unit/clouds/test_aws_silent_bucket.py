"""A bucket that does not answer holds no other bucket of its connection up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_multicloud.clouds.aws.object_store import stores
from airflow_multicloud.clouds.aws.object_store.stores import Stores
from airflow_multicloud.clouds.aws.object_store.terms import Owners, Terms


class Silent:
    """S3, which answers for every bucket but one, and for that one when it is told to."""

    def __init__(self) -> None:
        self.meta = SimpleNamespace(endpoint_url="http://127.0.0.1:9")
        self.asked, self.answer = Event(), Event()

    def _wait(self, bucket: str) -> None:
        if bucket == "silent":
            self.asked.set()
            assert self.answer.wait(timeout=30)

    def get_bucket_acl(self, *, Bucket: str) -> dict[str, Any]:  # noqa: N803 - as boto3
        self._wait(Bucket)
        return {"Owner": {"ID": "somebody"}}

    def head_bucket(self, *, Bucket: str) -> dict[str, Any]:  # noqa: N803 - as boto3
        self._wait(Bucket)
        return {}


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as threads:
        yield threads


def test_of_owners(pool: ThreadPoolExecutor) -> None:
    client = Silent()
    owners = Owners(client)
    waiting = pool.submit(owners.look, "silent")
    assert client.asked.wait(timeout=30)
    pool.submit(owners.look, "other").result(timeout=10)
    assert not waiting.done()
    client.answer.set()
    waiting.result(timeout=30)


def test_of_stores(pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Silent()
    monkeypatch.setattr(stores, "before_signing", lambda *_: None)
    session: Any = SimpleNamespace(credentials=None)
    found = Stores(session, client, Terms(), None)

    def find(bucket: str) -> None:
        client.head_bucket(Bucket=bucket)

    monkeypatch.setattr(found, "_find", find)
    waiting = pool.submit(found.of, "silent")
    assert client.asked.wait(timeout=30)
    assert pool.submit(found.of, "other").result(timeout=10) is None
    assert not waiting.done()
    client.answer.set()
    waiting.result(timeout=30)
