"""The same buckets as the integration tests, and bills."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ..integration.conftest import lab  # noqa: F401, TID252  # a fixture

if TYPE_CHECKING:
    from airflow_multicloud.demo import bills


@pytest.fixture(scope="session")
def exports(local_clouds: object, local_bigquery: str) -> bills.Exports:
    """Three months of three clouds' bills."""
    from airflow_multicloud.demo.bills import Exports

    made = Exports()
    made.publish()
    return made
