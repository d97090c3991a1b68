"""Expressions over the columns of a table: their types, and their values in a row."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_multicloud.testing.local_clouds.azure.logs.kql.functions import function_of, text_of
from airflow_multicloud.testing.local_clouds.azure.logs.kql.syntax import (
    Between,
    Binary,
    Call,
    Expression,
    Literal,
    Member,
    Name,
    Negative,
    OneOf,
)
from airflow_multicloud.testing.local_clouds.azure.logs.kql.values import (
    KqlSemanticError,
    Row,
    Type,
    cell,
)

Evaluate = Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression that is ready for rows."""

    type: Type
    of: Evaluate


_ORDERING: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COUNTING: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}
_TERM = r"[^\W_]"


def _has(text: str, part: str) -> bool:
    """Whether the part is there as whole terms."""
    begin = rf"(?<!{_TERM})" if re.match(_TERM, part) else ""
    end = rf"(?!{_TERM})" if re.search(rf"{_TERM}\Z", part) else ""
    return re.search(f"{begin}{re.escape(part)}{end}", text) is not None


_MATCHING: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "has": _has,
}
#: What can be put in order, and compared so.
_ORDERED = frozenset({Type.DATETIME, Type.TIMESPAN})


def compiled(expression: Expression, columns: Mapping[str, Type]) -> Compiled:
    """An expression over these columns.

    :raises KqlSemanticError: when it names what is not there, or types don't fit.
    """
    found: Compiled
    match expression:
        case Literal(type=kind, value=value):
            found = Compiled(kind, lambda _row: value)
        case Name(name=name):
            found = _column(name, columns)
        case Member(base=base, key=key):
            found = _member(compiled(base, columns), compiled(key, columns))
        case Call():
            found = _called(expression, columns)
        case Negative(operand=operand):
            inner = compiled(operand, columns)
            found = Compiled(inner.type, lambda row: _negative(inner.of(row)))
        case Binary(operator=symbol, left=left, right=right):
            found = _binary(symbol, compiled(left, columns), compiled(right, columns))
        case OneOf(operator=symbol, left=left, items=given):
            items = [compiled(one, columns) for one in given]
            found = _one_of(symbol, compiled(left, columns), items)
        case Between():
            found = _between(expression, columns)
    return found


def _called(call: Call, columns: Mapping[str, Type]) -> Compiled:
    arguments = [compiled(one, columns) for one in call.arguments]
    function = function_of(call.name, len(arguments))
    kind = function.type([one.type for one in arguments])
    return Compiled(kind, lambda row: function.apply(*(one.of(row) for one in arguments)))


def _column(name: str, columns: Mapping[str, Type]) -> Compiled:
    kind = columns.get(name)
    if kind is None:
        raise KqlSemanticError(
            f"Failed to resolve column or scalar expression named '{name}'. If the issue "
            "persists, please open a support ticket."
        )
    return Compiled(kind, lambda row: cell(row, name, kind))


def _member(base: Compiled, key: Compiled) -> Compiled:
    if base.type is not Type.DYNAMIC:
        raise KqlSemanticError(f"A path can't be applied to a value of type {base.type}.")

    def found(row: Row) -> Any:
        value, place = base.of(row), key.of(row)
        if isinstance(value, dict):
            return value.get(place)
        if isinstance(value, list) and isinstance(place, int) and place < len(value):
            return value[place]
        return None

    return Compiled(Type.DYNAMIC, found)


def _binary(symbol: str, left: Compiled, right: Compiled) -> Compiled:
    if symbol in _COUNTING:
        return _counted(symbol, left, right)
    if symbol in _ORDERING:
        _check_ordered(symbol, left.type, right.type)
        compare = _ORDERING[symbol]
        return Compiled(Type.BOOL, lambda row: _where_both(compare, left.of(row), right.of(row)))
    if symbol in ("==", "!="):
        _check_equal(symbol, left.type, right.type)
    decide = _DECIDING.get(symbol)
    if decide is None:
        return _matched(symbol, left, right)
    return Compiled(Type.BOOL, lambda row: decide(left.of(row), right.of(row)))


