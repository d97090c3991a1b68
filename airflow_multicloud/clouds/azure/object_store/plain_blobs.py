"""Blobs of a page of "List Blobs" that are all in the form that Azure writes: without a parser.

See :mod:`airflow_multicloud.adapters.plain_pages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from xml.etree import ElementTree as ET

from airflow_multicloud.adapters.plain_pages import MARK, TEXT, EntryForm, PlainPage
from airflow_multicloud.clouds.azure.object_store.fields import ListedBlob, Shared, shared_of

_NAME = r"[A-Za-z_][\w.-]*+"
_ELEMENT = f"(?:<{_NAME}>{TEXT}</{_NAME}>|<{_NAME} ?/>)"
# In the order of "List Blobs" (learn.microsoft.com/rest/api/storageservices/list-blobs). Around the
# Content-MD5 are properties that many blobs have in common.
_FORM = EntryForm(
    "Blob",
    f"<Name>({TEXT})</Name><Properties>(?:<Creation-Time>{TEXT}</Creation-Time>)?"
    f"<Last-Modified>({TEXT})</Last-Modified><Etag>({TEXT})</Etag>"
    f"((?:<ResourceType>{TEXT}</ResourceType>)?)<Content-Length>({TEXT})</Content-Length>"
    f"({_ELEMENT}*?)(?:<Content-MD5>({TEXT})</Content-MD5>|<Content-MD5 ?/>)({_ELEMENT}*+)"
    f"</Properties>(?:<Metadata>({_ELEMENT}*+)</Metadata>|<Metadata ?/>)?(?:<OrMetadata ?/>)?",
    f"<Name>{MARK}</Name>",
)
_OWN = frozenset({"Last-Modified", "Etag", "Content-Length", "Content-MD5"})


class PlainBlobs(NamedTuple):
    """The blobs of a page.

    :param rest: the page with one blob in their place.
    """

    blobs: Sequence[ListedBlob]
    rest: bytes


def plain_blobs(page: bytes) -> PlainBlobs | None:
    """The blobs of a page; ``None`` when not all of them are plain."""
    try:
        found = PlainPage(page, _FORM)
        marks = _tree(found.rest).iter("Blob")
        if [mark.findtext("Name") for mark in marks] != [MARK]:
            return None
        return PlainBlobs([*map(_blob, found.entries())], found.rest)
    except ValueError:
        return None


def _blob(entry: tuple[str, ...]) -> ListedBlob:
    name, modified, etag, kind, size, before, md5, after, metadata = entry
    shared = _shared(f"{kind}{before}{after}")
    return ListedBlob(name, size, modified, etag, md5, shared, _metadata(metadata))


@lru_cache(maxsize=1024)
def _shared(properties: str) -> Shared:
    found = {one.tag: one.text or "" for one in _tree(f"<Properties>{properties}</Properties>")}
    if not _OWN.isdisjoint(found):
        raise ValueError("a property comes twice")
    return shared_of(found)


def _metadata(block: str) -> dict[str, str]:
    found = dict[str, str]()
    while block:
        name, _, rest = block[1:].partition(">")
        value, closing, block = rest.partition(f"</{name}>")
        if not closing or "<" in value:
            raise ValueError("metadata in another form")
        found[name] = value
    return found


def _tree(document: str | bytes) -> ET.Element:
    """Of a part of Azure's own answer to a signed request.

    :raises ValueError: when it is not well-formed.
    """
    try:
        return ET.fromstring(document)  # noqa: S314 (see above)
    except (ET.ParseError, LookupError) as err:
        raise ValueError(f"{err}") from err
