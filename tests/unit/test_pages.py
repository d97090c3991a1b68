"""Figures on pages are readable."""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_multicloud.core.pages import duration, moment, money, size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (25_165_824, "25.2 MB"),
        (5 * 10**12, "5.0 TB"),
        (3072 * 10**15, "3072 PB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0004, "1 ms"),
        (0.25, "250 ms"),
        (3.21, "3.2 s"),
        (59.99, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3725, "1 h 2 min"),
        (90_000, "1 d 1 h"),
        (-2, "−2 s"),  # noqa: RUF001 - a minus sign
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


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
