"""Reading this package's own JSON objects; one that is damaged is named, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

#: What says that one object can't be read: it is damaged, or of another release. Where there may be
#: others, it costs itself only.
UNREADABLE = frozenset({ErrorKind.INTEGRITY, ErrorKind.UNSUPPORTED})

#: A key has 1,024 bytes at most; what is said of it at each destination is not much longer.
_LONGEST = 16 << 20


def lines(replica: Endpoint, key: str) -> Iterator[bytes]:
    """A JSON-lines object, line by line.

    :raises StorageError: kind ``integrity`` when the last one is cut off.
    """
    rest = b""
    for chunk in replica.store.get_object(replica.ref(key)):
        *whole, rest = (rest + bytes(chunk)).split(b"\n")
        if len(rest) > _LONGEST:
            raise damaged(replica, key, f"a line is longer than {_LONGEST} bytes")
        yield from whole
    if rest:
        raise damaged(replica, key, "the last line is cut off")


def whole(replica: Endpoint, key: str, *, most: int = _LONGEST) -> bytes:
    """A small object. An answer that breaks off is asked for once more.

    :param most: bytes that it may have.
    :raises StorageError: kind ``integrity`` when it is larger.
    """
    try:
        body = _up_to(replica, key, most)
    except CloudError as err:
        if err.kind is not ErrorKind.INTEGRITY:
            raise
        body = _up_to(replica, key, most)
    if len(body) > most:
        raise damaged(replica, key, f"it is larger than {most} bytes")
    return body


def _up_to(replica: Endpoint, key: str, most: int) -> bytes:
    """What an object has, or so much of it that it is seen to be larger."""
    read = bytearray()
    for chunk in replica.store.get_object(replica.ref(key)):
        read += chunk
        if len(read) > most:
            break
    return bytes(read)


def known_version(replica: Endpoint, key: str, document: bytes, field: str, known: int) -> None:
    """Refuse what a release that is not this one wrote, before anything else in it is believed.

    :param document: the object, or its first line.
    :param field: where its version stands.
    :raises StorageError: kind ``unsupported``, which no retry mends, for another version; kind
        ``integrity`` for none.
    """
    with intact(replica, key):
        found = msgspec.json.decode(document, type=dict[str, Any])
        version = found.get(field)
        if version is None:
            raise ValueError(f"it has no {field!r}")
    if version != known:
        raise other_version(replica, key, f"{version!r} ({field!r})", known)


def other_version(replica: Endpoint, key: str, found: object, known: int) -> StorageError:
    """The error for what a release that is not this one wrote."""
    return StorageError(
        f"{replica.location.with_key(key)}: it is of version {str(found)[:40]}, and this release "
        f"of airflow-multicloud knows version {known} only; use the release that wrote it "
        "everywhere, or delete it and replicate again: every object is then compared with the "
        "source",
        kind=ErrorKind.UNSUPPORTED,
        cloud=replica.cloud,
    )


def damaged(replica: Endpoint, key: str, why: str) -> StorageError:
    """The error for an object that is not as this package wrote it: what, and what to do."""
    return StorageError(
        f"{replica.location.with_key(key)}: it is damaged ({why}); delete it and replicate "
        "again: every object is then compared with the source",
        kind=ErrorKind.INTEGRITY,
        cloud=replica.cloud,
    )


@contextmanager
def intact(replica: Endpoint, key: str) -> Iterator[None]:
    """Say of what can't be read as this package wrote it that it is damaged, and what to do."""
    try:
        yield
    except (
        msgspec.MsgspecError,
        ValueError,
        LookupError,
        ArithmeticError,
        RecursionError,
        StopIteration,
    ) as err:
        raise damaged(replica, key, f"{type(err).__name__}: {err}") from err
