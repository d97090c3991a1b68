"""Errors of database drivers as ours."""

from __future__ import annotations

import re

from airflow_multicloud.errors import DatabaseError, ErrorKind

#: Names of the classes that every driver has (PEP 249).
_PASSING = frozenset({"OperationalError", "InterfaceError"})
_DRIVERS = frozenset({"Error", "DatabaseError"})
#: Classes of SQLSTATE, or whole codes → kind.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_KINDS = {
    "08": ErrorKind.UNAVAILABLE,
    "28": ErrorKind.UNAUTHENTICATED,
    "3D": ErrorKind.NOT_FOUND,
    "3F": ErrorKind.NOT_FOUND,
    "42501": ErrorKind.PERMISSION_DENIED,
    "42P01": ErrorKind.NOT_FOUND,
    "42703": ErrorKind.NOT_FOUND,
    "53": ErrorKind.UNAVAILABLE,
    "55P03": ErrorKind.BUSY,
    "57014": ErrorKind.TIMEOUT,
    "57P": ErrorKind.UNAVAILABLE,
    "58": ErrorKind.UNAVAILABLE,
    "XX001": ErrorKind.INTEGRITY,
    "XX002": ErrorKind.INTEGRITY,
}
_REFUSED_LOGIN = re.compile(r"authentication failed|no password supplied|role .* does not exist")


def error_of_driver(host: str, err: Exception) -> DatabaseError | None:
    """What is raised for an error of a driver; ``None`` for an error of something else.

    :param host: which database it is about.
    :param err: without secrets.
    """
    if not _of_a_driver(err):
        return None
    text = str(err).strip() or type(err).__name__
    return DatabaseError(f"{host}: {text.splitlines()[0]}", kind=_kind_of(err), code=_state_of(err))


def _of_a_driver(err: BaseException) -> bool:
    names = {cls.__name__ for cls in type(err).__mro__}
    return "Error" in names and bool(names & (_DRIVERS | _PASSING))


def _state_of(err: Exception) -> str | None:
    found = getattr(err, "sqlstate", None) or getattr(err, "pgcode", None)
    return found if isinstance(found, str) else None


def _kind_of(err: Exception) -> ErrorKind:
    state = _state_of(err) or ""
    for length in (5, 3, 2):
        if (kind := _KINDS.get(state[:length])) is not None:
            return kind
    if _REFUSED_LOGIN.search(str(err)):  # libpq gives no code for what fails while it connects
        return ErrorKind.UNAUTHENTICATED
    names = {cls.__name__ for cls in type(err).__mro__}
    if not state and names & _PASSING:
        return ErrorKind.UNAVAILABLE
    return ErrorKind.INVALID_ARGUMENT
