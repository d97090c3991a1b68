"""Whether an entry fits a filter.

https://cloud.google.com/logging/docs/view/logging-query-language: texts are compared without regard
to upper and lower case; ``:`` finds a part of a text, also in any field of a payload. A comparison
with a label or a payload's field that is not there is false; other fields have their defaults then.
``field:*`` asks whether a field is there.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from google.logging.type.log_severity_pb2 import LogSeverity  # type: ignore[import-untyped]
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from airflow_multicloud.testing.local_clouds.gcp.logs import grammar
from airflow_multicloud.testing.local_clouds.gcp.logs.grammar import (
    Comparison,
    Expression,
    FilterError,
    Not,
)

Fits = Callable[[Any], bool]

_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def fitting(expression: Expression) -> Fits:
    """The check that an expression stands for, of entries as Google's messages.

    :raises FilterError: for a field, a value or a comparison that is not known here.
    """
    if isinstance(expression, Comparison):
        return _compared(expression)
    if isinstance(expression, Not):
        operand = fitting(expression.operand)
        return lambda record: not operand(record)
    operands = [fitting(one) for one in expression.operands]
    if isinstance(expression, grammar.Any):
        return lambda record: any(fits(record) for fits in operands)
    return lambda record: all(fits(record) for fits in operands)


def _compared(comparison: Comparison) -> Fits:
    first, rest = comparison.path[0], comparison.path[1:]
    if not rest and first in _FIELDS:
        return _FIELDS[first](comparison)
    for parent, (read, depth) in _PARTS.items():
        below = comparison.path[len(parent) :]
        if comparison.path[: len(parent)] == parent and depth in (None, len(below)):
            return _among(comparison, partial(read, path=below))
    raise FilterError(f"Field not found: '{'.'.join(comparison.path)}'.")


def _text(comparison: Comparison, *, name: str) -> Fits:
    """A field of the type itself, which has a default: the empty text."""
    if _asks_presence(comparison):
        return lambda record: bool(getattr(record, name))
    holds = _holding(comparison)
    return lambda record: holds(getattr(record, name))


def _among(comparison: Comparison, read: Callable[[Any], Any]) -> Fits:
    """A field that may not be there (``None``), or be a payload of many."""
    if _asks_presence(comparison):
        return lambda record: read(record) not in (None, "")
    holds = _holding(comparison)
    if comparison.operator == ":":
        return lambda record: any(map(holds, _leaves(read(record))))

    def fits(record: Any) -> bool:
        found: object = read(record)
        return found is not None and not isinstance(found, dict | list) and holds(_shown(found))

    return fits


def _holding(comparison: Comparison) -> Callable[[str], bool]:
    """How a text is compared."""
    wanted = comparison.value.casefold()
    if comparison.operator == ":":
        return lambda text: wanted in text.casefold()
    if comparison.operator == "=":
        return lambda text: text.casefold() == wanted
    if comparison.operator == "!=":
        return lambda text: text.casefold() != wanted
    raise FilterError(f"{comparison.operator} is not known here for {'.'.join(comparison.path)}")


def _asks_presence(comparison: Comparison) -> bool:
    return comparison.operator == ":" and comparison.value == "*" and not comparison.quoted


def _timestamp(comparison: Comparison) -> Fits:
    order = _order(comparison)
    wanted = Timestamp()
    text = comparison.value
    try:
        wanted.FromJsonString(text if "T" in text.upper() else f"{text}T00:00:00Z")
    except ValueError as err:
        raise FilterError(f"Invalid timestamp: {text!r}") from err
    moment = (wanted.seconds, wanted.nanos)
    return lambda record: order((record.timestamp.seconds, record.timestamp.nanos), moment)


def _severity(comparison: Comparison) -> Fits:
    if _asks_presence(comparison):
        return lambda record: bool(record.severity)
    order, name = _order(comparison), comparison.value.upper()
    if name not in LogSeverity.keys():  # noqa: SIM118 - it is no mapping
        raise FilterError(f"Invalid severity: {comparison.value!r}")
    wanted = LogSeverity.Value(name)
    return lambda record: order(record.severity, wanted)


def _order(comparison: Comparison) -> Callable[[Any, Any], bool]:
    if comparison.operator not in _ORDERS:
        raise FilterError(f"{comparison.operator} is not known here for {comparison.path[0]}")
    return _ORDERS[comparison.operator]


def _payload(record: Any, name: str, path: tuple[str, ...]) -> Any:
    if record.WhichOneof("payload") != name:
        return None
    return _of(MessageToDict(getattr(record, name)), path)


def _of(fields: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if isinstance(fields, list | str) or part not in fields:
            return None
        fields = fields[part]
    return fields


def _leaves(found: Any) -> Iterator[str]:
    """The values of a payload's part, however deep."""
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list):
        for one in found:
            yield from _leaves(one)
    elif found is not None:
        yield _shown(found)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


#: What a field of the type itself is compared as.
_FIELDS: Final[Mapping[str, Callable[[Comparison], Fits]]] = {
    "logName": partial(_text, name="log_name"),
    "textPayload": partial(_text, name="text_payload"),
    "insertId": partial(_text, name="insert_id"),
    "trace": partial(_text, name="trace"),
    "spanId": partial(_text, name="span_id"),
    "timestamp": _timestamp,
    "severity": _severity,
}
#: Where the fields below a field are, and how many names lead there; ``None`` for any number.
_PARTS: Final[Mapping[tuple[str, ...], tuple[Callable[..., Any], int | None]]] = {
    ("labels",): (lambda record, path: _of(record.labels, path), 1),
    ("resource", "type"): (lambda record, path: _of(record.resource.type, path), 0),
    ("resource", "labels"): (lambda record, path: _of(record.resource.labels, path), 1),
    ("jsonPayload",): (lambda record, path: _payload(record, "json_payload", path), None),
    ("protoPayload",): (lambda record, path: _payload(record, "proto_payload", path), None),
}
