"""What tests of deploying and of taking down have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_multicloud.testing.memory_cloud import compute
from tests.unit.operators.rollouts import CONNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def artifact(memory_account: Callable[[str, str], str], tmp_path: Path) -> Iterator[Path]:
    """What is deployed; the accounts are there, and empty."""
    for conn_id in CONNS.values():
        memory_account(conn_id, "lab")
        compute.reset(conn_id)
    file = tmp_path / "app.tar.gz"
    file.write_bytes(b"an artifact")
    yield file
    for conn_id in CONNS.values():
        compute.reset(conn_id)
