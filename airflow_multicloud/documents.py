"""Results as documents of plain values, for XCom, JSON and tables, and back again.

A frozen dataclass or a msgspec structure needs nothing for that: it is shown by its fields. What
is shown otherwise says so in one class variable, ``DOCUMENT``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, timedelta
from enum import Enum
from functools import cache
from inspect import getattr_static
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.text import given_text

T = TypeVar("T")

_SECONDS = "_seconds"


@dataclass(frozen=True, slots=True)
class Document:
    """How a class is shown, where that is not simply by its fields.

    :param shows: the names shown, in order: fields and properties. A pair is a name and the field
        or property that is shown under it. Every field when left out.
    :param format: what the document says it is, if it is kept.
    :param version: the version of its form, which a reader must know.
    :param reads: earlier versions that are read as well: what they lack has a default.
    """

    shows: tuple[str | tuple[str, str], ...] = ()
    format: str | None = None
    version: int | None = None
    reads: tuple[int, ...] = ()


class Documented:
    """A result that is shown as a document."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """As :func:`to_document` has it: plain values, for XCom and JSON."""
        return to_document(self)


@dataclass(frozen=True, slots=True)
class _Shown:
    """One entry of a document, and where its value is from."""

    name: str
    attribute: str
    is_time: bool


def to_document(value: object) -> dict[str, Any]:
    """A result as a document, whatever it holds as plain values too.

    Enumerations become their values, times and dates ISO 8601, sets sorted lists. A duration ``x``
    becomes ``x_seconds``; seconds are rounded to milliseconds. A ``Decimal`` stays one: whoever
    writes the document decides how.

    :param value: a dataclass or a msgspec structure.
    :raises TypeError: for what can't be shown in a document.
    """
    about = _about(type(value))
    document: dict[str, Any] = {}
    if about.format is not None:
        document["format"] = about.format
    if about.version is not None:
        document["format_version"] = about.version
    cls: Any = type(value)
    for shown in _shown(cls):
        document[shown.name] = _plain(getattr(value, shown.attribute), shown.name)
    return document


def read_document(cls: type[T], document: object, *, what: str) -> T:
    """What :func:`to_document` made a document of; entries that are not known are ignored.

    :param what: what the document is, for errors (``the canary``).
    :raises CloudError: kind ``unsupported`` for a version that this release does not know;
        ``integrity``, naming the entry, for what can't be read.
    """
    if not isinstance(document, Mapping):
        raise _unreadable(what, f"expected an object, got {type(document).__name__}")
    about = _about(cls)
    if about.format is not None and document.get("format") != about.format:
        given = document.get("format")
        raise _unreadable(what, f"its format is {given_text(given)}, expected {about.format!r}")
    known = [*about.reads, about.version]
    if about.version is not None and document.get("format_version") not in known:
        raise CloudError(
            f"{what} is of version {document.get('format_version')!r}; this release of "
            f"airflow-multicloud reads version {' and '.join(map(str, known))}. Read it with the "
            "release that wrote it, or a later one",
            kind=ErrorKind.UNSUPPORTED,
        )
    try:
        return msgspec.convert(_fields_of(cls, document), cls, dec_hook=_other)
    except (ValueError, OverflowError) as err:
        raise _unreadable(what, str(err)) from err


def _unreadable(what: str, why: str) -> CloudError:
    return CloudError(
        f"{what} can't be read: {why}; it is not as airflow-multicloud wrote it",
        kind=ErrorKind.INTEGRITY,
    )


def _about(cls: type) -> Document:
    found = getattr(cls, "DOCUMENT", None)
    return found if isinstance(found, Document) else Document()


@cache
def _shown(cls: type) -> tuple[_Shown, ...]:
    hints = get_type_hints(cls)
    shown: list[_Shown] = []
    for entry in _about(cls).shows or _field_names(cls):
        name, attribute = (entry, entry) if isinstance(entry, str) else entry
        found = getattr_static(cls, attribute, None)
        hint = get_type_hints(found.fget)["return"] if isinstance(found, property) else None
        is_time = _is_time(hint or hints[attribute])
        shown.append(_Shown(name + _SECONDS * is_time, attribute, is_time))
    return tuple(shown)


def _field_names(cls: type) -> tuple[str, ...]:
    if is_dataclass(cls):
        return tuple(field.name for field in fields(cls))
    if issubclass(cls, msgspec.Struct):
        return cls.__struct_fields__
    raise TypeError(f"{cls.__name__} can't be shown in a document; give a dataclass")


def _is_time(hint: Any) -> bool:
    return hint is timedelta or timedelta in get_args(hint)


def _plain(value: Any, name: str) -> Any:  # noqa: C901, PLR0911 - one for each form
    match value:
        case Enum():
            return value.value
        case float() if name.endswith("seconds"):
            return round(value, 3)
        case timedelta():
            return round(value.total_seconds(), 3)
        case date():  # a datetime is one, too
            return value.isoformat()
        case PurePath():
            return str(value)
        case Mapping():
            return {_plain(k, ""): _plain(v, str(k)) for k, v in value.items()}
        case AbstractSet():
            return sorted(_plain(one, "") for one in value)
        case str() | bytes():
            return value
        case Sequence():
            return [_plain(one, "") for one in value]
        case msgspec.Struct():
            return to_document(value)
    return to_document(value) if is_dataclass(value) else value


def _fields_of(hint: Any, value: Any) -> Any:
    """A document's value in the form that msgspec reads: durations, and names of fields."""
    if get_origin(hint) in (Union, UnionType):
        choices = [one for one in get_args(hint) if one is not NoneType]
        return _fields_of(choices[0], value) if len(choices) == 1 else value
    if isinstance(value, Mapping):
        if isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, msgspec.Struct)):
            return _named(hint, value)
        inner = get_args(hint)[1:]
        return {k: _fields_of(inner[0], v) for k, v in value.items()} if inner else value
    if isinstance(value, list | tuple):
        return _elements(get_args(hint), value)
    if hint is timedelta and isinstance(value, int | float):
        return timedelta(seconds=value)
    return value


def _elements(inner: Sequence[Any], values: Iterable[Any]) -> list[Any]:
    if len(inner) == 1 or inner[1:] == (Ellipsis,):
        return [_fields_of(inner[0], value) for value in values]
    return list(values)


def _named(cls: type, document: Mapping[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(cls)
    names = {shown.attribute: shown.name for shown in _shown(cls)}
    found: dict[str, Any] = {}
    for field in _field_names(cls):
        name = names.get(field, field)
        if name in document:
            found[field] = _fields_of(hints[field], document[name])
    return found


def _other(cls: type, value: Any) -> Any:
    if issubclass(cls, PurePath) and isinstance(value, str):
        return cls(value)
    raise msgspec.ValidationError(f"expected {cls.__name__}, got {type(value).__name__}")
