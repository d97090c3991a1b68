"""The memory cloud is known to every test of rollouts, and empty before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import known_clouds
from airflow_multicloud.testing import memory_cloud
from airflow_multicloud.testing.memory_cloud import compute, object_store

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _emptied() -> Iterator[None]:
    memory_cloud.register()
    compute.reset()
    object_store.reset()
    yield
    known_clouds.unregister_provider(memory_cloud.NAME)
