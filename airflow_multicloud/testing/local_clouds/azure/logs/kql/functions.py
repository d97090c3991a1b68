"""Scalar functions: what type each gives, and how."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from airflow_multicloud.testing.local_clouds.azure.logs.kql.values import (
    KqlSemanticError,
    Type,
    datetime_of,
)


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    :param type: of what it gives, by the types of its arguments.
    :param apply: to the arguments' values.
    :param least: how many arguments it takes.
    :param most: ``None`` for any number.
    """

    type: Callable[[Sequence[Type]], Type]
    apply: Callable[..., Any]
    least: int
    most: int | None


def function_of(name: str, count: int) -> Function:
    """The function of a name, that takes so many arguments.

    :raises KqlSemanticError: when there is none.
    """
    found = _FUNCTIONS.get(name)
    if found is None:
        raise KqlSemanticError(f"Unknown function: '{name}'.")
    if count < found.least or (found.most is not None and count > found.most):
        raise KqlSemanticError(f"Function '{name}' can't be called with {count} arguments.")
    return found


def text_of(value: object) -> str:
    """As ``tostring`` gives it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def _number(kind: type[int | float]) -> Callable[[object], object]:
    def convert(value: object) -> object:
        try:
            return kind(value) if isinstance(value, str | int | float) else None
        except (ValueError, OverflowError):
            return None

    return convert


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return datetime_of(value) if isinstance(value, str) else None


def _json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _binned(value: Any, size: Any) -> Any:
    if value is None or size is None or not size:
        return None
    if isinstance(value, datetime):
        begin = datetime(1, 1, 1, tzinfo=UTC)
        return begin + (value - begin) // size * size
    return value // size * size


def _always(kind: Type) -> Callable[[Sequence[Type]], Type]:
    return lambda _given: kind


def _compared(left: str, right: str) -> int:
    return (left > right) - (left < right)


def _empty(value: object) -> bool:
    return value is None or value == ""


_FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "ago": Function(
            _always(Type.DATETIME), lambda span: datetime.now(UTC) - (span or timedelta()), 1, 1
        ),
        "bin": Function(lambda given: given[0], _binned, 2, 2),
        "iff": Function(lambda given: given[1], lambda is_, a, b: a if is_ else b, 3, 3),
        "isempty": Function(_always(Type.BOOL), _empty, 1, 1),
        "isnotempty": Function(_always(Type.BOOL), lambda value: not _empty(value), 1, 1),
        "isnotnull": Function(_always(Type.BOOL), lambda value: value is not None, 1, 1),
        "isnull": Function(_always(Type.BOOL), lambda value: value is None, 1, 1),
        "not": Function(_always(Type.BOOL), lambda value: not value, 1, 1),
        "now": Function(_always(Type.DATETIME), lambda: datetime.now(UTC), 0, 0),
        "parse_json": Function(_always(Type.DYNAMIC), _json, 1, 1),
        "strcat": Function(
            _always(Type.STRING), lambda *parts: "".join(map(text_of, parts)), 1, 64
        ),
        "strcmp": Function(_always(Type.INT), _compared, 2, 2),
        "strlen": Function(_always(Type.LONG), lambda text: len(text_of(text)), 1, 1),
        "todatetime": Function(_always(Type.DATETIME), _moment, 1, 1),
        "todouble": Function(_always(Type.REAL), _number(float), 1, 1),
        "todynamic": Function(_always(Type.DYNAMIC), _json, 1, 1),
        "toint": Function(_always(Type.INT), _number(int), 1, 1),
        "tolong": Function(_always(Type.LONG), _number(int), 1, 1),
        "tolower": Function(_always(Type.STRING), lambda text: text_of(text).lower(), 1, 1),
        "toreal": Function(_always(Type.REAL), _number(float), 1, 1),
        "tostring": Function(_always(Type.STRING), text_of, 1, 1),
        "toupper": Function(_always(Type.STRING), lambda text: text_of(text).upper(), 1, 1),
    }
)
