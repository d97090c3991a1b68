"""The same buckets as the integration tests."""

from __future__ import annotations

from ..integration.conftest import lab  # noqa: F401, TID252  # a fixture
