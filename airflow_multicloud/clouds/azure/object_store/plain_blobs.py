"""Blobs of a page of "List Blobs" that are all in the form that Azure writes: without a parser.

See :mod:`airflow_multicloud.adapters.plain_pages`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from xml.etree import ElementTree as ET

from airflow_multicloud.adapters.answers import http_date
from airflow_multicloud.adapters.listed_pages import moments_of, page_of, sizes_of
from airflow_multicloud.adapters.plain_pages import MARK, TEXT, EntryForm, PlainPage
from airflow_multicloud.clouds.azure.object_store.fields import (
    ListedBlob,
    Shared,
    hex_md5,
    listed_object,
    shared_of,
)
from airflow_multicloud.ports.object_store import ListedPage, ObjectMeta

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
    rf"</Properties>(?:<Metadata>((?:<({_NAME})>{TEXT}</\10>)*+)</Metadata>|<Metadata ?/>)?"
    "(?:<OrMetadata ?/>)?",
    f"<Name>{MARK}</Name>",
)
_METADATA = re.compile(f"<({_NAME})>({TEXT})<")
_OWN = frozenset({"Last-Modified", "Etag", "Content-Length", "Content-MD5"})


class PlainBlobs(NamedTuple):
    """The blobs of a page.

    :param fields: of each; its last one says nothing.
    :param shared: what others have in common with it.
    :param rest: the page with one blob in their place.
    """

    fields: Sequence[tuple[str, ...]]
    shared: Sequence[Shared]
    rest: bytes

    def listed(self, bucket: str) -> ListedPage:
        """The blobs as the port's page, without those that are directories."""
        names, moments, etags, _, texts, _, md5s, _, _, _ = zip(*self.fields, strict=True)
        sizes = sizes_of(texts)
        if 0 in sizes or any(shared.directory for shared in self.shared):
            found = (listed_object(bucket, self._blob(n)) for n in range(len(self.fields)))
            return page_of([meta for meta in found if meta is not None])

        def meta(n: int) -> ObjectMeta:
            found = listed_object(bucket, self._blob(n))
            if found is None:
                raise ValueError("a directory with bytes")
            return found

        return ListedPage(
            keys=names,
            sizes=sizes,
            etags=[etag.strip('"') for etag in etags],
            modified=moments_of(moments, http_date),
            declared_md5s=[hex_md5(md5) for md5 in md5s],
            tells_attributes=True,
            meta=meta,
        )

    def _blob(self, n: int) -> ListedBlob:
        name, modified, etag, _, size, _, md5, _, block, _ = self.fields[n]
        metadata = dict(_METADATA.findall(block))
        return ListedBlob(name, size, modified, etag, md5, self.shared[n], metadata)


def plain_blobs(page: bytes) -> PlainBlobs | None:
    """The blobs of a page; ``None`` when not all of them are plain."""
    try:
        found = PlainPage(page, _FORM)
        marks = _tree(found.rest).iter("Blob")
        if [mark.findtext("Name") for mark in marks] != [MARK]:
            return None
        fields = [*found.entries()]
        shared = [_shared(f"{one[3]}{one[5]}{one[7]}") for one in fields]
    except ValueError:
        return None
    return PlainBlobs(fields, shared, found.rest)


@lru_cache(maxsize=1024)
def _shared(properties: str) -> Shared:
    found = {one.tag: one.text or "" for one in _tree(f"<Properties>{properties}</Properties>")}
    if not _OWN.isdisjoint(found):
        raise ValueError("a property comes twice")
    return shared_of(found)


def _tree(document: str | bytes) -> ET.Element:
    """Of a part of Azure's own answer to a signed request.

    :raises ValueError: when it is not well-formed.
    """
    try:
        return ET.fromstring(document)  # noqa: S314 (see above)
    except (ET.ParseError, LookupError) as err:
        raise ValueError(f"{err}") from err
