"""What a JSON value may look like, as the SDKs describe it: one form for both of their styles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Scalar(StrEnum):
    """A JSON scalar, or text of a certain form."""

    TEXT = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIMESTAMP = "ISO 8601 timestamp"
    DATE = "ISO 8601 date"
    DURATION = "ISO 8601 duration"
    ANY = "any value"


@dataclass(frozen=True, slots=True)
class OneOf:
    """Text out of a list, in any case, as Azure takes it."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A JSON array."""

    items: Shape


@dataclass(frozen=True, slots=True)
class MapOf:
    """A JSON object with any keys."""

    values: Shape


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of several shapes."""

    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """A JSON object with known fields; described when needed, since models refer to themselves.

    :param describe: the fields, for this object's own value (a discriminator may choose).
    """

    name: str
    describe: Callable[[Mapping[str, object]], Mapping[str, Field]]


Shape = Scalar | OneOf | ListOf | MapOf | Choice | ObjectOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of an object.

    :param in_: the operations it may appear in: ``read`` (an answer), ``create``, ``update``,
        ``query``…; ``None`` for all.
    :param nullable: whether JSON null may stand for it.
    """

    shape: Shape
    required: bool
    nullable: bool
    in_: frozenset[str] | None = None
