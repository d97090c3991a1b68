"""What people give for databases, checked before anything is asked of anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.lists import UNRENDERED, is_template, texts
from airflow_multicloud.ports.database import DatabaseRef

#: What a template of nothing renders to.
_NOTHING = ("", "None")
_LONGEST_ID = 1024
_SHOWN = 100
_NAME = re.compile(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,59}")
_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
#: Labels that this package writes itself.
_RESERVED = ("multicloud-", "airflow-")


def refused(parameter: str, given: object, allowed: str) -> DatabaseError:
    """The error for what can't be used."""
    return DatabaseError(
        f"{parameter}: {_shown(given)} given, expected {allowed}",
        kind=ErrorKind.INVALID_ARGUMENT,
    )


def _shown(given: object) -> str:
    if given is None:
        return "nothing"
    if isinstance(given, str) and "@" in given:
        return "a text that is not shown, as it may hold a password,"
    text = repr(given) if isinstance(given, str | int | float) else type(given).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def is_nothing(given: object) -> bool:
    """Whether a parameter is left out, or its template has found nothing."""
    return given is None or (isinstance(given, str) and given.strip() in _NOTHING)


def check_not_nothing(parameter: str, given: object) -> None:
    """Refuse a parameter that the DAG gives and that is nothing in this run.

    What narrows or guards a task must not fall away because an XCom is missing.

    :raises DatabaseError: ``invalid_argument``.
    """
    if is_nothing(given) or (isinstance(given, Mapping | list | tuple) and not given):
        raise DatabaseError(
            f"{parameter}: given, and nothing in this run ({given!r}): has the task that it comes "
            "from been skipped, or not returned it? Give it, or leave the parameter out of the DAG",
            kind=ErrorKind.INVALID_ARGUMENT,
        )


def line(parameter: str, given: object, *, what: str = "a text of one line") -> str:
    """A text of one line that says something.

    :raises DatabaseError: ``invalid_argument``.
    """
    if is_template(given):
        raise DatabaseError(f"{parameter}: {UNRENDERED}", kind=ErrorKind.INVALID_ARGUMENT)
    if is_nothing(given):
        raise refused(parameter, given, what)
    if (
        not isinstance(given, str)
        or not given.isprintable()
        or given != given.strip()
        or len(given) > _LONGEST_ID
    ):
        raise refused(
            parameter, given, f"{what}, at most {_LONGEST_ID} characters, without spaces around it"
        )
    return given


def reference(parameter: str, given: object, region: object = None) -> DatabaseRef:
    """An instance or a snapshot by its id, or by what a task has returned of it.

    :param given: its id, or a mapping that has it as ``id``, and perhaps its ``region``.
    :param region: in which it is; the connection's own for nothing.
    :raises DatabaseError: ``invalid_argument``.
    """
    if isinstance(given, Mapping):
        region = given.get("region") if is_nothing(region) else region
        given = given.get("id")
    text = line(parameter, given, what="an id as its cloud writes it")
    return DatabaseRef(text, None if is_nothing(region) else line("region", region))


def name_in(identifier: str) -> str:
    """The name at the end of an id: of an ARN, a path of Google Cloud, or one of Azure."""
    return re.split(r"[/:]", identifier)[-1]


def resource_name(parameter: str, given: object) -> str:
    """A name that every cloud takes for an instance and for a snapshot.

    :raises DatabaseError: ``invalid_argument``.
    """
    text = line(parameter, given)
    if not _NAME.fullmatch(text):
        raise refused(
            parameter, text, "at most 60 characters: a lower-case letter, then those, digits and "
            "hyphens, with no two hyphens side by side and none at the end",
        )  # fmt: skip
    return text


def label_map(parameter: str, given: Mapping[str, str] | None) -> dict[str, str]:
    """Labels that every cloud takes as they are.

    :raises DatabaseError: ``invalid_argument``.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise refused(parameter, given, "a mapping of labels")
    for key, value in given.items():
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise refused(
                parameter, key, "keys of at most 63 lower-case letters, digits, hyphens and "
                "underscores that begin with a letter",
            )  # fmt: skip
        if key.startswith(_RESERVED):
            raise refused(parameter, key, f"no key that begins with {' or '.join(_RESERVED)}")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise refused(
                f"{parameter}: {key}", value, "at most 63 lower-case letters, digits, hyphens and "
                "underscores",
            )  # fmt: skip
    return dict(given)


def moment(parameter: str, given: object) -> datetime:
    """A moment: an aware datetime, or one in ISO 8601 with its distance from UTC.

    :raises DatabaseError: ``invalid_argument``.
    """
    found = given
    if isinstance(given, str):
        try:
            found = datetime.fromisoformat(given.strip())
        except ValueError:
            found = None
    if not isinstance(found, datetime) or found.tzinfo is None:
        shown = given.isoformat() if isinstance(given, datetime) else given
        raise refused(parameter, shown, "a time with a timezone, like 2026-01-31T12:00:00+00:00")
    return found.astimezone(UTC)


def duration(parameter: str, given: object, *, least: timedelta = timedelta()) -> timedelta:
    """A duration; a number is one in seconds.

    :param least: what it may not be below.
    :raises DatabaseError: ``invalid_argument``.
    """
    found = given
    if isinstance(given, int | float) and not isinstance(given, bool):
        try:
            found = timedelta(seconds=given)
        except (OverflowError, ValueError):
            found = None
    if not isinstance(found, timedelta) or found < least:
        raise refused(parameter, str(given), f"a duration of {least.total_seconds():g} s or more")
    return found


def name_list(parameter: str, given: object) -> tuple[str, ...]:
    """A list of names or ids, of which none is empty.

    :raises DatabaseError: ``invalid_argument``.
    """
    found = texts(
        given, parameter, what="names or full ids", error=DatabaseError,
        if_empty="name what is allowed",
    )  # fmt: skip
    return tuple(line(f"{parameter}[{number}]", one) for number, one in enumerate(found))
