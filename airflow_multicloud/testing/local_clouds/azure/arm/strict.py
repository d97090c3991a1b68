"""A JSON body against the SDK's model of it, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from isodate import ISO8601Error, parse_duration  # type: ignore[import-untyped]

from airflow_multicloud.testing.local_clouds.azure.arm import attribute_maps, rest_fields
from airflow_multicloud.testing.local_clouds.azure.arm.schema import (
    Choice,
    Field,
    ListOf,
    MapOf,
    ObjectOf,
    OneOf,
    Scalar,
    Shape,
)


def violations(model: type, body: object, operation: str) -> list[str]:
    """What is wrong with a body, in words; nothing when it fits.

    :param model: a model class of an ``azure.mgmt`` package, of either style.
    :param operation: ``read`` for an answer, else ``create``, ``update`` or ``query``.
    """
    style = rest_fields if rest_fields.described(model) else attribute_maps
    return list(_check(style.shape_of_model(model), body, "", operation))


def _check(shape: Shape, value: object, path: str, operation: str) -> Iterator[str]:
    match shape:
        case ObjectOf() | MapOf():
            yield from _check_mapping(shape, value, path, operation)
        case ListOf():
            yield from _check_list(shape, value, path, operation)
        case Choice(shapes=shapes):
            if all(any(_check(one, value, path, operation)) for one in shapes):
                yield _wrong(path, "a value of another form", value)
        case OneOf(values=allowed):
            known = {text.casefold() for text in allowed}
            if not isinstance(value, str) or value.casefold() not in known:
                yield _wrong(path, f"one of {', '.join(allowed)}", value)
        case Scalar():
            if not _is_scalar(shape, value):
                yield _wrong(path, str(shape), value)


def _check_mapping(
    shape: ObjectOf | MapOf, value: object, path: str, operation: str
) -> Iterator[str]:
    if not isinstance(value, dict):
        named = f" ({shape.name})" if isinstance(shape, ObjectOf) else ""
        yield _wrong(path, f"a JSON object{named}", value)
    elif isinstance(shape, ObjectOf):
        yield from _check_object(shape.name, shape.describe(value), value, path, operation)
    else:
        for key, item in value.items():
            yield from _check(shape.values, item, _join(path, key), operation)


def _check_list(shape: ListOf, value: object, path: str, operation: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield _wrong(path, "a JSON array", value)
        return
    for index, item in enumerate(value):
        yield from _check(shape.items, item, f"{path}[{index}]", operation)


def _check_object(
    name: str,
    fields: Mapping[str, Field],
    value: Mapping[str, object],
    path: str,
    operation: str,
) -> Iterator[str]:
    for key, item in value.items():
        at = _join(path, key)
        field = fields.get(key)
        if field is None:
            yield f"Could not find member '{key}' on object of type '{name}'. Path '{at}'."
        elif field.in_ is not None and operation not in field.in_:
            yield f"The property '{key}' of '{name}' is read-only here. Path '{at}'."
        elif item is None:
            if not field.nullable:
                yield _wrong(at, "a value", item)
        else:
            yield from _check(field.shape, item, at, operation)
    for key, field in fields.items():
        sendable = field.in_ is None or operation in field.in_
        if field.required and sendable and key not in value:
            yield f"Required property '{key}' not found in JSON. Path '{path}'."


def _is_scalar(kind: Scalar, value: object) -> bool:
    if kind is Scalar.ANY:
        return True
    if kind is Scalar.BOOLEAN or isinstance(value, bool):
        return kind is Scalar.BOOLEAN and isinstance(value, bool)
    if kind is Scalar.INTEGER:
        return isinstance(value, int)
    if kind is Scalar.NUMBER:
        return isinstance(value, int | float)
    return isinstance(value, str) and (kind is Scalar.TEXT or _parses(kind, value))


def _parses(kind: Scalar, text: str) -> bool:
    try:
        if kind is Scalar.TIMESTAMP:
            return "T" in text and datetime.fromisoformat(text).tzinfo is not None
        if kind is Scalar.DATE:
            return bool(date.fromisoformat(text))
        return bool(parse_duration(text) is not None)
    except (ValueError, ISO8601Error):
        return False


def _wrong(path: str, expected: str, value: object) -> str:
    return f"Expected {expected}, found {type(value).__name__} {str(value)[:80]!r}. Path '{path}'."


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
