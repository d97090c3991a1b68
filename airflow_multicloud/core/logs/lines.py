"""Files of log lines, read as entries in bounded memory."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from airflow_multicloud.core.logs.records import (
    LONGEST,
    BadRecordError,
    Origin,
    Unread,
    entry_of,
)
from airflow_multicloud.ports.logs import LogEntry

if TYPE_CHECKING:
    from typing_extensions import Buffer

_SAMPLE = 80
_EXPECTED = "expected a record (a JSON object) in each line"


class LineFormat(StrEnum):
    """What the lines of a file are."""

    #: A JSON object each.
    JSON = "json"
    #: A message each.
    TEXT = "text"


def format_of(name: str) -> LineFormat:
    """What the lines are by the ending of the file's name."""
    return LineFormat.JSON if name.endswith((".json", ".jsonl", ".ndjson")) else LineFormat.TEXT


def read_lines(
    chunks: Iterable[Buffer], lines: LineFormat, origin: Origin
) -> Iterator[LogEntry | Unread]:
    r"""The entries of a file's lines, in order; empty lines are none, nor is a byte order mark.

    A line of text is a message with the time of its place. Bytes that are no UTF-8 are kept as
    escapes (``\xff``).
    """
    read: Callable[[bytes, int, Origin], LogEntry] = (
        _json if lines is LineFormat.JSON else _plain_text
    )
    place = 0
    for number, whole in enumerate(_split(chunks), 1):
        line = whole
        if number == 1 and whole is not None:
            line = whole.removeprefix(codecs.BOM_UTF8)
        if line is None:
            yield Unread(f"line {number}", f"longer than {LONGEST} bytes")
        elif stripped := line.strip():
            try:
                yield read(stripped if lines is LineFormat.JSON else line, place, origin)
            except BadRecordError as err:
                shown = stripped[:_SAMPLE].decode(errors="backslashreplace")
                yield Unread(f"line {number}: {shown}", str(err))
        else:
            continue
        place += 1


def _split(chunks: Iterable[Buffer]) -> Iterator[bytes | None]:
    """The lines; ``None`` for one that is too long to be kept."""
    rest = b""
    too_long = False
    for chunk in chunks:
        first, *others = bytes(chunk).split(b"\n")
        rest += first
        too_long = too_long or len(rest) > LONGEST
        if too_long:
            rest = b""
        for other in others:
            yield None if too_long else rest
            rest, too_long = other, len(other) > LONGEST
    if rest or too_long:
        yield None if too_long else rest


def _plain_text(line: bytes, place: int, origin: Origin) -> LogEntry:
    message = line.decode(errors="backslashreplace").rstrip("\r")
    return entry_of({"message": message}, place, origin)


def _json(line: bytes, place: int, origin: Origin) -> LogEntry:
    if line.startswith(b"["):
        raise BadRecordError(f"no JSON object but an array, or the beginning of one; {_EXPECTED}")
    try:
        record = msgspec.json.decode(line)
    except RecursionError:
        raise BadRecordError(f"no JSON that can be read: nested too deeply; {_EXPECTED}") from None
    except (msgspec.DecodeError, ValueError) as err:
        raise BadRecordError(_why_not_read(line, err)) from None
    return entry_of(record, place, origin, of_others=True)


def _why_not_read(line: bytes, err: ValueError | msgspec.DecodeError) -> str:
    """What is wrong with a line, which may be JSON that says what no cloud can hold."""
    try:
        json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return f"no JSON; {_EXPECTED}"
    if isinstance(err, msgspec.ValidationError):
        return "a number in it is beyond what a float can be"
    return "half of a surrogate pair in it, which no cloud can hold"


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
