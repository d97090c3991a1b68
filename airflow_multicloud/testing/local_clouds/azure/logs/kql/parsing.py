"""From a query's text to what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from airflow_multicloud.testing.local_clouds.azure.logs.kql.lexing import Word, words
from airflow_multicloud.testing.local_clouds.azure.logs.kql.syntax import (
    Between,
    Binary,
    Call,
    Expression,
    Literal,
    Member,
    Name,
    Named,
    Negative,
    OneOf,
    Operator,
    Order,
    Project,
    ProjectAway,
    Query,
    Sort,
    Summarize,
    Take,
    Union,
    Where,
)
from airflow_multicloud.testing.local_clouds.azure.logs.kql.values import KqlSyntaxError, Type

T = TypeVar("T")

_COMPARING = ("==", "!=", "<", "<=", ">", ">=", "=~", "!~")
_OF_STRINGS = ("contains", "has", "startswith", "endswith")
_STRING_OPERATORS = frozenset(
    f"{negated}{name}{case}"
    for negated in ("", "!")
    for name in _OF_STRINGS
    for case in ("", "_cs")
)
_IN = frozenset({"in", "!in", "in~", "!in~"})
_CONSTANTS = {"true": (Type.BOOL, True), "false": (Type.BOOL, False)}


def parse(query: str) -> Query:
    """A query.

    :raises KqlSyntaxError: when the text is none.
    """
    return _Parser(list(words(query))).query()


class _Parser:
    """Goes over the words once, from the first to the last."""

    def __init__(self, words_: Sequence[Word]) -> None:
        self._words = words_
        self._place = 0

    @property
    def _next(self) -> Word:
        return self._words[self._place]

    def _is(self, *texts: str) -> bool:
        return self._next.kind != "literal" and self._next.text in texts

    def _step(self) -> Word:
        found = self._next
        self._place += 1
        return found

    def _skip(self, text: str) -> bool:
        if self._is(text):
            self._place += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._skip(text):
            raise self._unexpected(f"'{text}'")

    def _unexpected(self, expected: str) -> KqlSyntaxError:
        return KqlSyntaxError(
            f"A recognition error occurred: '{self._next.text[:50]}' found, expected {expected}."
        )

    def _name(self) -> str:
        if self._next.kind == "word":
            return self._step().text
        if self._is("["):
            self._expect("[")
            if self._next.type is not Type.STRING:
                raise self._unexpected("a quoted name")
            name = str(self._step().value)
            self._expect("]")
            return name
        raise self._unexpected("a name")

    def _list(self, one: Callable[[], T]) -> list[T]:
        found = [one()]
        while self._skip(","):
            found.append(one())
        return found

    def query(self) -> Query:
        table = self._name()
        operators: list[Operator] = []
        while self._skip("|"):
            operators += self._operator()
        self._skip(";")
        if self._next.kind != "end":
            raise self._unexpected("'|' or the end")
        return Query(table, operators)

    def _operator(self) -> Sequence[Operator]:
        name = self._name()
        parsers: Mapping[str, Callable[[], Sequence[Operator]]] = {
            "count": lambda: [Summarize([Named("Count", Call("count", []))], [])],
            "distinct": lambda: [Summarize([], self._list(self._named))],
            "extend": lambda: [Project(self._list(self._named), keeps=True)],
            "filter": lambda: [Where(self._expression())],
            "limit": lambda: [Take(self._count())],
            "order": self._sort,
            "project": lambda: [Project(self._list(self._named), keeps=False)],
            "project-away": lambda: [ProjectAway(self._list(self._name))],
            "sort": self._sort,
            "summarize": self._summarize,
            "take": lambda: [Take(self._count())],
            "top": self._top,
            "union": lambda: [Union(self._list(self._name))],
            "where": lambda: [Where(self._expression())],
        }
        parse = parsers.get(name)
        if parse is None:
            raise KqlSyntaxError(f"The operator '{name[:50]}' is not known here.")
        return parse()

    def _sort(self) -> Sequence[Operator]:
        self._expect("by")
        return [Sort(self._list(self._order))]

    def _top(self) -> Sequence[Operator]:
        count = self._count()
        self._expect("by")
        return [Sort([self._order()]), Take(count)]

    def _summarize(self) -> Sequence[Operator]:
        aggregates = [] if self._is("by") else self._list(self._named)
        by = self._list(self._named) if self._skip("by") else []
        return [Summarize(aggregates, by)]

    def _count(self) -> int:
        if self._next.type is not Type.LONG:
            raise self._unexpected("a number")
        return int(str(self._step().value))

    def _named(self) -> Named:
        begin = self._place
        if self._next.kind == "word" or self._is("["):
            name = self._name()
            if self._skip("="):
                return Named(name, self._expression())
            self._place = begin
        value = self._expression()
        return Named(value.name if isinstance(value, Name) else None, value)

    def _order(self) -> Order:
        value = self._expression()
        ascending = self._skip("asc")
        if not ascending:
            self._skip("desc")
        nulls_first = ascending
        if self._skip("nulls"):
            nulls_first = self._skip("first")
            if not nulls_first:
                self._expect("last")
        return Order(value, ascending, nulls_first)

    def _expression(self) -> Expression:
        return self._chain(("or",), lambda: self._chain(("and",), self._comparison))

    def _chain(self, operators: Sequence[str], one: Callable[[], Expression]) -> Expression:
        left = one()
        while self._is(*operators):
            left = Binary(self._step().text, left, one())
        return left

    def _comparison(self) -> Expression:
        left = self._sum()
        if self._next.kind == "literal":
            return left
        text = self._next.text
        if text in _COMPARING or text in _STRING_OPERATORS:
            self._step()
            return Binary(text, left, self._sum())
        if text in _IN:
            self._step()
            self._expect("(")
            items = self._list(self._expression)
            self._expect(")")
            return OneOf(text, left, items)
        if text in ("between", "!between"):
            self._step()
            self._expect("(")
            low = self._sum()
            self._expect("..")
            high = self._sum()
            self._expect(")")
            return Between(text.startswith("!"), left, low, high)
        return left

    def _sum(self) -> Expression:
        return self._chain(("+", "-"), lambda: self._chain(("*", "/", "%"), self._unary))

    def _unary(self) -> Expression:
        if self._skip("-"):
            return Negative(self._unary())
        value = self._primary()
        while True:
            if self._skip("."):
                value = Member(value, Literal(Type.STRING, self._name()))
            elif self._skip("["):
                value = Member(value, self._expression())
                self._expect("]")
            else:
                return value

    def _primary(self) -> Expression:
        word = self._next
        if word.type is not None:
            return self._literal()
        if self._skip("("):
            value = self._expression()
            self._expect(")")
            return value
        if word.kind == "word" and word.text in _CONSTANTS:
            self._step()
            return Literal(*_CONSTANTS[word.text])
        name = self._name()
        if word.kind == "word" and self._skip("("):
            arguments = [] if self._is(")") else self._list(self._expression)
            self._expect(")")
            return Call(name, arguments)
        return Name(name)

    def _literal(self) -> Literal:
        """A constant; strings that follow one another are one."""
        word = self._step()
        if word.type is None:
            raise KqlSyntaxError(f"'{word.text[:50]}' is no literal.")
        value = word.value
        while word.type is Type.STRING and self._next.type is Type.STRING:
            value = f"{value}{self._step().value}"
        return Literal(word.type, value)
