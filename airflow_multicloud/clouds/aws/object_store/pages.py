"""Fast listings: botocore signs, sends, retries and pages; what is read is read here.

botocore's own parser takes some 75 µs per key in Python, more than the request itself. Its
event ``before-parse`` hands out the raw answer and merges what a handler returns into the
parsed one, so the slow parser is left with an empty document. Errors are not touched. Entries are
read by :mod:`plain_pages`, and where they are not plain by the C parser of ``xml.etree``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any
from urllib.parse import unquote_plus
from xml.etree import ElementTree as ET

from botocore.parsers import ResponseParserError

from airflow_multicloud.adapters.answers import Tokens, not_an_answer, well_formed
from airflow_multicloud.adapters.listed_pages import moments_of, sizes_of
from airflow_multicloud.adapters.plain_pages import MARK, TEXT, EntryForm, PlainPage
from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.object_store.errors import translated
from airflow_multicloud.clouds.aws.object_store.fields import is_md5
from airflow_multicloud.clouds.aws.seams import parse_first
from airflow_multicloud.ports.object_store import Digests, ListedPage, ObjectMeta

_OK = 200
_NO_DIGESTS = Digests()
_TOKENS = (
    "NextContinuationToken",
    "NextKeyMarker",
    "NextVersionIdMarker",
    "NextUploadIdMarker",
    "NextPartNumberMarker",
)
_ENTRIES = {"ListBucketResult": "Contents", "ListVersionsResult": "Version"}
_FIELDS = ("Key", "ETag", "Size", "LastModified", "StorageClass", "VersionId")
# In the order of "Object" in the model of "ListObjectsV2", which S3 and others keep to.
_PLAIN = EntryForm(
    "Contents",
    f"<Key>({TEXT})</Key><LastModified>({TEXT})</LastModified>"
    f"<ETag>(?:&quot;)?({TEXT})(?:&quot;)?</ETag>"
    f"(?:<ChecksumAlgorithm>{TEXT}</ChecksumAlgorithm>)*"
    f"(?:<ChecksumType>{TEXT}</ChecksumType>)?<Size>({TEXT})</Size>"
    f"<StorageClass>({TEXT})</StorageClass>",
    MARK,
)

_Fields = Iterable[tuple[str | None, ...]]


def register_fast_listing(client: Any) -> None:
    """Make ``list_objects_v2`` and ``list_object_versions`` of this client answer fast.

    A page then has its :class:`Page` under that name, and besides it only what paging needs.
    """
    for operation in ("ListObjectsV2", "ListObjectVersions"):
        parse_first(client, operation, _parse)


def _parse(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    # S3 declares no entities. Before the status: for an answer that can't be parsed, botocore makes
    # that a 500, and asks again.
    if b"<!ENTITY" in response_dict["body"]:
        raise ValueError("it declares entities")
    if response_dict["status_code"] != _OK:
        return
    try:
        root, entries = _plain(response_dict["body"]) or (_tree(response_dict["body"]), None)
    except ET.ParseError:
        return  # botocore's parser reports it
    except LookupError as err:  # An encoding that nobody knows; botocore's lets it through.
        raise ResponseParserError(f"the listing can't be read: {err}") from err
    namespace, _brace, name = root.tag.rpartition("}")
    if name == "Error":
        return  # with status 200; botocore makes a 500 of it
    if name not in _ENTRIES:
        raise ValueError(f"it is a <{name}>")
    prefix = f"{namespace}}}" if namespace else ""
    encoded = root.findtext(f"{prefix}EncodingType") == "url"
    decode = unquote_plus if encoded else None
    if entries is None:
        tags = [prefix + field for field in _FIELDS]
        found = root.findall(f"{prefix}{_ENTRIES[name]}")
        entries = (tuple(map(entry.findtext, tags)) for entry in found)
    page: dict[str, Any] = {
        "IsTruncated": root.findtext(f"{prefix}IsTruncated") == "true",
        "Page": Page(entries, decode),
    }
    if token := root.findtext(f"{prefix}NextContinuationToken"):
        page["NextContinuationToken"] = token
    if (marker := root.findtext(f"{prefix}NextKeyMarker")) is not None:
        page["NextKeyMarker"] = decode(marker) if decode else marker
        page["NextVersionIdMarker"] = root.findtext(f"{prefix}NextVersionIdMarker") or ""
    customized_response_dict.update(page)
    response_dict["body"] = f"<{name}/>".encode()


def _tree(document: bytes) -> ET.Element:
    # The answer comes over the connection that botocore verified; expat has no external entities
    # and bounds the expansion of internal ones.
    return ET.fromstring(document)  # noqa: S314 (see above)


def _plain(body: bytes) -> tuple[ET.Element, _Fields] | None:
    """A page without its entries, and their fields; ``None`` where they are not all plain."""
    try:
        page = PlainPage(body, _PLAIN)
        root = _tree(page.rest)
        prefix = root.tag.removesuffix("ListBucketResult")
        if [one.text for one in root.findall(f"{prefix}Contents")] != [MARK]:
            return None
        found = [
            (key, etag, size, modified, storage_class, None)
            for key, modified, etag, size, storage_class in page.entries()
        ]
    except (ValueError, LookupError, ET.ParseError):
        return None
    return root, found


def pages(client: Any, operation: str, doing: str, **params: str) -> Iterator[Mapping[str, Any]]:
    """The pages of a listing, each within the SDK's retries.

    :raises StorageError: kind ``integrity`` when the last one says that there is more, but not
        where: what is missing would count as deleted.
    """
    found = iter(client.get_paginator(operation).paginate(**params))
    page: Mapping[str, Any] = {}
    tokens = Tokens(doing, NAME)
    while True:
        with translated(doing), well_formed(doing, NAME):
            following = next(found, None)
        if following is None:
            break
        page = following
        if page.get("IsTruncated"):
            tokens.note(*(page.get(name) for name in _TOKENS))
        yield page
    if page.get("IsTruncated"):
        raise not_an_answer(doing, NAME, "it says that there is more, and does not say where")


class Page:
    """A page's entries, read when they are asked for.

    :param entries: their fields, ``None`` where there is none.
    :param decode: makes a key of what the page has for it.
    """

    __slots__ = ("_decode", "_entries")

    def __init__(self, entries: _Fields, decode: Callable[[str], str] | None) -> None:
        self._entries = entries
        self._decode = decode

    def listed(self, bucket: str, *, hidden: str | None, md5_etags: bool) -> ListedPage:
        """The entries as the port's page.

        What a store leaves out of one object is that object's matter: without an ETag a read
        that is pinned to it fails, without a time it is as old as can be, without a size it is
        empty, which its read disproves. So it is where one of them can't be read.

        :param hidden: keys that begin with this are left out.
        :param md5_etags: whether an ETag of 32 hexadecimal digits counts as MD5.
        """
        columns = [*zip(*self._entries, strict=True)] or [()] * len(_FIELDS)
        keys = self._keys(columns[0])
        if hidden is not None and any(key.startswith(hidden) for key in keys):
            shown = [not key.startswith(hidden) for key in keys]
            columns = [tuple(compress(column, shown)) for column in columns]
            keys = [*compress(keys, shown)]
        _, tags, texts, moments, classes, versions = columns
        etags = [(tag or "").strip('"') for tag in tags]
        md5s = [etag if is_md5(etag) else None for etag in etags] if md5_etags else ()
        sizes, modified = sizes_of(texts), moments_of(moments)

        def meta(n: int) -> ObjectMeta:
            return ObjectMeta(
                bucket=bucket,
                key=keys[n],
                size=sizes[n],
                etag=etags[n],
                last_modified=modified[n],
                version=versions[n],
                digests=Digests(md5=md5s[n]) if md5s else _NO_DIGESTS,
                storage_class=classes[n],
            )

        return ListedPage(
            keys=keys,
            sizes=sizes,
            etags=etags,
            modified=modified,
            md5s=md5s,
            versions=versions if any(versions) else (),
            meta=meta,
        )

    def _keys(self, found: Sequence[str | None]) -> list[str]:
        if not all(found):
            raise ValueError("an object without a key")
        keys = [key for key in found if key]
        decode = self._decode
        return (
            [decode(key) if "%" in key or "+" in key else key for key in keys] if decode else keys
        )
