"""Text for people: what others wrote made safe to show, and numbers made readable."""

from __future__ import annotations

import csv
import itertools
import re
import traceback
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO


def printable(text: str) -> str:
    r"""The text with everything escaped that would not show as itself.

    Control characters (an ESC clears a terminal, a newline forges a log line), characters that
    change the direction of what follows, and halves of surrogate pairs become Python's escapes:
    ``\x1b``, ``\n``, ``\u202e``. What is printable stays as it is, so this may be applied twice.

    :param text: a key, a name or a message of a cloud.
    """
    if text.isprintable():
        return text
    return "".join(c if _shows(c) else c.encode("unicode_escape").decode("ascii") for c in text)


def shortened(text: str, longest: int) -> str:
    """The text, of which what is beyond ``longest`` characters is left out and said to be."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


#: Of what was given: enough to know it by.
_TOLD, _TOLD_KEYS, _TOLD_OF_A_KEY = 100, 5, 40


def given_text(given: object) -> str:
    """What was given for a parameter, as an error shows it: a structure's values never.

    A wrong file or variable may hold anything, as the connections of an Airflow with their
    passwords. Of a mapping the first keys are shown, of a list its length, of a text or another
    plain value what it says, at most 100 characters.
    """
    if isinstance(given, Mapping | list | tuple | set | frozenset):
        return kind_text(given)
    return printable(shortened(repr(given), _TOLD))


def kind_text(given: object) -> str:
    """What kind of thing was given, where no text is expected at all: nothing of what it says."""
    if isinstance(given, Mapping):
        return f"a mapping of {keys_text(given)}" if given else "an empty mapping"
    if isinstance(given, list | tuple | set | frozenset):
        return f"a list of {len(given):,}" if given else "an empty list"
    if given is None:
        return "nothing"
    named = {str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return named.get(type(given), type(given).__name__)


def keys_text(keys: Iterable[object]) -> str:
    """The first of a mapping's keys, each shortened, and how many more there are."""
    found = list(keys)
    told = [printable(shortened(str(key), _TOLD_OF_A_KEY)) for key in found[:_TOLD_KEYS]]
    rest = len(found) - len(told)
    return ", ".join(told) + (f" and {rest:,} more" if rest else "")


def printable_data(text: str, *, wide: str = "") -> str:
    r"""JSON or YAML with the escapes of its own for what would not show; it reads the same.

    Outside of quotes there may be none of that but newlines.

    :param wide: how characters beyond the first 65,536 are written, given their number (YAML's
        ``\U{:08x}``); JSON has two escapes for them.
    """
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or _shows(c) else _escaped(c, wide) for c in text)


def _escaped(character: str, wide: str) -> str:
    number = ord(character)
    if number > 0xFFFF and wide:  # noqa: PLR2004 - the last that \u can write
        return wide.format(number)
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))


def _shows(character: str) -> bool:
    # Python counts every space but U+0020 as not printable; "Zs" are spaces that do show.
    return character.isprintable() or unicodedata.category(character) == "Zs"


def traceback_text(err: BaseException) -> str:
    """An exception with its causes, as Python shows it, for a log.

    Messages take one printable line each, and every line is indented: none passes for the log's.
    """
    lines: list[str] = []
    for part in traceback.TracebackException.from_exception(err).format():
        frame = part.startswith("  File ")  # its lines are of this machine's own files
        lines += part.rstrip().split("\n") if frame else [part.strip("\n")]
    return "\n".join(f"  {printable(line)}" for line in lines)


_SIZES = ("bytes", "kB", "MB", "GB", "TB", "PB")


def size_text(size: float, of: float | None = None) -> str:
    """Bytes as a person reads them: ``412 of 900 MB``, powers of 1000.

    :param of: the whole that ``size`` is a part of; it decides the unit of both.
    """
    whole = size if of is None else of
    power = 0
    while power + 1 < len(_SIZES) and round(whole / 1000**power) >= 1000:  # noqa: PLR2004
        power += 1
    shown = _number(size / 1000**power, power)
    if of is None:
        return "1 byte" if size == 1 else f"{shown} {_SIZES[power]}"
    return f"{shown} of {_number(of / 1000**power, power)} {_SIZES[power]}"


def _number(value: float, power: int) -> str:
    return f"{value:.0f}" if not power or value >= 100 else f"{value:.1f}"  # noqa: PLR2004


_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def duration_text(seconds: float) -> str:
    """Seconds for a reader, the two largest units of them: ``1 h 2 min``, ``3.2 s``, ``4 ms``."""
    if seconds < 0:
        return f"−{duration_text(-seconds)}"  # noqa: RUF001 - a minus sign
    if 0 < seconds < 1:
        return f"{max(1, round(seconds * 1000))} ms"
    if round(seconds, 1) < _MINUTE:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = round(seconds)
    for unit, name, smaller, lesser in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // smaller
            return f"{whole // unit:,} {name}" + (f" {rest} {lesser}" if rest else "")
    return f"{whole} s"


#: Where a spreadsheet may see a cell begin. A semicolon and a tab part cells too, in the
#: languages and settings whose separator they are, and a newline in a cell that is not quoted.
_CELL = r"(?:^|(?<=[;\t\r\n]))"
#: What a spreadsheet may leave out before it looks: spaces, and all that does not show.
_UNSEEN = (
    r"[\s'\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]*"
)
#: The signs, also wide, small, raised and lowered: every character that is one by NFKC.
_SIGN = (
    r"[=+\-@\u207a\u207c\u208a\u208c\ufb29\ufe62\ufe63\ufe66\ufe6b"
    r"\uff0b\uff0d\uff1d\uff20]"
)
_FORMULA = re.compile(f"{_CELL}(?={_UNSEEN}{_SIGN})")
_DEFUSED = re.compile(f"{_CELL}'(?={_UNSEEN}{_SIGN})")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def csv_cell(value: object) -> object:
    """A cell of a CSV file that no spreadsheet takes for a formula.

    Text that would be one gets an apostrophe before it, which makes it text again for a
    spreadsheet (https://owasp.org/www-community/attacks/CSV_Injection). Numbers, also as text
    and below zero, stay as they are. :func:`from_csv_cell` gives the text back.
    """
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    return _FORMULA.sub("'", value)


def from_csv_cell(text: str) -> str:
    """The text that :func:`csv_cell` was given."""
    return _DEFUSED.sub("", text)


def write_csv(out: TextIO, names: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a table for people and their spreadsheets; every CSV of this package is written here.

    :param names: the columns, also of an empty table.
    :param rows: ``None`` is an empty cell.
    """
    writer = csv.writer(out, lineterminator="\n")
    quoting = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in itertools.chain([dict(zip(names, names, strict=True))], rows):
        cells = [csv_cell(row[name]) for name in names]
        # Before Python 3.13 a carriage return alone is not quoted, and ends the row for a reader.
        alone = any(isinstance(cell, str) and "\r" in cell for cell in cells)
        (quoting if alone else writer).writerow(cells)
