r"""The Logging query language, as far as it is known here.

https://cloud.google.com/logging/docs/view/logging-query-language: comparisons, joined by ``AND``
(which may be left out), ``OR`` and ``NOT`` (or ``-``) in capitals, with parentheses and comments.
NOT binds most, then OR, then AND. A field's path has quoted parts where they are no plain names:
``labels."airflow.dag_id"``. In a quoted text, ``\"`` is a quotation mark and ``\\`` a backslash.

What the page says beside this (regular expressions, functions, values alone, alternatives after an
operator, other escapes) is refused, so that no test passes on a filter that was not looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn

_SPACE: Final = re.compile(r"(?:\s+|--[^\n]*)*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR: Final = re.compile(r"<=|>=|!=|=(?!~)|<|>|:")
#: Without quotation marks: letters, digits and what is no operator.
_BARE: Final = re.compile(r"\*|[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_KEYWORD: Final = re.compile(r"(?:AND|OR|NOT)\b")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_DEEPEST: Final = 50


class FilterError(ValueError):
    """A filter that is none, or more than is known here."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path op value``.

    :param path: the field, part by part.
    :param value: without quotation marks.
    :param quoted: whether it had any: ``*`` without them asks whether the field is there.
    """

    path: tuple[str, ...]
    operator: str
    value: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Not:
    """What must not fit."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class All:
    """What must fit, all of it."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """Of which one must fit."""

    operands: tuple[Expression, ...]


Expression = Comparison | Not | All | Any


def parsed(text: str) -> Expression:
    """What a filter says; an empty one lets everything through.

    :raises FilterError: for one that is not known here.
    """
    return _Parser(text).whole()


class _Parser:
    """By recursive descent: one method for each level of binding."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def whole(self) -> Expression:
        if self._ended():
            return All(())
        found = self._all()
        if not self._ended():
            self._refuse("a comparison was expected")
        return found

    def _all(self) -> Expression:
        found = [self._any()]
        while not self._ended() and not self._follows(")"):
            self._keyword("AND")
            found.append(self._any())
        return found[0] if len(found) == 1 else All(tuple(found))

    def _any(self) -> Expression:
        found = [self._negated()]
        while self._keyword("OR"):
            found.append(self._negated())
        return found[0] if len(found) == 1 else Any(tuple(found))

    def _negated(self) -> Expression:
        if self._keyword("NOT") or self._take("-"):
            return Not(self._primary())
        return self._primary()

    def _primary(self) -> Expression:
        if not self._take("("):
            return self._comparison()
        self._depth += 1
        if self._depth > _DEEPEST:
            self._refuse("too many parentheses")
        found = self._all()
        if not self._take(")"):
            self._refuse("')' was expected")
        self._depth -= 1
        return found

    def _comparison(self) -> Comparison:
        path = [self._matched(_NAME, "a field's name was expected")]
        if path[0] in ("AND", "OR", "NOT"):
            self._refuse(f"{path[0]} stands where a field's name was expected")
        while self._text.startswith(".", self._at):
            self._at += 1
            quoted = _QUOTED.match(self._text, self._at)
            path.append(self._quoted() if quoted else self._matched(_NAME, "a name was expected"))
        self._skip()
        operator = self._matched(_OPERATOR, "a comparison operator was expected")
        self._skip()
        if _QUOTED.match(self._text, self._at):
            return Comparison(tuple(path), operator, self._quoted(), quoted=True)
        if _KEYWORD.match(self._text, self._at):
            self._refuse("a value was expected")
        value = self._matched(_BARE, "a value was expected")
        return Comparison(tuple(path), operator, value, quoted=False)

    def _quoted(self) -> str:
        inner = self._matched(_QUOTED, "a quoted text was expected", group=1)
        return _ESCAPE.sub(self._unescaped, inner)

    def _unescaped(self, escape: re.Match[str]) -> str:
        if escape[1] not in '"\\':
            self._refuse(f"the escape {escape[0]!r} is not known here")
        return escape[1]

    def _matched(self, pattern: re.Pattern[str], expected: str, *, group: int = 0) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            self._refuse(expected)
        self._at = found.end()
        return found[group]

    def _keyword(self, word: str) -> bool:
        self._skip()
        found = _KEYWORD.match(self._text, self._at)
        if found is None or found[0] != word:
            return False
        self._at = found.end()
        return True

    def _take(self, character: str) -> bool:
        taken = self._follows(character)
        self._at += taken
        return taken

    def _follows(self, character: str) -> bool:
        self._skip()
        return self._text.startswith(character, self._at)

    def _ended(self) -> bool:
        self._skip()
        return self._at == len(self._text)

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = self._at if found is None else found.end()

    def _refuse(self, why: str) -> NoReturn:
        raise FilterError(f"Unparseable filter: syntax error at column {self._at + 1}: {why}")
