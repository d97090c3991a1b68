"""Azure Blob Storage's dialect, block blobs only.

https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
"""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Generator
from urllib.parse import unquote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from tests.benchmarks.sink.answers import (
    attributes_in,
    content,
    etag_refused,
    http_date,
    metadata_in,
    xml,
)
from tests.benchmarks.sink.http import Request, Response, Wait
from tests.benchmarks.sink.store import Digest, Part, Store, Stored

_VERSION = {"x-ms-version": "2021-12-02", "x-ms-request-id": "00000000-0000-0000-0000-000000000000"}
_PAGE = 5000
_RANGE_MD5 = "x-ms-range-get-content-md5"


def error(code: str, status: int) -> Response:
    """An error as Azure words it."""
    body = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return xml(body, status, {**_VERSION, "x-ms-error-code": code})


class Azure:
    """One request at a time over a store; the account is the first segment of the path."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def handle(self, request: Request) -> Generator[Wait, None, Response]:
        """Serve a request."""
        _, _, path = request.path.lstrip("/").partition("/")
        container, _, key = path.partition("/")
        key = unquote(key)
        query = request.query
        if not key:
            return self._container(request, container)
        match request.method, query.get("comp"):
            case "PUT", None:
                return (yield from self._put(request, container, key))
            case "PUT", "block":
                return (yield from self._put_block(request, container, key))
            case "PUT", "blocklist":
                return (yield from self._commit(request, container, key))
            case "PUT", ("metadata" | "properties" | "tags" | "tier"):
                return Response(200, _VERSION)
            case "GET", "blocklist":
                return self._block_list(container, key, query.get("blocklisttype", "committed"))
            case "GET" | "HEAD", None:
                return self._read(request, self._store.find(container, key))
            case "DELETE", None:
                gone = self._store.delete(container, key)
                return Response(202, _VERSION) if gone else error("BlobNotFound", 404)
        return error("NotImplemented", 501)

    def _container(self, request: Request, container: str) -> Response:
        match request.method, request.query.get("comp"):
            case "GET", "list" if container:
                return self._list(container, request.query)
            case "GET" | "HEAD", None:
                self._store.buckets.setdefault(container, {})
                return Response(200, {**_VERSION, "etag": '"0x1"', "last-modified": http_date(0)})
            case "PUT", None:
                return Response(201, {**_VERSION, "etag": '"0x1"', "last-modified": http_date(0)})
        return error("NotImplemented", 501)

    def _headers(self, found: Stored) -> dict[str, str]:
        headers = {
            **_VERSION,
            **found.attributes,
            "etag": f'"{found.etag}"',
            "last-modified": http_date(int(found.modified)),
            "accept-ranges": "bytes",
            "x-ms-blob-type": "BlockBlob",
            "x-ms-access-tier": "Hot",
        }
        if found.md5 is not None:
            headers["content-md5"] = base64.b64encode(found.md5).decode()
        return headers | {f"x-ms-meta-{name}": value for name, value in found.metadata.items()}

    def _read(self, request: Request, found: Stored | None) -> Response:
        if found is None:
            return error("BlobNotFound", 404)
        if etag_refused(request.headers, found):
            return error("ConditionNotMet", 412)
        headers = self._headers(found)
        if request.ranged and (whole := headers.pop("content-md5", None)):
            headers["x-ms-blob-content-md5"] = whole
            span = request.span(found.size)
            if span and isinstance(found.content, bytes) and _RANGE_MD5 in request.headers:
                part = hashlib.md5(found.content[slice(*span)], usedforsecurity=False)
                headers["content-md5"] = base64.b64encode(part.digest()).decode()
        return content(request, found, headers)

    def _put(self, request: Request, container: str, key: str) -> Generator[Wait, None, Response]:
        digest = self._store.digest(key, request.length)
        yield from request.receive(digest.feed)
        if etag_refused(request.headers, self._store.find(container, key)):
            return self._condition_not_met(request)
        if _md5_differs(request, digest):
            return error("Md5Mismatch", 400)
        stored = self._store.put(
            container, key, digest, _attributes(request), metadata_in(request.headers, "x-ms-meta-")
        )
        return Response(201, self._headers(stored))

    def _put_block(
        self, request: Request, container: str, key: str
    ) -> Generator[Wait, None, Response]:
        sent = request.headers.get("x-ms-content-crc64")
        digest = Digest(crc64=sent is not None)
        yield from request.receive(digest.feed)
        if sent != digest.crc64:
            return error("Crc64Mismatch", 400)
        block = request.query["blockid"]
        blocks = self._store.blocks.setdefault((container, key), {})
        blocks[block] = Part(block, digest.size, digest.crc32c)
        return Response(201, _VERSION | ({"x-ms-content-crc64": sent} if sent else {}))

    def _commit(
        self, request: Request, container: str, key: str
    ) -> Generator[Wait, None, Response]:
        body = yield from request.read()
        found = self._store.find(container, key)
        if etag_refused(request.headers, found):
            return self._condition_not_met(request)
        waiting = self._store.blocks.pop((container, key), {})
        parts = [waiting.get(e.text or "") for e in ET.fromstring(body)]
        if not all(parts):
            return error("InvalidBlockList", 400)
        stored = self._store.compose(
            container,
            key,
            tuple(part for part in parts if part),
            _attributes(request),
            metadata_in(request.headers, "x-ms-meta-"),
        )
        if md5 := request.headers.get("x-ms-blob-content-md5"):
            stored.md5 = base64.b64decode(md5)  # Azure keeps what the writer says here.
        return Response(201, self._headers(stored))

    def _condition_not_met(self, request: Request) -> Response:
        if "if-none-match" in request.headers:
            return error("BlobAlreadyExists", 409)
        return error("ConditionNotMet", 412)

    def _block_list(self, container: str, key: str, which: str) -> Response:
        found = self._store.find(container, key)
        waiting = self._store.blocks.get((container, key), {})
        if found is None and not waiting:
            return error("BlobNotFound", 404)
        committed = _blocks(found.blocks if found and which != "uncommitted" else ())
        uncommitted = _blocks(tuple(waiting.values()) if which != "committed" else ())
        return xml(
            f"<BlockList><CommittedBlocks>{committed}</CommittedBlocks>"
            f"<UncommittedBlocks>{uncommitted}</UncommittedBlocks></BlockList>",
            headers=_VERSION,
        )

    def _list(self, container: str, query: dict[str, str]) -> Response:
        limit = int(query.get("maxresults", _PAGE))
        prefix = query.get("prefix", "")
        found = self._store.keys(container, prefix, query.get("marker", ""))
        keys = list(itertools.islice(found, limit + 1))
        objects = self._store.buckets.get(container, {})
        entries = "".join(_listed(objects[key]) for key in keys[:limit])
        if "uncommittedblobs" in query.get("include", ""):
            entries += "".join(
                f"<Blob><Name>{escape(key)}</Name><Properties><Content-Length>0</Content-Length>"
                "</Properties></Blob>"
                for where, key in self._store.blocks
                if where == container and key.startswith(prefix) and key not in objects
            )
        marker = escape(keys[limit - 1]) if len(keys) > limit else ""
        return xml(
            f'<EnumerationResults ContainerName="{container}"><Prefix>{escape(prefix)}</Prefix>'
            f"<Blobs>{entries}</Blobs><NextMarker>{marker}</NextMarker></EnumerationResults>",
            headers=_VERSION,
        )


def _listed(found: Stored) -> str:
    md5 = base64.b64encode(found.md5).decode() if found.md5 is not None else ""
    metadata = "".join(f"<{n}>{escape(v)}</{n}>" for n, v in found.metadata.items())
    content_type = found.attributes.get("content-type", "application/octet-stream")
    return (
        f"<Blob><Name>{escape(found.key)}</Name><Properties>"
        f"<Last-Modified>{http_date(int(found.modified))}</Last-Modified><Etag>{found.etag}</Etag>"
        f"<Content-Length>{found.size}</Content-Length><Content-Type>{content_type}</Content-Type>"
        f"<Content-MD5>{md5}</Content-MD5><BlobType>BlockBlob</BlobType>"
        f"<AccessTier>Hot</AccessTier></Properties><Metadata>{metadata}</Metadata></Blob>"
    )


def _blocks(blocks: tuple[Part, ...]) -> str:
    return "".join(f"<Block><Name>{b.token}</Name><Size>{b.size}</Size></Block>" for b in blocks)


def _attributes(request: Request) -> dict[str, str]:
    named = attributes_in(request.headers, "x-ms-blob-")
    named.setdefault("content-type", "application/octet-stream")
    return named


def _md5_differs(request: Request, digest: Digest) -> bool:
    sent = request.headers.get("content-md5")
    return bool(sent) and digest.md5 is not None and base64.b64decode(sent or "") != digest.md5
