"""A report as names and values."""

from __future__ import annotations

from typing import Any

from airflow_multicloud.plugins.page.lines import LONGEST, MOST, lines_of


def test_what_lies_within_something_else() -> None:
    facts = {
        "a": 1,
        "b": {"c": True, "d": [1, 2]},
        "e": [{"f": "x"}, {"f": None}],
        "none": None,
        "empty": [],
        "zero": 0,
        "no": False,
    }
    assert lines_of(facts) == [
        ("a", "1"),
        ("b.c", "yes"),
        ("b.d", "1, 2"),
        ("e[0].f", "x"),
        ("zero", "0"),
        ("no", "no"),
    ]
    assert lines_of(None) == []


def test_it_has_an_end() -> None:
    assert len(lines_of({str(number): "x" for number in range(10_000)})) == MOST + 1
    ((_, text),) = lines_of({"a": "x" * 10_000})
    assert len(text) == LONGEST
    deep: Any = "x"
    for _ in range(500):
        deep = {"a": [deep]}
    assert len(lines_of({"a": deep})) == 1
