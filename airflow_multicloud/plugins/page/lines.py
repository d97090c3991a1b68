"""A report as names and values, whatever it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_multicloud.text import shortened

#: So many lines of a report are shown, and so many characters of each of its texts.
MOST, LONGEST = 300, 500
_DEEPEST = 12


def lines_of(facts: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Name → value, for a reader; the names of what lies within something else have dots."""
    found: list[tuple[str, str]] = []
    for line in _lines("", facts or {}, 0):
        if len(found) == MOST:
            return [*found, ("…", f"more than {MOST} lines are not shown; XCom has them all")]
        found.append(line)
    return found


def _lines(name: str, value: Any, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value and depth < _DEEPEST:
        for key, inner in value.items():
            yield from _lines(f"{name}.{key}" if name else str(key), inner, depth + 1)
    elif isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        if depth >= _DEEPEST:
            yield shortened(name, LONGEST), "…"
            return
        for number, inner in enumerate(value):
            yield from _lines(f"{name}[{number}]", inner, depth + 1)
    elif value not in (None, "", [], {}):
        yield shortened(name, LONGEST), _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return shortened(", ".join(map(str, value)), LONGEST)
    return shortened(str(value), LONGEST)
