"""Lists as they are given: by a DAG's author, by a template, on a command line.

To Python a text is a list of its letters: ``include="*.csv"`` would match every key. So every
parameter that is a list goes through here.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar, cast

from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

T = TypeVar("T")

#: What a template of nothing renders to without native objects.
_NOTHING = ("", "None")

#: How a list begins that holds texts, in JSON or Python; ``[ab]*.csv`` and ``[[]x`` are globs.
_BEGINS_LIKE_A_LIST = re.compile(r"[\[({]\s*['\"]|\[\s")

UNRENDERED = (
    "it has a template ('{{' or '{%') that was not rendered; templates work in the template "
    "fields of operators only"
)


def texts(
    given: object,
    parameter: str,
    *,
    what: str = "texts",
    error: type[CloudError] = StorageError,
    if_empty: str = "",
) -> tuple[str, ...]:
    """The elements of a parameter that is a list of texts; see :func:`elements`.

    :param if_empty: for a parameter that may be left out but not be an empty list (a template
        that found nothing would mean everything): what to do instead.
    """
    found = elements(given, parameter, str, what=what, error=error)
    if not found and if_empty:
        raise error(
            f"{parameter}: an empty list given, expected {what}; {if_empty}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return found


def elements(
    given: object,
    parameter: str,
    *types: type[T],
    what: str,
    error: type[CloudError] = StorageError,
) -> tuple[T, ...]:
    """The elements of a parameter that is a list.

    One text is one element. A text that is a list in JSON, or in Python as Jinja writes one
    without native objects, is that list. A list, a tuple, a set, or what a mapped task pushed is
    taken as it is.

    :param parameter: its name, for errors.
    :param types: what an element may be; one element may be given without a list.
    :param what: what the elements are, in words: ``URIs``.
    :param error: the class of what is raised.
    :raises CloudError: kind ``invalid_argument`` for anything else: a number, a mapping, a text
        that only begins like a list of texts (``["``, ``['``, ``[`` and a space) or is in
        brackets as a whole, an empty text, a template that was not rendered, an element of
        another type.
    """
    found = _listed(given, parameter, types, what, error)
    for number, element in enumerate(found):
        _check(element, f"{parameter}[{number}]", types, what, error)
    return cast("tuple[T, ...]", tuple(found))


def is_template(given: object) -> bool:
    """Whether a text, or an element of a list, is a template that is still to be rendered."""
    if isinstance(given, str):
        return "{{" in given or "{%" in given
    if isinstance(given, list | tuple | set | frozenset):
        return any(map(is_template, given))
    return hasattr(given, "resolve")  # what a task will return (Airflow's XComArg)


def _listed(
    given: object, parameter: str, types: tuple[type, ...], what: str, error: type[CloudError]
) -> Sequence[object]:
    if isinstance(given, str):
        return _from_text(given, parameter, what, error)
    if isinstance(given, types):
        return [given]
    if isinstance(given, Sequence) and not isinstance(given, bytes | bytearray | memoryview):
        return list(given[:])  # a slice: iterating over what mapped tasks pushed logs an error
    if isinstance(given, Iterable) and not isinstance(given, bytes | bytearray | Mapping):
        return list(given)
    raise _refused(parameter, given, f"a list of {what}", error)


def _from_text(given: str, parameter: str, what: str, error: type[CloudError]) -> Sequence[object]:
    text = given.strip()
    if text in _NOTHING:
        raise _refused(parameter, given, f"a list of {what}", error)
    literal = _literal(text)
    if isinstance(literal, list | tuple):
        return literal
    if isinstance(literal, dict | set):
        raise _refused(parameter, given, f"a list of {what}", error)
    bracketed = text.startswith("[") and text.endswith("]")
    if bracketed or _BEGINS_LIKE_A_LIST.match(text):
        raise _refused(
            parameter, given, f"a list of {what}; it looks like a list and is none: if it is one "
            "element, put it into a list", error,
        )  # fmt: skip
    return [given]


def _check(
    element: object, name: str, types: tuple[type, ...], what: str, error: type[CloudError]
) -> None:
    if not isinstance(element, types):
        raise _refused(name, element, f"one of the {what}", error)
    if not isinstance(element, str):
        return
    if element.strip() in _NOTHING:
        raise _refused(name, element, f"one of the {what}", error)
    if is_template(element):
        raise error(f"{name}: {UNRENDERED}", kind=ErrorKind.INVALID_ARGUMENT)
    rendered = _literal(element.strip())
    if isinstance(rendered, list | tuple) and all(isinstance(one, str) for one in rendered):
        raise _refused(
            name, element, f"one of the {what}, not a list of them: give the template as "
            f"{name.rpartition('[')[0]} itself", error,
        )  # fmt: skip


def _literal(text: str) -> object:
    """The list, tuple, set or mapping that a text writes; ``None`` when it writes none."""
    if (text[0], text[-1]) not in (("[", "]"), ("(", ")"), ("{", "}")):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found: object = read(text)
        # A deeply nested text exhausts the parser, whatever it is.
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        return found
    return None


def _refused(parameter: str, given: object, what: str, error: type[CloudError]) -> CloudError:
    # A text with an "@" may hold a password, and what is no text may hold anything.
    if isinstance(given, str):
        shown = f"{given!r} given" if "@" not in given else "a text that is no list given"
    elif given is None or isinstance(given, int | float):
        shown = f"{given!r} given"
    else:
        shown = f"{type(given).__name__} given"
    return error(f"{parameter}: {shown}, expected {what}", kind=ErrorKind.INVALID_ARGUMENT)
