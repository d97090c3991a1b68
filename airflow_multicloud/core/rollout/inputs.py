"""What people give, checked: documents of plain values, texts and numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar, get_args, get_type_hints

from airflow_multicloud.errors import DeploymentError, ErrorKind
from airflow_multicloud.lists import UNRENDERED, is_template, texts
from airflow_multicloud.text import given_text, shortened

E = TypeVar("E", bound=StrEnum)

_SECONDS = "_seconds"
#: Whose values are not shown; see :func:`~airflow_multicloud.text.given_text`.
_STRUCTURES = (Mapping, list, tuple, set, frozenset)
_LONGEST = 1024
#: What all regions and zones of AWS, Azure and Google Cloud are named with.
_PLACE = re.compile(r"[A-Za-z0-9-]{1,64}")


def refused(parameter: str, given: object, allowed: str) -> DeploymentError:
    """The error for what can't be used."""
    return DeploymentError(
        f"{parameter}: {_shown(given)} given, expected {allowed}",
        kind=ErrorKind.INVALID_ARGUMENT,
    )


def _shown(given: object) -> str:
    if given is None:
        return "nothing"
    if isinstance(given, str) and "@" in given:
        return "a text that is not shown, as it may hold a password,"
    plain = isinstance(given, str | int | float)
    return (
        given_text(given) if plain or isinstance(given, _STRUCTURES) else shortened(str(given), 100)
    )


def fields_of(cls: type, given: object, parameter: str) -> dict[str, Any]:
    """What to construct a dataclass with, of a document of plain values.

    A duration ``x`` may be called ``x_seconds``, as documents have it; a member that is ``None``
    counts as left out.

    :raises DeploymentError: ``invalid_argument``, naming what is unknown or missing.
    """
    if not isinstance(given, Mapping):
        raise refused(parameter, type(given).__name__, f"a mapping of {_names(cls)}")
    hints = get_type_hints(cls)
    found: dict[str, Any] = {}
    unknown: list[str] = []
    for key, value in given.items():
        name = str(key).removesuffix(_SECONDS)
        if key in hints:
            found[key] = value
        elif name in hints and _is_time(hints[name]):
            found[name] = duration(f"{parameter}: {key}", value)
        else:
            unknown.append(str(key))
    if unknown:
        raise refused(parameter, ", ".join(sorted(unknown)), f"only {_names(cls)}")
    found = {name: value for name, value in found.items() if value is not None}
    missing = [
        field.name
        for field in fields(cls)
        if field.default is MISSING and field.default_factory is MISSING and field.name not in found
    ]
    if missing:
        raise DeploymentError(
            f"{parameter}: {', '.join(missing)} missing", kind=ErrorKind.INVALID_ARGUMENT
        )
    return found


def _names(cls: type) -> str:
    hints = get_type_hints(cls)
    return ", ".join(f.name + _SECONDS * _is_time(hints[f.name]) for f in fields(cls))


def _is_time(hint: Any) -> bool:
    return hint is timedelta or timedelta in get_args(hint)


def text(parameter: str, given: object, *, longest: int = _LONGEST) -> str:
    """A text of one line that says something.

    :raises DeploymentError: ``invalid_argument``.
    """
    if is_template(given):
        raise DeploymentError(f"{parameter}: {UNRENDERED}", kind=ErrorKind.INVALID_ARGUMENT)
    if (
        not isinstance(given, str)
        or not given
        or not given.isprintable()
        or given != given.strip()
        or len(given) > longest
    ):
        allowed = f"a text of one line, at most {longest} characters, without spaces around it"
        raise refused(parameter, given, allowed)
    return given


def place_name(parameter: str, given: object) -> str:
    """A region or a zone, by its cloud's own name.

    :raises DeploymentError: ``invalid_argument``.
    """
    name = text(parameter, given)
    if not _PLACE.fullmatch(name):
        raise refused(parameter, name, "a cloud's own name: at most 64 letters, digits and hyphens")
    return name


def text_list(parameter: str, given: object) -> tuple[str, ...]:
    """A list of such texts; one text is a list of itself.

    :raises DeploymentError: ``invalid_argument``.
    """
    if given is None:
        return ()
    found = texts(given, parameter, error=DeploymentError)
    if len(set(found)) < len(found):
        raise refused(parameter, ", ".join(found), "each once")
    return tuple(text(f"{parameter}[{n}]", one) for n, one in enumerate(found))


def regions_by_connection(conn_ids: object, regions: object) -> dict[str, tuple[str, ...]]:
    """The regions of each connection; none stands for every region that its account uses.

    :param regions: connection → regions, of some of the connections.
    :raises DeploymentError: ``invalid_argument``.
    """
    known = text_list("conn_ids", conn_ids)
    if not known:
        raise refused("conn_ids", None, "at least one connection")
    if regions is not None and not isinstance(regions, Mapping):
        raise refused("regions", type(regions).__name__, "a mapping, connection → regions")
    of: Mapping[object, object] = regions or {}
    if others := [str(conn_id) for conn_id in of if conn_id not in known]:
        raise refused("regions", ", ".join(others), f"connections of {', '.join(known)}")
    return {conn_id: text_list(f"regions of {conn_id}", of.get(conn_id, ())) for conn_id in known}


def place_names(parameter: str, given: object) -> tuple[str, ...]:
    """A list of such names, each once.

    :raises DeploymentError: ``invalid_argument``.
    """
    found = text_list(parameter, given)
    return tuple(place_name(f"{parameter}[{n}]", one) for n, one in enumerate(found))


def whole_number(parameter: str, given: object, least: int, most: int | None = None) -> int:
    """A number of things.

    :raises DeploymentError: ``invalid_argument``.
    """
    fits = type(given) is int and given >= least and (most is None or given <= most)
    if not isinstance(given, int) or not fits:
        bounds = f"{least} or more" if most is None else f"{least} to {most}"
        raise refused(parameter, given, f"a whole number, {bounds}")
    return given


def flag(parameter: str, given: object) -> bool:
    """Whether something is so.

    :raises DeploymentError: ``invalid_argument``.
    """
    if not isinstance(given, bool):
        raise refused(parameter, given, "True or False")
    return given


def member(parameter: str, kind: type[E], given: object) -> E:
    """One of an enumeration, by its value.

    :raises DeploymentError: ``invalid_argument``.
    """
    for one in kind:
        if given == one.value:
            return one
    raise refused(parameter, given, " or ".join(kind))


def duration(parameter: str, given: object, *, most: timedelta | None = None) -> timedelta:
    """A duration above none; a number is one in seconds.

    :raises DeploymentError: ``invalid_argument``.
    """
    found = given
    if isinstance(given, int | float) and not isinstance(given, bool):
        try:
            found = timedelta(seconds=given)
        except (OverflowError, ValueError):
            found = None
    if not isinstance(found, timedelta) or found <= timedelta() or (most and found > most):
        bound = "" if most is None else f", at most {most}"
        raise refused(parameter, given, f"a duration above 0{bound}")
    return found
