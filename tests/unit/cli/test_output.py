"""What a result looks like in the output formats for people and their tools."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from airflow_multicloud.cli.output import Result, show

_ROWS = [
    {"Cloud": "aws", "ServiceName": "=1+1", "BilledCost": "1234567.89", "Charges": "12e5"},
    {"Cloud": "azure", "ServiceName": "日本", "BilledCost": Decimal("-0.50"), "Charges": None},
]


def test_plain_money_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show(Result(_ROWS, _ROWS), "plain")
    assert capsys.readouterr().out == (
        "Cloud  ServiceName  BilledCost  Charges\n"
        "aws    =1+1         1234567.89  12e5\n"
        "azure  日本         -0.50\n"
    )


def test_plain_says_that_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    show(Result([], []), "plain")
    assert capsys.readouterr().out == "No data found\n"


def test_csv_has_no_formulas_and_numbers_stay_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    show(Result(_ROWS, _ROWS), "csv")
    head, first, second = csv.reader(io.StringIO(capsys.readouterr().out))
    assert head == list(_ROWS[0])
    assert first == ["aws", "'=1+1", "1234567.89", "12e5"]
    assert second == ["azure", "日本", "-0.50", ""]
