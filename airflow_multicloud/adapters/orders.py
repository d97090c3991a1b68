"""Orders of the database port, checked by its rules before a cloud is asked."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping

from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import TOKEN_LABEL, RestoreOrder, SnapshotOrder

_NAME = re.compile(r"(?=.{1,60}\Z)[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_VALUE = re.compile(r"[a-z0-9_-]{0,63}")


def check_order(order: SnapshotOrder | RestoreOrder, *, cloud: str) -> None:
    """Refuse what the port does not allow.

    :param cloud: whose error it is.
    :raises DatabaseError: ``invalid_argument``.
    """
    check_name("name", order.name, cloud=cloud)
    check_token(order.token, cloud=cloud)
    for key, value in order.labels.items():
        if not (_KEY.fullmatch(key) and _VALUE.fullmatch(value)):
            raise _wrong(
                f"labels: {key!r}={value!r} given; expected lower-case letters, digits, hyphens "
                "and underscores, at most 63 characters, and a letter first in a key",
                cloud,
            )
    if TOKEN_LABEL in order.labels:
        raise _wrong(f"labels: {TOKEN_LABEL!r} given, which holds the order's token", cloud)


def check_name(parameter: str, name: str, *, cloud: str) -> None:
    """Refuse what is no name of an instance or a snapshot.

    :param parameter: which holds it, for the message.
    :param cloud: whose error it is.
    :raises DatabaseError: ``invalid_argument``.
    """
    if not _NAME.fullmatch(name):
        raise _wrong(
            f"{parameter}: {name!r} given; expected a lower-case letter, then those, digits and "
            "single hyphens, at most 60 characters",
            cloud,
        )


def check_token(token: str, *, cloud: str) -> None:
    """Refuse what is no token.

    :param cloud: whose error it is.
    :raises DatabaseError: ``invalid_argument``.
    """
    try:
        uuid.UUID(token)
    except ValueError:
        raise _wrong(f"token: {token!r} given; expected a UUID", cloud) from None


def carries(labels: Mapping[str, str], wanted: Mapping[str, str | None]) -> bool:
    """Whether wanted labels are among those of something.

    :param wanted: key → value; ``None`` for any value.
    """
    return all(key in labels and value in (None, labels[key]) for key, value in wanted.items())


def _wrong(message: str, cloud: str) -> DatabaseError:
    return DatabaseError(message, kind=ErrorKind.INVALID_ARGUMENT, cloud=cloud)
