"""Reading this package's own JSON objects; one that is damaged is named, with what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.errors import ErrorKind, StorageError

T = TypeVar("T")


def documents(replica: Endpoint, key: str) -> Iterator[Any]:
    """A JSON-lines object, parsed line by line.

    :raises StorageError: kind ``integrity`` when a line is broken or the last one cut off.
    """
    rest = b""
    for chunk in replica.store.get_object(replica.ref(key)):
        *whole, rest = (rest + bytes(chunk)).split(b"\n")
        for line in whole:
            with intact(replica, key):
                doc = json.loads(line)
            yield doc
    if rest:
        raise StorageError(
            f"{replica.location.with_key(key)}: the last line is cut off",
            kind=ErrorKind.INTEGRITY,
            cloud=replica.cloud,
        )


@contextmanager
def intact(replica: Endpoint, key: str) -> Iterator[None]:
    """Say of what can't be read as this package wrote it that it is damaged, and what to do."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, StopIteration) as err:
        raise StorageError(
            f"{replica.location.with_key(key)}: it is damaged ({type(err).__name__}: {err}); "
            "delete it and replicate again: every object is then compared anew",
            kind=ErrorKind.INTEGRITY,
            cloud=replica.cloud,
        ) from err


def of_type(wanted: type[T], value: Any) -> T:
    """The value.

    :raises TypeError: when it is of another type.
    """
    if not isinstance(value, wanted):
        raise TypeError(f"{value!r} is no {wanted.__name__}")
    return value


def aware_time(text: str) -> datetime:
    """An ISO 8601 time.

    :raises ValueError: when it is none, or has no time zone.
    """
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return time
