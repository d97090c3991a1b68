"""The older SDKs' models (``_attribute_map`` and ``_validation``) as a schema.

Their wire names may be paths (``properties.category``), which stand for objects in objects.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any

from airflow_multicloud.testing.local_clouds.azure.arm.schema import (
    Field,
    ListOf,
    MapOf,
    ObjectOf,
    OneOf,
    Scalar,
    Shape,
)

# msrest's own names: azure.mgmt.*._utils.serialization.Serializer.serialize_type.
_SCALARS = {
    "str": Scalar.TEXT,
    "int": Scalar.INTEGER,
    "long": Scalar.INTEGER,
    "float": Scalar.NUMBER,
    "decimal": Scalar.NUMBER,
    "bool": Scalar.BOOLEAN,
    "iso-8601": Scalar.TIMESTAMP,
    "date": Scalar.DATE,
    "duration": Scalar.DURATION,
    "base64": Scalar.TEXT,
    "bytearray": Scalar.TEXT,
    "rfc-1123": Scalar.TEXT,
    "time": Scalar.TEXT,
    "unix-time": Scalar.INTEGER,
    "object": Scalar.ANY,
}
_DOT = re.compile(r"(?<!\\)\.")
_READ_ONLY = frozenset({"read"})


def described(model: type) -> bool:
    """Whether a model is of this style."""
    return hasattr(model, "_attribute_map")


def shape_of_model(model: type) -> ObjectOf:
    """The object that a model stands for."""
    return ObjectOf(model.__name__, lambda value: _fields(_chosen(model, value)))


def _chosen(model: Any, value: Mapping[str, object]) -> type:
    """The subclass that a discriminator's value names, or the model itself."""
    package = importlib.import_module(model.__module__.rpartition(".")[0])
    for attribute, names in getattr(model, "_subtype_map", {}).items():
        key = model._attribute_map[attribute]["key"]  # noqa: SLF001 - the metadata
        if named := names.get(value.get(key)):
            return _chosen(getattr(package, named), value)
    return model  # type: ignore[no-any-return]


@cache
def _fields(model: Any) -> Mapping[str, Field]:
    package = importlib.import_module(model.__module__.rpartition(".")[0])
    tree: dict[str, Any] = {}
    for attribute, told in model._attribute_map.items():  # noqa: SLF001 - the metadata
        rules = model._validation.get(attribute, {})  # noqa: SLF001 - likewise
        required = bool(rules.get("required"))
        *path, name = (part.replace("\\.", ".") for part in _DOT.split(told["key"]))
        place = tree
        for part in path:
            place = place.setdefault(part, {})
        place[name] = Field(
            shape=_shape(told["type"], package),
            required=required,
            nullable=not required,
            in_=_READ_ONLY if rules.get("readonly") else None,
        )
    return {name: _node(name, node) for name, node in tree.items()}


def _node(name: str, node: Field | dict[str, Any]) -> Field:
    if isinstance(node, Field):
        return node
    inner = {key: _node(key, value) for key, value in node.items()}
    # Nobody may send what has only fields that nobody may send.
    all_read_only = all(field.in_ == _READ_ONLY for field in inner.values())
    return Field(
        shape=ObjectOf(name, lambda _value: inner),
        required=any(field.required for field in inner.values()),
        nullable=True,
        in_=_READ_ONLY if all_read_only else None,
    )


def _shape(told: str, package: Any) -> Shape:
    if told.startswith("["):
        return ListOf(_shape(told[1:-1], package))
    if told.startswith("{"):
        return MapOf(_shape(told[1:-1], package))
    if told in _SCALARS:
        return _SCALARS[told]
    model = getattr(package, told)
    if issubclass(model, Enum):
        return OneOf(tuple(str(member.value) for member in model))
    return shape_of_model(model)
