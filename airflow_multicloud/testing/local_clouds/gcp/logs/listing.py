"""``ListLogEntries``: filters, order and pages.

https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.cloud.logging_v2.types import ListLogEntriesResponse

from airflow_multicloud.testing.local_clouds.gcp import PROJECT
from airflow_multicloud.testing.local_clouds.gcp.grpc.services import Refused, invalid
from airflow_multicloud.testing.local_clouds.gcp.logs.grammar import FilterError, parsed
from airflow_multicloud.testing.local_clouds.gcp.logs.matching import Fits, fitting
from airflow_multicloud.testing.local_clouds.gcp.logs.store import Place, Store

_ORDERS: Final = {"": False, "timestamp asc": False, "timestamp desc": True}
_PAGE: Final = 50
_LARGEST_PAGE: Final = 1000
#: A page ends where it has so many bytes; Google says of none how large it gets.
_PAGE_BYTES: Final = 10 << 20
_FILTER: Final = 20_000
_RESOURCES: Final = 100


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that is in order.

    :param digest: of all that must be the same for every page.
    :param after: the last entry of the page before.
    """

    fits: Fits
    newest_first: bool
    size: int
    digest: str
    after: Place | None


class Lister:
    """Lists the entries of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self, request: Any) -> Any:
        """Answer one request.

        :raises Refused: for one that is not in order, or not known here.
        """
        asked = _checked(request)
        answer = ListLogEntriesResponse.pb(ListLogEntriesResponse())
        last, size = asked.after, 0
        for place, record in self._store.after(asked.after, newest_first=asked.newest_first):
            if _is_again(place, last) or not asked.fits(record):
                continue
            if len(answer.entries) >= asked.size or size >= _PAGE_BYTES:
                answer.next_page_token = _token(asked.digest, last)
                break
            answer.entries.add().CopyFrom(record)
            last = place
            size += record.ByteSize()
        return answer


def _is_again(place: Place, last: Place | None) -> bool:
    """Whether an entry is a duplicate of that before: same time, same insert id."""
    return last is not None and place[:3] == last[:3]


def _checked(request: Any) -> _Asked:
    if not 0 < len(request.resource_names) <= _RESOURCES:
        raise invalid("resource_names: expected one to 100 names.")
    if any(name != f"projects/{PROJECT}" for name in request.resource_names):
        raise Refused(
            grpc.StatusCode.PERMISSION_DENIED,
            "Permission 'logging.logEntries.list' denied on resource (or it may not exist).",
        )
    if request.order_by not in _ORDERS:
        raise invalid(f"Invalid order_by: '{request.order_by}'.")
    if not 0 <= request.page_size <= _LARGEST_PAGE:
        raise invalid(f"page_size: {request.page_size}, expected at most {_LARGEST_PAGE}.")
    if len(request.filter) > _FILTER:
        raise invalid(f"The filter has more than {_FILTER} characters.")
    try:
        fits = fitting(parsed(request.filter))
    except FilterError as err:
        raise invalid(str(err)) from err
    same = repr((*request.resource_names, request.filter, request.order_by))
    digest = hashlib.sha256(same.encode()).hexdigest()[:16]
    return _Asked(
        fits=fits,
        newest_first=_ORDERS[request.order_by],
        size=request.page_size or _PAGE,
        digest=digest,
        after=_place_of(request.page_token, digest) if request.page_token else None,
    )


def _token(digest: str, place: Place | None) -> str:
    return base64.urlsafe_b64encode(json.dumps([digest, place]).encode()).decode()


def _place_of(token: str, digest: str) -> Place:
    """Where a page begins.

    :raises Refused: for a token that is none of this list's.
    """
    try:
        given, (seconds, nanos, insert_id, number) = json.loads(base64.urlsafe_b64decode(token))
        found = Place(int(seconds), int(nanos), str(insert_id), int(number))
    except (ValueError, TypeError) as err:
        raise invalid("page_token is not valid.") from err
    if given != digest:
        raise invalid("page_token doesn't match arguments from the request.")
    return found
