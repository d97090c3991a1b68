"""One of several values, as it is given."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.text import given_text

E = TypeVar("E", bound=StrEnum)


def choice(parameter: str, given: object, allowed: type[E], *, error: type[CloudError]) -> E:
    """One of an enumeration's values.

    :param parameter: what it was given for, for errors.
    :param error: the class of what is raised.
    :raises CloudError: kind ``invalid_argument``.
    """
    found = next((one for one in allowed if one == given), None)
    if found is None:
        raise error(
            f"{parameter}: {given_text(given)} given, expected one of {', '.join(allowed)}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return found
