"""Without the extra ``cost`` the message says what to install."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_multicloud import extras
from airflow_multicloud.core.cost.fx import ExchangeRates
from airflow_multicloud.core.cost.store import CostStore
from airflow_multicloud.errors import ProviderNotAvailableError

from .rows import MONTH


@pytest.fixture(autouse=True)
def not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)


def test_the_query_engine(tmp_path: Path) -> None:
    with (
        pytest.raises(
            ProviderNotAvailableError, match=r"duckdb.*pip install '\.\[cost\]' in a checkout"
        ),
        CostStore.open(tmp_path).connect(),
    ):
        pass


def test_the_rates() -> None:
    with pytest.raises(ProviderNotAvailableError, match="currency_converter is not installed"):
        ExchangeRates().rate("EUR", "USD", MONTH)
