"""Connections to the memory cloud, each with an empty bucket ``lab``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from airflow_multicloud import registry
from airflow_multicloud.testing import memory_cloud
from airflow_multicloud.testing.memory_cloud import object_store

_numbers = itertools.count()


@pytest.fixture
def conn_id(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    memory_cloud.register()
    name = f"prices_{next(_numbers)}"
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", "memory://")
    object_store.Hook(name).ensure_bucket("lab")
    yield name
    registry.unregister_provider(memory_cloud.NAME)
