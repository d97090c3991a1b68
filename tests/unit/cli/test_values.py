"""Sizes and durations on the command line."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import timedelta

import pytest

from airflow_multicloud.cli.values import count_or_share, duration, size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("7", 7),
        ("4K", 4096),
        ("4k", 4096),
        ("8M", 8 << 20),
        ("2G", 2 << 30),
        ("1T", 1 << 40),
    ],
)
def test_size(text: str, expected: int) -> None:
    assert size(text) == expected


@pytest.mark.parametrize("text", ["", "M", "-1", "1.5G", "4KB", "4 K", "1P"])
def test_no_size(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not a size; expected"):
        size(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
    ],
)
def test_duration(text: str, expected: timedelta) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize("text", ["", "15", "m", "-1h", "1.5h", "1h30m", "3M", "1y"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not a duration; expected"):
        duration(text)


def test_a_duration_can_be_too_long() -> None:
    with pytest.raises(ArgumentTypeError, match="is longer than 999999999d"):
        duration("9999999999d")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("1", 1), ("250", 250), ("0%", 0.0), ("29%", 0.29), ("0.5%", 0.005), ("100%", 1.0)],
)
def test_count_or_share(text: str, expected: float) -> None:
    given = count_or_share(text)
    assert (given, type(given)) == (expected, type(expected))


@pytest.mark.parametrize("text", ["", "%", "-1", "0.1", "101%", "100.01%", "10 %", "1e3", "x"])
def test_no_count_or_share(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is neither a number of objects nor a share"):
        count_or_share(text)
