"""Where the page of a release's summary is kept: written once, and never replaced."""

from __future__ import annotations

from dataclasses import dataclass, replace

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core import records
from airflow_multicloud.core.endpoints import Endpoint, check_reserved
from airflow_multicloud.core.streams import PERHAPS_OURS, put_stream
from airflow_multicloud.errors import CloudError, ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectAttributes, WriteOptions

#: Below the place that is given.
SUMMARIES = "summaries/"


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """A page that is kept.

    :param sha256: of its bytes, in hex: kept elsewhere, it shows later that the page is the same.
    """

    uri: str
    sha256: str


def write_page(page: bytes, place: Endpoint, name: str) -> WrittenPage:
    """Keep a page below a place, unless another one has its name.

    :param place: a prefix.
    :param name: without an ending: that of the run and its try.
    :raises StorageError: ``already_exists`` when something else lies there; ``invalid_argument``
        for a place that is no prefix, or is kept for this package's own files; also as the store's
        calls do.
    """
    if not place.location.is_prefix:
        raise StorageError(
            f"places: {place.location} is no prefix; give one that ends with a slash",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=place.cloud,
        )
    check_reserved(place, parameter="places")
    key = place.key_of(f"{SUMMARIES}{name}.html")
    at = place.location.with_key(key)
    if not _is_kept(page, replace(place, location=at)):
        raise StorageError(
            f"{at} is there already, and is not this page: another run has written it, or somebody "
            "else; nothing was replaced",
            kind=ErrorKind.ALREADY_EXISTS,
            cloud=place.cloud,
        )
    return WrittenPage(str(at), sha256_of(page))


def _is_kept(page: bytes, here: Endpoint) -> bool:
    """Whether these bytes are there now: a write whose answer got lost meets its own."""
    condition = here.condition(None)
    if condition is None and (there := _content(here, len(page))) is not None:
        return there == page
    options = WriteOptions(
        attributes=ObjectAttributes(content_type="text/html; charset=utf-8"), condition=condition
    )
    try:
        put_stream(here, here.location.key, [page], options)
    except CloudError as err:
        if err.kind not in PERHAPS_OURS or (there := _content(here, len(page))) is None:
            raise
        return there == page
    return True


def _content(here: Endpoint, size: int) -> bytes | None:
    """What lies there, if anything does; of something larger than the page not all of it."""
    try:
        return records.whole(here, here.location.key, most=size)
    except CloudError as err:
        if err.kind is ErrorKind.NOT_FOUND:
            return None
        if err.kind is ErrorKind.INTEGRITY:
            return b""
        raise
