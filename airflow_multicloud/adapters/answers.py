"""Reading what a server answered, which anybody may have written.

A store that is broken, a proxy's web page and a forger have in common that an answer is not what
its interface promises. Whatever reading such an answer raises is one error of one kind here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from hashlib import blake2b
from http import HTTPStatus
from typing import Final

from airflow_multicloud.errors import CloudError, ErrorKind, StorageError

#: When an object was modified of which the store does not say it: as old as can be, so that it
#: is never taken for fresh.
UNKNOWN_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)

#: No store holds an object of a pebibyte (Azure's limit is the highest, 190 TiB).
_LARGEST = 1 << 50

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


def listed_size(text: str | int | None) -> int:
    """A size in a listing; 0 where it is none. Reading the object then disproves that.

    One odd entry is that object's failure, not the listing's.
    """
    try:
        return size_of(text or 0)
    except (ValueError, TypeError):
        return 0


class Tokens:
    """The page tokens of one listing: one that comes again would have it never end."""

    def __init__(self, doing: str, cloud: str, *, area: type[CloudError] = StorageError) -> None:
        self._doing = doing
        self._cloud = cloud
        self._area = area
        self._seen: set[bytes] = set()

    def note(self, *token: object) -> None:
        """Remember the token of the next page.

        :raises CloudError: kind ``integrity`` when it was one already.
        """
        # A digest, since a listing may have a million pages.
        digest = blake2b(repr(token).encode(), digest_size=16).digest()
        if digest in self._seen:
            raise not_an_answer(self._doing, self._cloud, "one page token twice", area=self._area)
        self._seen.add(digest)


def listed_moment(text: str | None, parse: Callable[[str], datetime] | None = None) -> datetime:
    """A time in a listing, unknown where it is none."""
    try:
        return (parse or moment)(text) if text else UNKNOWN_TIME
    except (ValueError, TypeError, OverflowError):
        return UNKNOWN_TIME


def moment(text: str | None) -> datetime:
    """A time by ISO 8601, in UTC; one without a zone is UTC's, one that is missing unknown.

    :raises ValueError: when it is no time.
    :raises OverflowError: when it is none in UTC.
    """
    if not text:
        return UNKNOWN_TIME
    return _in_utc(datetime.fromisoformat(text))


@lru_cache(maxsize=4096)
def http_date(text: str) -> datetime:
    """An HTTP date, in UTC; objects of one second share it, hence the cache.

    :raises ValueError: when it is no time.
    :raises OverflowError: when it is none in UTC.
    """
    return _in_utc(parsedate_to_datetime(text))


def _in_utc(found: datetime) -> datetime:
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
