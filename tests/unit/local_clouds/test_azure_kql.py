"""The part of the Kusto Query Language that the local Log Analytics understands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_multicloud.testing.local_clouds.azure.logs.kql import (
    KqlSemanticError,
    KqlSyntaxError,
    ask,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_T = datetime(2026, 3, 1, 12, tzinfo=UTC)
_COLUMNS = {"TimeGenerated": "datetime", "Name": "string", "Value": "real", "Bag": "dynamic"}
_ROWS = [
    {"TimeGenerated": _T, "Name": "first disk", "Value": 1.5, "Bag": {"a.b": "x", "n": [1, 2]}},
    {"TimeGenerated": _T + timedelta(hours=1), "Name": "Second Disk", "Value": 2.5, "Bag": {}},
    {"TimeGenerated": _T + timedelta(hours=2), "Name": "third", "Value": None, "Bag": None},
]


class _Tables:
    def columns(self, name: str) -> Mapping[str, str] | None:
        return {"T": _COLUMNS, "Other": {"Name": "string"}}.get(name)

    def rows(self, name: str) -> Sequence[Mapping[str, Any]]:
        return _ROWS if name == "T" else [{"Name": "another"}]


def _names(query: str) -> list[object]:
    return [row["Name"] for row in ask(query, _Tables()).rows]


def _is(expression: str) -> bool:
    """Whether it is true, of the first row."""
    return bool(_names(f"T | take 1 | where {expression}"))


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r'"a\"b\\c\n\t\u0041\U0001F600\x41\101\v"', 'a"b\\c\n\tA\U0001f600AA\v'),
        (r"'it\'s \"so\"'", 'it\'s "so"'),
        (r'@"C:\new\"', "C:\\new\\"),
        ('@"say ""so"""', 'say "so"'),
        ("@'it''s'", "it's"),
        (r'h"secret\n"', "secret\n"),
        ("\"one\" \n // between\n 'two'", "onetwo"),
        ('"// no comment | take 0"', "// no comment | take 0"),
    ],
)
def test_string_literals(literal: str, text: str) -> None:
    (row,) = ask(f"T | take 1 | project Text = {literal}", _Tables()).rows
    assert row["Text"] == text


@pytest.mark.parametrize(
    "query",
    [
        'T | where Name == "open',
        'T | where Name == "line\nbreak"',
        r'T | where Name == "\q"',
        r'T | where Name == "ends with \"',
        "T | where",
        "T | frobnicate",
        "T where true",
        "T | take many",
        "T; T",
        "T | where datetime(soon) > now()",
        "T | where (Value > 1",
        "",
    ],
)
def test_no_query(query: str) -> None:
    with pytest.raises(KqlSyntaxError):
        ask(query, _Tables())


@pytest.mark.parametrize(
    "query",
    [
        "Nothing | take 1",
        "T | where Nothing == 1",
        "T | where nothing(Name)",
        'T | where Name < "x"',
        "T | where Name == 1",
        'T | where TimeGenerated > "2026-01-01"',
        "T | where Name.part == 1",
        "T | where Value",
        "T | sort by Bag",
        "T | union Nothing",
        "T | summarize Name",
    ],
)
def test_a_query_that_cannot_be_meant(query: str) -> None:
    with pytest.raises(KqlSemanticError):
        ask(query, _Tables())


@pytest.mark.parametrize(
    "expression",
    [
        'Name == "first disk"',
        'Name != "First disk"',
        'Name =~ "FIRST DISK"',
        'Name contains "DISK"',
        'Name contains_cs "st d"',
        'Name !contains_cs "DISK"',
        'Name has "disk"',
        'Name !has "dis"',
        'Name startswith "FIRST"',
        'Name endswith_cs "disk"',
        'Name in ("x", "first disk")',
        'Name !in ("x", "FIRST DISK")',
        'Name in~ ("x", "FIRST DISK")',
        "TimeGenerated == datetime(2026-03-01T12:00:00.0000000Z)",
        "TimeGenerated >= datetime(2026-03-01) and TimeGenerated < datetime(2026-03-02)",
        "TimeGenerated between (datetime(2026-03-01) .. 1d + datetime(2026-03-01))",
        "TimeGenerated + 1h > datetime(2026-03-01T12:30:00Z)",
        "Value > 1 and not(Value >= 2)",
        "Value * 2 - 1 == 2 or false",
        'Bag["a.b"] == "x"',
        "tostring(Bag['a.b']) == 'x' and Bag.n[1] == 2",
        "isempty(tostring(Bag.nothing)) and isnull(Bag.nothing)",
        'tostring(Bag.n) == "[1,2]"',
        'strcat(Name, "!", 1) == "first disk!1" and strlen(Name) == 10',
        'strcmp(Name, "g") < 0',
        "ago(1d) < now() and bin(Value, 1) == 1",
    ],
)
def test_conditions(expression: str) -> None:
    assert _is(expression)
    assert not _is(f"not({expression})")


def test_null_compares_with_nothing() -> None:
    assert _names("T | where Value > 0") == ["first disk", "Second Disk"]
    assert _names("T | where Value < 9 or Value >= 9") == ["first disk", "Second Disk"]
    assert _names("T | where Value != 1.5") == ["Second Disk", "third"]


def test_order() -> None:
    assert _names("T | sort by Value") == ["Second Disk", "first disk", "third"]
    assert _names("T | order by Value asc, Name desc") == ["third", "first disk", "Second Disk"]
    assert _names("T | order by Value asc nulls last | take 1") == ["first disk"]
    assert _names("T | top 1 by TimeGenerated") == ["third"]


def test_columns() -> None:
    found = ask(
        "T | extend Twice = Value * 2 | project-away Bag | project Name, Twice, When=TimeGenerated"
        " | take 1",
        _Tables(),
    )
    assert found.columns == {"Name": "string", "Twice": "real", "When": "datetime"}
    assert [*found.values()] == [["first disk", 3.0, _T]]


def test_groups() -> None:
    (row,) = ask("T | summarize count(), sum(Value), Most=max(Value)", _Tables()).rows
    assert row == {"count_": 3, "sum_Value": 4.0, "Most": 2.5}
    found = ask("T | summarize n=count() by Day=bin(TimeGenerated, 1d)", _Tables())
    assert [*found.values()] == [[_T.replace(hour=0), 3]]
    assert [*ask("T | count", _Tables()).values()] == [[3]]
    assert len(ask("T | distinct Name", _Tables()).rows) == 3


def test_other_tables() -> None:
    assert _names("T | union Other | where Name has 'another'") == ["another"]
