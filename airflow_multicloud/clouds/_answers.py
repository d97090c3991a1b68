"""Reading what a server answered, which anybody may have written.

A store that is broken, a proxy's web page and a forger have in common that an answer is not what
its interface promises. Whatever reading such an answer raises is one error of one kind here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

#: When an object was modified of which the store does not say it: as old as can be, so that it
#: is never taken for fresh.
UNKNOWN_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)

#: The largest size that the databases of this package hold (a signed integer of 64 bits).
_LARGEST = (1 << 63) - 1

# What code that trusts an answer's form raises where the form is another. A SyntaxError is what
# XML parsers raise; a RecursionError comes of nesting a thousand levels deep.
MALFORMED = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    SyntaxError,
)


@contextmanager
def well_formed(doing: str, cloud: str, *, area: type[CloudError] = StorageError) -> Iterator[None]:
    """Say of an answer that can't be read that it is none of this interface.

    For code that only reads what arrived, and makes no request itself.

    :raises CloudError: of this area, kind ``integrity``.
    """
    try:
        yield
    except CloudError:
        raise
    except MALFORMED as err:
        raise malformed(doing, cloud, err, area=area) from err


def malformed(
    doing: str, cloud: str, err: Exception, *, area: type[CloudError] = StorageError
) -> CloudError:
    """The error for what reading an answer raised."""
    return not_an_answer(doing, cloud, f"{type(err).__name__}: {str(err)[:100]}", area=area)


def not_an_answer(
    doing: str, cloud: str, why: str, *, area: type[CloudError] = StorageError
) -> CloudError:
    """The error for an answer that is no answer of this interface."""
    return area(
        f"{doing}: the answer can't be read ({why}); the server is broken, or something between "
        "it and here (a proxy, a sign-in page) answered in its place",
        kind=ErrorKind.INTEGRITY,
        cloud=cloud,
    )


def redirected(doing: str, cloud: str, *, area: type[CloudError] = StorageError) -> CloudError:
    """The error for an answer that sends the request on to another host."""
    return not_an_answer(
        doing, cloud, "it redirects to another host, which is never followed", area=area
    )


def kind_of_status(status: int) -> ErrorKind:
    """The cause that an answer's status stands for which no table knows.

    By its class (RFC 9110, section 15): the server's fault, the caller's, or no answer of this
    interface at all, as a redirection to a page is none.
    """
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ErrorKind.UNAVAILABLE
    caller = status >= HTTPStatus.BAD_REQUEST
    return ErrorKind.INVALID_ARGUMENT if caller else ErrorKind.INTEGRITY


def size_of(text: str | int) -> int:
    """A size in bytes.

    :raises ValueError: when it is no number, negative or larger than any object can be.
    """
    size = int(text)
    if not 0 <= size <= _LARGEST:
        raise ValueError(f"the size {size} is impossible")
    return size


def moment(text: str | None) -> datetime:
    """A time by ISO 8601, in UTC; one without a zone is UTC's, one that is missing unknown.

    :raises ValueError: when it is no time. :raises OverflowError: when it is none in UTC.
    """
    if not text:
        return UNKNOWN_TIME
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
