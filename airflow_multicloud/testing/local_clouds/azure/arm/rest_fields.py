"""The newer SDKs' models (``rest_field``) as a schema."""

from __future__ import annotations

import importlib
import types
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

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

_SCALARS: dict[object, Scalar] = {
    str: Scalar.TEXT,
    int: Scalar.INTEGER,
    float: Scalar.NUMBER,
    Decimal: Scalar.NUMBER,
    bool: Scalar.BOOLEAN,
    datetime: Scalar.TIMESTAMP,
    date: Scalar.DATE,
    timedelta: Scalar.DURATION,
    bytes: Scalar.TEXT,
    Any: Scalar.ANY,
    object: Scalar.ANY,
}


_SECONDS = "unix-timestamp"


def described(model: type) -> bool:
    """Whether a model is of this style."""
    return hasattr(model, "_get_discriminator")


def shape_of_model(model: type) -> ObjectOf:
    """The object that a model stands for."""
    return ObjectOf(model.__name__, lambda value: _fields(_chosen(model, value)))


def _chosen(model: Any, value: Mapping[str, object]) -> type:
    """The subclass that the discriminator's value names, or the model itself."""
    discriminator = model._get_discriminator([])  # noqa: SLF001 - told nowhere else
    if discriminator is None:
        return model  # type: ignore[no-any-return]
    named = value.get(discriminator._rest_name)  # noqa: SLF001 - likewise
    return model.__mapping__.get(named, model)  # type: ignore[no-any-return]


@cache
def _fields(model: Any) -> Mapping[str, Field]:
    model.__new__(model)  # the SDK prepares _attr_to_rest_field when the first one is made
    package = importlib.import_module(model.__module__.rpartition(".")[0])
    hints = get_type_hints(model, localns={"_models": package})
    fields = {}
    for attribute, rest in model._attr_to_rest_field.items():  # noqa: SLF001 - the metadata
        hint = hints[attribute]
        optional = type(None) in get_args(hint)
        fields[rest._rest_name] = Field(  # noqa: SLF001
            # Seconds since 1970 are a number, whatever the SDK makes of them.
            shape=Scalar.INTEGER if rest._format == _SECONDS else _shape(hint),  # noqa: SLF001
            required=not optional,
            nullable=optional,
            in_=frozenset(rest._visibility) if rest._visibility else None,  # noqa: SLF001
        )
    return fields


def _shape(hint: Any) -> Shape:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return _union([a for a in arguments if a is not type(None)])
    if origin is Literal:
        return OneOf(tuple(str(getattr(a, "value", a)) for a in arguments))
    if origin in {list, dict}:
        inner = _shape(arguments[-1])
        return ListOf(inner) if origin is list else MapOf(inner)
    return _named(hint) if isinstance(hint, type) else _SCALARS[hint]


def _named(hint: type) -> Shape:
    if described(hint):
        return shape_of_model(hint)
    if issubclass(hint, Enum):
        return OneOf(tuple(str(member.value) for member in hint))
    return _SCALARS[hint]


def _union(hints: list[Any]) -> Shape:
    enums = [h for h in hints if isinstance(h, type) and issubclass(h, Enum)]
    if enums:  # Union[str, AnEnum]: the SDK takes any text, the service does not
        return _named(enums[0])
    shapes = tuple(_shape(hint) for hint in hints)
    return shapes[0] if len(shapes) == 1 else Choice(shapes)
