"""What reading parts of objects needs: ranges, and whether an answer is the object asked for."""

from __future__ import annotations

from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectMeta


def byte_range(start: int, end: int | None) -> str | None:
    """The value of a Range header for bytes ``start`` up to ``end``; ``None`` for the whole.

    The header's end is the last byte (RFC 9110, section 14.1.2), so an empty range has none.
    """
    if not start and end is None:
        return None
    return f"bytes={start}-{'' if end is None else end - 1}"


def span(size: int, start: int, end: int | None) -> int:
    """How many bytes of an object of this size lie in a range."""
    return max(min(size, size if end is None else end) - start, 0)


def check_etag(meta: ObjectMeta, if_etag: str | None, doing: str, *, cloud: str) -> None:
    """Compare what an answer says, should a store have ignored the condition.

    :raises StorageError: kind ``precondition_failed``.
    """
    if if_etag is not None and meta.etag != if_etag:
        raise StorageError(
            f"{doing}: the object's ETag is {meta.etag}, not {if_etag}",
            kind=ErrorKind.PRECONDITION_FAILED,
            cloud=cloud,
        )


def check_start(start: int, size: int, doing: str, *, cloud: str) -> None:
    """A read begins within the object, or at its beginning.

    :raises StorageError: kind ``invalid_argument``.
    """
    if start < 0 or (start and start >= size):
        limit = "below 0" if start < 0 else f"not below the size {size}"
        raise StorageError(
            f"{doing}: start={start} is {limit}",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=cloud,
        )
