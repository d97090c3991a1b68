"""A cost store of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.core.cost.store.local_files import LocalFiles


@pytest.fixture
def store(tmp_path: Path) -> CostStore:
    return CostStore(str(tmp_path / "store"), LocalFiles(tmp_path / "store"))
