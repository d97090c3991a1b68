"""Connections to logs of the memory cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.testing.memory_cloud import logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONNS = ("memory_one", "memory_two", "memory_three")


@pytest.fixture
def conns(memory_account: Callable[[str, str], str]) -> Iterator[tuple[str, ...]]:
    """Three accounts, with empty logs, and a bucket ``lab`` each."""
    logs.reset()
    for conn_id in CONNS:
        memory_account(conn_id, "lab")
    yield CONNS
    logs.reset()
