"""What tests of metrics have in common: accounts of the memory cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_multicloud import registry
from airflow_multicloud.testing import memory_cloud
from airflow_multicloud.testing.memory_cloud import metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNS = ("metrics_one", "metrics_two", "metrics_three")


@pytest.fixture
def conns(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str, str]]:
    """Three connections to empty accounts."""
    memory_cloud.register()
    metrics.reset()
    for conn_id in CONNS:
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", "memory://")
    yield CONNS
    metrics.reset()
    registry.unregister_provider(memory_cloud.NAME)
