"""What all unit tests have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.testing.memory_cloud import object_store

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", autouse=True)
def emptied_memory_cloud() -> Iterator[None]:
    """What a module leaves in the memory cloud would slow down every collection after it."""
    yield
    object_store.reset()
