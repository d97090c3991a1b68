"""Results as people, line tools and programs read them."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import yaml
from airflow.providers.common.compat.sdk import mask_secret

from airflow_multicloud.cli.output import Result, show
from airflow_multicloud.errors import ErrorKind

DOCUMENT: dict[str, Any] = {
    "proven": False,
    "objects": 3,
    "ratio": 0.5,
    "kind": ErrorKind.NOT_FOUND,
    "root": None,
    "cost": Decimal("1234567.10"),
    "as_of": datetime(2026, 11, 1, 12, tzinfo=UTC),
    "took": timedelta(seconds=90),
    "found": ("a", "b"),
}


@pytest.mark.parametrize(("output", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_documents_keep_their_types(
    capsys: pytest.CaptureFixture[str], output: str, read: Any
) -> None:
    show(Result([], [DOCUMENT]), output)
    assert read(capsys.readouterr().out) == [
        {
            "proven": False,
            "objects": 3,
            "ratio": 0.5,
            "kind": "not_found",
            "root": None,
            "cost": 1234567.1,
            "as_of": "2026-11-01T12:00:00Z",
            "took": 90.0,
            "found": ["a", "b"],
        }
    ]


@pytest.mark.parametrize("output", ["json", "yaml", "table", "plain"])
def test_secrets_are_masked_at_any_depth(capsys: pytest.CaptureFixture[str], output: str) -> None:
    mask_secret("canary-8181-secret")
    deep: Any = "key canary-8181-secret here"
    for _ in range(9):
        deep = {"x": [deep]}
    show(Result([{"x": "canary-8181-secret"}], [{"deep": deep, "password": "hunter2"}]), output)
    out = capsys.readouterr().out
    assert "***" in out
    assert "canary-8181" not in out
    assert "hunter2" not in out


ROW = {"uri": "gs://google_cloud_default@lake/sales/", "run_id": "f" * 32, "proven": True}


def test_a_table_that_fits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    show(Result([ROW], []), "table")
    head, rule, row = capsys.readouterr().out.splitlines()
    assert [part.strip() for part in head.split("|")] == list(ROW)
    assert (len(row), len(rule)) == (37 + 3 + 32 + 3 + 3, 37 + 3 + 32 + 3 + 6)


@pytest.mark.parametrize("columns", ["80", None])
def test_a_wider_one_becomes_lines_in_which_every_value_is_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str | None
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    show(Result([ROW, {**ROW, "proven": None}], []), "table")
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"uri     {ROW['uri']}",
        f"run_id  {ROW['run_id']}",
        "proven  yes",
        "",
        f"uri     {ROW['uri']}",
        f"run_id  {ROW['run_id']}",
        "proven",
    ]


def test_plain_is_one_line_each_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    show(Result([{"name": "x" * 300, "said": "two\nlines \x1b[2J"}], []), "plain")
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "said"]
    assert row == "x" * 300 + "  two\\nlines \\x1b[2J"


MONEY = [
    {"Cloud": "aws", "ServiceName": "=1+1", "BilledCost": "1234567.89", "Charges": "12e5"},
    {"Cloud": "azure", "ServiceName": "日本", "BilledCost": Decimal("-0.50"), "Charges": None},
]


def test_plain_money_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show(Result(MONEY, MONEY), "plain")
    assert capsys.readouterr().out == (
        "Cloud  ServiceName  BilledCost  Charges\n"
        "aws    =1+1         1234567.89  12e5\n"
        "azure  日本         -0.50\n"
    )


@pytest.mark.parametrize("output", ["plain", "table"])
def test_that_there_is_nothing_is_said(capsys: pytest.CaptureFixture[str], output: str) -> None:
    show(Result([], []), output)
    assert capsys.readouterr().out == "No data found\n"


def test_csv_has_no_formulas_and_numbers_stay_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    show(Result(MONEY, MONEY), "csv")
    head, first, second = csv.reader(io.StringIO(capsys.readouterr().out))
    assert head == list(MONEY[0])
    assert first == ["aws", "'=1+1", "1234567.89", "12e5"]
    assert second == ["azure", "日本", "-0.50", ""]


#: Clears a terminal, forges a line, turns what follows around; and letters that stay readable.
EVIL = (
    "a\x1b[2J\x9b2J\u202eb\nFORGED\u2066c\u200f\xad\x85\u2028\x07\x7f\ufeff\U000e0041"
    " Zürich 東京 😀"
)
RAW = set("\x1b\x9b\u202e\u2066\u200f\xad\x85\u2028\x07\x7f\ufeff\U000e0041")


@pytest.mark.parametrize(("output", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_documents_are_printable_and_exact(
    capsys: pytest.CaptureFixture[str], output: str, read: Any
) -> None:
    document = [{"key": EVIL, EVIL: [{"deep": EVIL}], "plain": "Zürich"}]
    show(Result([], document), output)
    out = capsys.readouterr().out
    assert not RAW & set(out)
    assert "Zürich 東京" in out
    assert "\nFORGED" not in out
    assert read(out) == document


@pytest.mark.parametrize("output", ["table", "plain"])
def test_tables_are_printable(capsys: pytest.CaptureFixture[str], output: str) -> None:
    show(Result([{EVIL: EVIL}], []), output)
    out = capsys.readouterr().out
    assert not RAW & set(out)
    assert "\nFORGED" not in out


@pytest.mark.parametrize("terminal", [True, False])
def test_csv_is_exact_where_no_person_looks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    show(Result([{"key": EVIL, EVIL: 3}], []), "csv")
    out = capsys.readouterr().out
    if terminal:
        assert not RAW & set(out)
        assert out.count("\n") == 2
    else:
        assert list(csv.reader(io.StringIO(out, newline=""))) == [["key", EVIL], [EVIL, "3"]]
