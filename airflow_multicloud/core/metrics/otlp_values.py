"""Values as OTLP's JSON has them: whole numbers as texts, attributes as lists of pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_multicloud.core.metrics.collecting import UnreadableError
from airflow_multicloud.core.metrics.numbers import count_of, number_of

Json = Mapping[str, Any]


def count_in(given: Json, key: str) -> int:
    """A whole number; 0 where there is none.

    :raises UnreadableError: for anything else.
    """
    return count_of(given.get(key) or 0, key)


def number_in(given: Json, key: str) -> float | None:
    """A number; ``None`` where there is none.

    :raises UnreadableError: for anything else.
    """
    return None if given.get(key) is None else number_of(given[key], key)


def text_in(given: Json, key: str) -> str:
    """A text; empty where there is none."""
    found = given.get(key, "")
    return found if isinstance(found, str) else ""


def list_in(given: Json, key: str) -> Sequence[Any]:
    """A list; empty where there is none.

    :raises UnreadableError: for anything else.
    """
    found = given.get(key) or []
    if not isinstance(found, list):
        raise UnreadableError(f"{key}: expected a list")
    return found


def object_in(given: Json, key: str) -> Json:
    """An object; empty where there is none."""
    found = given.get(key)
    return found if isinstance(found, Mapping) else {}


def attributes_in(given: Json) -> dict[str, object]:
    """The attributes, by name; ``None`` for one without a value.

    :raises UnreadableError: for anything else.
    """
    found: dict[str, object] = {}
    for pair in list_in(given, "attributes"):
        if not isinstance(pair, Mapping) or not isinstance(pair.get("key"), str):
            raise UnreadableError("attributes: expected keys and values")
        found[pair["key"]] = _any_value(pair.get("value"))
    return found


def _any_value(given: object) -> object:
    """What an ``AnyValue`` holds; ``None`` for an empty one."""
    if not isinstance(given, Mapping) or not given:
        return None
    ((key, held), *_) = given.items()
    read = _VALUES.get(key)
    if read is None:
        raise UnreadableError("attributes: a value is of no kind that is known here")
    return read(held)


def _of_type(kind: type) -> Callable[[Any], object]:
    def read(held: Any) -> object:
        if not isinstance(held, kind):
            raise UnreadableError("attributes: a value is not of the type that it is said to be")
        return held

    return read


def _values_of(held: Any) -> Sequence[Any]:
    return list_in(held if isinstance(held, Mapping) else {}, "values")


_VALUES: Mapping[str, Callable[[Any], object]] = {
    "stringValue": _of_type(str),
    "boolValue": _of_type(bool),
    "bytesValue": _of_type(str),
    "intValue": lambda held: count_of(held, "attributes"),
    "doubleValue": lambda held: number_of(held, "attributes"),
    "arrayValue": lambda held: [_any_value(one) for one in _values_of(held)],
    "kvlistValue": lambda held: attributes_in({"attributes": _values_of(held)}),
}
