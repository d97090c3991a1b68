"""The words of a query.

After Kusto's published grammar, LexicalGrammar.cs
(https://github.com/microsoft/Kusto-Query-Language/tree/master/src/Kusto.Language/Parser).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from airflow_multicloud.testing.local_clouds.azure.logs.kql.values import (
    KqlSyntaxError,
    Type,
    datetime_of,
)

_ESCAPE = (
    r"\\(?:['\"\\abfnrtv]|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}"
    r"|[0-3][0-7][0-7]|[0-7][0-7]?)"
)
_UNITS: Mapping[str, timedelta] = MappingProxyType(
    {
        **dict.fromkeys(("d", "day", "days"), timedelta(days=1)),
        **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), timedelta(hours=1)),
        **dict.fromkeys(("m", "min", "minute", "minutes"), timedelta(minutes=1)),
        **dict.fromkeys(("s", "sec", "second", "seconds"), timedelta(seconds=1)),
        **dict.fromkeys(("ms", "milli", "millis", "milliseconds"), timedelta(milliseconds=1)),
        **dict.fromkeys(("micro", "micros", "microseconds"), timedelta(microseconds=1)),
    }
)
_WORDS = re.compile(
    "|".join(
        (
            r"(?P<trivia>(?:\s+|//[^\r\n]*)+)",
            rf"(?P<string>[hH]?(?:\"(?:{_ESCAPE}|[^\\\"\r\n])*\"|'(?:{_ESCAPE}|[^\\'\r\n])*'))",
            r"(?P<verbatim>[hH]?@(?:\"(?:\"\"|[^\"\r\n])*\"|'(?:''|[^'\r\n])*'))",
            r"(?P<prefixed>(?:datetime|timespan|time|long|int|real|double|bool)\s*\([^)]*\))",
            rf"(?P<timespan>\d+(?:\.\d+)?(?:{'|'.join(sorted(_UNITS, key=len, reverse=True))})\b)",
            r"(?P<real>\d+\.(?!\.)\d*(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)",
            r"(?P<long>0[xX][0-9a-fA-F]+|\d+)",
            r"(?P<operator>![A-Za-z_]+~?|in~)",
            r"(?P<word>[$_A-Za-z][_A-Za-z0-9]*(?:-away\b)?)",
            r"(?P<mark>==|!=|=~|!~|<=|>=|\.\.|[<>=|(),.\[\]+*/%;-])",
        )
    )
)
_SHORT = MappingProxyType(
    {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
)
_OCTAL = 8


@dataclass(frozen=True, slots=True)
class Word:
    """One word.

    :param kind: ``literal``, ``operator``, ``word``, ``mark`` or ``end``.
    :param text: as it is written.
    :param value: of a literal, with its type.
    """

    kind: str
    text: str
    type: Type | None = None
    value: object = None


def words(query: str) -> Iterator[Word]:
    """The words of a query, and its end.

    :raises KqlSyntaxError: at what is no word.
    """
    place = 0
    while place < len(query):
        found = _WORDS.match(query, place)
        if found is None:
            raise KqlSyntaxError(
                f"The token '{query[place : place + 20]}' is unexpected at {place}."
            )
        place = found.end()
        kind = found.lastgroup or ""
        if kind != "trivia":
            yield _word(kind, found[0])
    yield Word("end", "")


def _word(kind: str, text: str) -> Word:
    read = _LITERALS.get(kind)
    return Word(kind, text) if read is None else Word("literal", text, *read(text))


def _string(text: str) -> tuple[Type, object]:
    inner = text.removeprefix("h").removeprefix("H")[1:-1]
    units = re.sub(_ESCAPE, _unescaped, inner)
    # Kusto's texts are of UTF-16: two halves of a pair are one character, however they came.
    return Type.STRING, units.encode("utf-16-le", "surrogatepass").decode(
        "utf-16-le", "surrogatepass"
    )


def _verbatim(text: str) -> tuple[Type, object]:
    quoted = text.removeprefix("h").removeprefix("H")[1:]
    return Type.STRING, quoted[1:-1].replace(quoted[0] * 2, quoted[0])


def _unescaped(found: re.Match[str]) -> str:
    rest = found[0][1:]
    if rest[0] in _SHORT:
        return _SHORT[rest[0]]
    if rest[0] in "uUx":
        return chr(int(rest[1:], 16))
    return chr(int(rest, _OCTAL)) if rest[0].isdigit() else rest


def _span(text: str) -> timedelta:
    number = re.match(r"[\d.]+", text)
    if number is None or text[number.end() :] not in _UNITS:
        raise KqlSyntaxError(f"'{text}' is no timespan.")
    return float(number[0]) * _UNITS[text[number.end() :]]


def _prefixed(text: str) -> tuple[Type, object]:
    name, _, rest = text.partition("(")
    inner = rest[:-1].strip().strip("\"'")
    kind, read = _PREFIXES[name.strip()]
    try:
        value = None if inner == "null" else read(inner)
    except (ValueError, KeyError):
        raise KqlSyntaxError(f"'{text[:50]}' is no literal.") from None
    return kind, value


def _moment(text: str) -> datetime:
    found = datetime_of(text)
    if found is None:
        raise ValueError(text)
    return found


_PREFIXES: Mapping[str, tuple[Type, Callable[[str], object]]] = MappingProxyType(
    {
        "bool": (Type.BOOL, {"true": True, "false": False}.__getitem__),
        "datetime": (Type.DATETIME, _moment),
        "double": (Type.REAL, float),
        "int": (Type.INT, int),
        "long": (Type.LONG, int),
        "real": (Type.REAL, float),
        "time": (Type.TIMESPAN, _span),
        "timespan": (Type.TIMESPAN, _span),
    }
)
_LITERALS: Mapping[str, Callable[[str], tuple[Type, object]]] = MappingProxyType(
    {
        "string": _string,
        "verbatim": _verbatim,
        "prefixed": _prefixed,
        "timespan": lambda text: (Type.TIMESPAN, _span(text)),
        "real": lambda text: (Type.REAL, float(text)),
        "long": lambda text: (Type.LONG, int(text, 16 if text[1:2] in ("x", "X") else 10)),
    }
)