def _matched(symbol: str, left: Compiled, right: Compiled) -> Compiled:
    """``contains`` and the like; with ``_cs``, upper and lower case differ."""
    for side in (left, right):
        if side.type not in (Type.STRING, Type.DYNAMIC):
            raise KqlSemanticError(f"Operator '{symbol}' can't be applied to {side.type}.")
    wanted = not symbol.startswith("!")
    name = symbol.removeprefix("!")
    fold: Callable[[str], str] = str if name.endswith("_cs") else str.lower
    match = _MATCHING[name.removesuffix("_cs")]
    return Compiled(
        Type.BOOL,
        lambda row: match(fold(text_of(left.of(row))), fold(text_of(right.of(row)))) is wanted,
    )


def _one_of(symbol: str, left: Compiled, items: list[Compiled]) -> Compiled:
    for item in items:
        _check_equal(symbol, left.type, item.type)
    wanted = not symbol.startswith("!")
    fold: Callable[[Any], Any] = str.lower if symbol.endswith("~") else lambda value: value

    def found(row: Row) -> bool:
        value = fold(left.of(row))
        return any(_equal(value, fold(item.of(row))) for item in items) is wanted

    return Compiled(Type.BOOL, found)


def _between(asked: Between, columns: Mapping[str, Type]) -> Compiled:
    value, low, high = (compiled(one, columns) for one in (asked.left, asked.low, asked.high))
    for limit in (low, high):
        _check_ordered("between", value.type, limit.type)

    def found(row: Row) -> bool:
        given, least, most = value.of(row), low.of(row), high.of(row)
        if given is None or least is None or most is None:
            return False
        return (least <= given <= most) is not asked.negated

    return Compiled(Type.BOOL, found)


def _counted(symbol: str, left: Compiled, right: Compiled) -> Compiled:
    kinds = {left.type, right.type}
    if kinds <= {Type.INT, Type.LONG, Type.REAL}:
        kind = Type.REAL if Type.REAL in kinds else Type.LONG
    elif kinds == {Type.DATETIME, Type.TIMESPAN} and symbol in "+-":
        kind = Type.DATETIME
    elif (kinds == {Type.DATETIME} and symbol == "-") or (
        Type.TIMESPAN in kinds and kinds <= {Type.TIMESPAN, Type.LONG, Type.REAL}
    ):
        kind = Type.TIMESPAN
    else:
        raise _unfit(symbol, left.type, right.type)
    whole = kind is Type.LONG and symbol == "/"
    count = operator.floordiv if whole else _COUNTING[symbol]

    def counted(row: Row) -> Any:
        first, second = left.of(row), right.of(row)
        if first is None or second is None or (symbol in "/%" and not second):
            return None
        return count(first, second)

    return Compiled(kind, counted)


def _negative(value: Any) -> Any:
    return None if value is None else -value


def _where_both(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> bool:
    try:
        return left is not None and right is not None and bool(compare(left, right))
    except TypeError:
        return False  # a dynamic value of another type


def _equal(left: Any, right: Any) -> bool:
    return left is not None and right is not None and bool(left == right)


def _alike(left: Any, right: Any) -> bool:
    return text_of(left).lower() == text_of(right).lower()


_DECIDING: Mapping[str, Callable[[Any, Any], bool]] = {
    "and": lambda left, right: bool(left) and bool(right),
    "or": lambda left, right: bool(left) or bool(right),
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "=~": _alike,
    "!~": lambda left, right: not _alike(left, right),
}


def _check_ordered(symbol: str, left: Type, right: Type) -> None:
    """Strings can't be put in order with ``<``; Kusto has ``strcmp`` for that."""
    kinds = {left, right} - {Type.DYNAMIC}
    if not (all(kind.is_number for kind in kinds) or (kinds <= _ORDERED and len(kinds) == 1)):
        raise _unfit(symbol, left, right)


def _check_equal(symbol: str, left: Type, right: Type) -> None:
    both_numbers = left.is_number and right.is_number
    if left is not right and not both_numbers and Type.DYNAMIC not in (left, right):
        raise _unfit(symbol, left, right)


def _unfit(symbol: str, left: Type, right: Type) -> KqlSemanticError:
    return KqlSemanticError(
        f"Operator '{symbol}': cannot compare or combine values of types {left} and {right}. Try "
        "adding explicit casts."
    )
