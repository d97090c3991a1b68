"""Figures on pages are readable."""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_multicloud.core.pages import moment, money


@pytest.mark.parametrize(
    "at", ["2026-11-23T10:00:00+01:00", "2026-11-23T09:00:00Z", "2026-11-23T09:00:00"]
)
def test_moments(at: str) -> None:
    assert moment(at) == "2026-11-23 09:00:00 UTC"


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1234567.891", "1,234,567.89"), ("-0.004", "0.00"), ("-0.01", "-0.01"), ("0", "0.00")],
)
def test_money(amount: str, text: str) -> None:
    assert money(Decimal(amount)) == text
