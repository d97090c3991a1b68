"""Reading this package's own JSON objects; one that is damaged is named, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.errors import ErrorKind, StorageError


def lines(replica: Endpoint, key: str) -> Iterator[bytes]:
    """A JSON-lines object, line by line.

    :raises StorageError: kind ``integrity`` when the last one is cut off.
    """
    rest = b""
    for chunk in replica.store.get_object(replica.ref(key)):
        *whole, rest = (rest + bytes(chunk)).split(b"\n")
        yield from whole
    if rest:
        raise damaged(replica, key, "the last line is cut off")


def damaged(replica: Endpoint, key: str, why: str) -> StorageError:
    """The error for an object that is not as this package wrote it: what, and what to do."""
    return StorageError(
        f"{replica.location.with_key(key)}: it is damaged ({why}); delete it and replicate "
        "again: every object is then compared anew",
        kind=ErrorKind.INTEGRITY,
        cloud=replica.cloud,
    )


@contextmanager
def intact(replica: Endpoint, key: str) -> Iterator[None]:
    """Say of what can't be read as this package wrote it that it is damaged, and what to do."""
    try:
        yield
    except (msgspec.MsgspecError, ValueError, StopIteration) as err:
        raise damaged(replica, key, f"{type(err).__name__}: {err}") from err
