"""Both ways in which a small object is copied."""

from __future__ import annotations

import pytest

from airflow_multicloud.testing.memory_cloud import object_store


@pytest.fixture(params=["plain", "ordinary"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How small objects that need nothing special are copied; as any others are: ``ordinary``."""
    if request.param == "ordinary":
        monkeypatch.setattr(object_store.Hook, "plain_bucket", lambda _self, _bucket: None)
    return str(request.param)
