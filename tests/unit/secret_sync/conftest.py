"""An empty world."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.testing.memory_cloud import secrets

from .lab import World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[World]:
    """Three stores with nothing in them."""
    secrets.reset()
    yield World()
    secrets.reset()
