"""Cloud Storage's JSON dialect; what is not below its paths goes to the XML dialect.

It gives tokens, too, for any key.

https://cloud.google.com/storage/docs/json_api/v1
"""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Generator
from typing import Any
from urllib.parse import unquote

from airflow_multicloud.testing.local_clouds.gcp.service_account import TOKEN_PATH
from tests.benchmarks.sink import checksum
from tests.benchmarks.sink.answers import content, document, http_date, iso_date
from tests.benchmarks.sink.http import Request, Response, Wait
from tests.benchmarks.sink.s3 import S3
from tests.benchmarks.sink.store import Digest, Part, Store, Stored, Upload

_ATTRIBUTES = {
    "contentType": "content-type",
    "contentEncoding": "content-encoding",
    "contentLanguage": "content-language",
    "contentDisposition": "content-disposition",
    "cacheControl": "cache-control",
}
_PREFIXES = ("/storage/v1", "/upload/storage/v1", "/download/storage/v1", "/resumable/")


def error(status: int, message: str) -> Response:
    """An error as Cloud Storage words it."""
    return document({"error": {"code": status, "message": message, "errors": []}}, status)


class GCS:
    """One request at a time over a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._xml = S3(store, generations=True)

    def handle(self, request: Request) -> Generator[Wait, None, Response]:
        """Serve a request."""
        path = request.path
        if path == TOKEN_PATH:
            return document({"access_token": "granted", "expires_in": 3600, "token_type": "Bearer"})
        if not path.startswith(_PREFIXES):
            return (yield from self._xml.handle(request))
        if path.startswith("/resumable/"):
            return (yield from self._resume(request, path.removeprefix("/resumable/")))
        _, _, rest = path.partition("/storage/v1/b")
        bucket, _, key = rest.lstrip("/").partition("/")
        bucket = unquote(bucket)
        if path.startswith("/upload"):
            return (yield from self._upload(request, bucket))
        if not bucket or not key:
            return self._bucket(request, bucket)
        key = key.removeprefix("o").removeprefix("/")
        if not key:
            return self._list(bucket, request.query)
        if key.endswith("/compose"):
            body = yield from request.read()
            return self._compose(request, bucket, unquote(key.removesuffix("/compose")), body)
        if "/rewriteTo/b/" in key:
            body = yield from request.read()
            return self._rewrite(request, bucket, key, body)
        return self._object(request, bucket, unquote(key))

    def _bucket(self, request: Request, bucket: str) -> Response:
        self._store.buckets.setdefault(bucket, {})
        return document({"kind": "storage#bucket", "name": bucket, "location": "US"})

    def _object(self, request: Request, bucket: str, key: str) -> Response:
        found = self._store.find(bucket, key)
        wanted = request.query.get("generation")
        if found is None or wanted not in (None, str(found.generation)):
            return error(404, f"No such object: {bucket}/{key}")
        if request.method == "DELETE":
            self._store.delete(bucket, key)
            return Response(204)
        if self._refused(request, found):
            return error(412, "conditionNotMet")
        if request.query.get("alt") != "media":
            return document(_resource(bucket, found))
        return content(
            request,
            found,
            {
                **found.attributes,
                "etag": f'"{found.etag}"',
                "last-modified": http_date(int(found.modified)),
                "x-goog-generation": str(found.generation),
                "x-goog-hash": f"crc32c={checksum.base64_of(found.crc32c)}",
                "x-goog-stored-content-length": str(found.size),
            },
        )

    def _refused(self, request: Request, found: Stored | None) -> bool:
        wanted = request.query.get("ifGenerationMatch")
        return wanted is not None and int(wanted) != (found.generation if found else 0)

    def _list(self, bucket: str, query: dict[str, str]) -> Response:
        limit = int(query.get("maxResults", 1000))
        found = self._store.keys(bucket, query.get("prefix", ""), query.get("pageToken", ""))
        keys = list(itertools.islice(found, limit + 1))
        objects = self._store.buckets.get(bucket, {})
        page: dict[str, Any] = {"items": [_resource(bucket, objects[key]) for key in keys[:limit]]}
        if len(keys) > limit:
            page["nextPageToken"] = keys[limit - 1]
        return document(page)

    def _upload(self, request: Request, bucket: str) -> Generator[Wait, None, Response]:
        query = request.query
        match query.get("uploadType"):
            case "multipart":
                return (yield from self._insert(request, bucket))
            case "resumable":
                resource = json.loads((yield from request.read()) or b"{}")
                upload_id = f"{self._store.serial():x}"
                key = query.get("name") or resource["name"]
                upload = Upload(
                    bucket, key, time.time(), _attributes(resource), _metadata(resource)
                )
                self._store.uploads[upload_id] = upload
                host = request.headers["host"]
                return Response(headers={"location": f"http://{host}/resumable/{upload_id}"})
            case "media":
                digest = self._store.digest(query["name"], request.length)
                yield from request.receive(digest.feed)
                return self._stored(bucket, query["name"], digest, {}, {})
        return error(501, "uploadType")

    def _insert(self, request: Request, bucket: str) -> Generator[Wait, None, Response]:
        _, _, boundary = request.headers["content-type"].partition("boundary=")
        related = _Related(boundary.strip("'\"").encode(), self._digest_of)
        related.size = request.length
        yield from request.receive(related.feed)
        resource, digest = related.end()
        key = request.named = request.query.get("name") or resource["name"]
        if self._refused(request, self._store.find(bucket, key)):
            return error(412, "conditionNotMet")
        if wrong := _mismatch(resource, digest):
            return error(400, wrong)
        return self._stored(bucket, key, digest, _attributes(resource), _metadata(resource))

    def _digest_of(self, resource: dict[str, Any], size: int | None) -> Digest:
        return self._store.digest(resource.get("name", ""), size)

    def _stored(
        self,
        bucket: str,
        key: str,
        digest: Digest,
        attributes: dict[str, str],
        metadata: dict[str, str],
    ) -> Response:
        stored = self._store.put(bucket, key, digest, attributes, metadata)
        return document(_resource(bucket, stored))

    def _resume(self, request: Request, upload_id: str) -> Generator[Wait, None, Response]:
        upload = self._store.uploads[upload_id]
        digest = upload.digest = upload.digest or Digest()
        yield from request.receive(digest.feed)
        total = request.headers.get("content-range", "*/*").rpartition("/")[2]
        if total == "*" or digest.size < int(total):
            return Response(308, {"range": f"bytes=0-{digest.size - 1}"} if digest.size else {})
        del self._store.uploads[upload_id]
        return self._stored(
            upload.bucket, upload.key, digest, dict(upload.attributes), dict(upload.metadata)
        )

    def _compose(self, request: Request, bucket: str, key: str, body: bytes) -> Response:
        wanted = json.loads(body)
        parts = []
        for named in wanted["sourceObjects"]:
            found = self._store.find(bucket, named["name"])
            if found is None or named.get("generation") not in (None, str(found.generation)):
                return error(404, f"No such object: {named['name']}")
            parts.append(Part(found.key, found.size, found.crc32c))
        if self._refused(request, self._store.find(bucket, key)):
            return error(412, "conditionNotMet")
        resource = wanted.get("destination", {})
        stored = self._store.compose(
            bucket, key, tuple(parts), _attributes(resource), _metadata(resource)
        )
        return document(_resource(bucket, stored))

    def _rewrite(self, request: Request, bucket: str, path: str, body: bytes) -> Response:
        source, _, destination = path.partition("/rewriteTo/b/")
        found = self._store.find(bucket, unquote(source))
        to_bucket, _, to_key = destination.partition("/o/")
        to_key = unquote(to_key)
        if found is None:
            return error(404, f"No such object: {source}")
        if self._refused(request, self._store.find(to_bucket, to_key)):
            return error(412, "conditionNotMet")
        resource = json.loads(body or b"{}")
        part = Part(found.key, found.size, found.crc32c)
        stored = self._store.compose(
            to_bucket, to_key, (part,), _attributes(resource), _metadata(resource)
        )
        return document(
            {
                "kind": "storage#rewriteResponse",
                "done": True,
                "totalBytesRewritten": str(stored.size),
                "objectSize": str(stored.size),
                "resource": _resource(to_bucket, stored),
            }
        )


class _Related:
    """A ``multipart/related`` body: a JSON resource, then the content."""

    def __init__(self, boundary: bytes, digest_of: Any) -> None:
        self._tail = len(boundary) + 10
        self._boundary = boundary
        self._digest_of = digest_of
        self._digest: Digest | None = None
        self._resource: dict[str, Any] = {}
        self._held = b""
        self.size: int | None = None

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._digest is None:
            self._feed_head(data)
        else:
            self._feed_content(data)

    def _feed_head(self, data: bytes) -> None:
        self._held += data
        pieces = self._held.split(b"\r\n\r\n", 2)
        if len(pieces) < 3:
            return
        _, resource, self._held = pieces
        self._resource = json.loads(resource.partition(b"\r\n--" + self._boundary)[0])
        self._digest = self._digest_of(self._resource, self.size)
        data, self._held = self._held, b""
        self._feed_content(data)

    def _feed_content(self, data: bytes) -> None:
        assert self._digest is not None
        data = self._held + data
        self._digest.feed(data[: -self._tail])
        self._held = data[-self._tail :]

    def end(self) -> tuple[dict[str, Any], Digest]:
        assert self._digest is not None
        self._digest.feed(self._held[: self._held.rindex(b"\r\n--" + self._boundary)])
        return self._resource, self._digest


def _mismatch(resource: dict[str, Any], digest: Digest) -> str | None:
    crc, md5 = resource.get("crc32c"), resource.get("md5Hash")
    if crc is not None and crc != checksum.base64_of(digest.crc32c):
        return "Provided CRC32C doesn't match"
    if md5 is not None and digest.md5 is not None and base64.b64decode(md5) != digest.md5:
        return "Provided MD5 doesn't match"
    return None


def _attributes(resource: dict[str, Any]) -> dict[str, str]:
    return {ours: resource[name] for name, ours in _ATTRIBUTES.items() if resource.get(name)}


def _metadata(resource: dict[str, Any]) -> dict[str, str]:
    return {str(n): str(v) for n, v in resource.get("metadata", {}).items()}


def _resource(bucket: str, found: Stored) -> dict[str, Any]:
    at = iso_date(int(found.modified))
    resource: dict[str, Any] = {
        "kind": "storage#object",
        "bucket": bucket,
        "name": found.key,
        "size": str(found.size),
        "generation": str(found.generation),
        "metageneration": "1",
        "etag": found.etag,
        "updated": at,
        "timeCreated": at,
        "storageClass": "STANDARD",
        "crc32c": checksum.base64_of(found.crc32c),
        "metadata": found.metadata,
    }
    if found.md5 is not None:
        resource["md5Hash"] = base64.b64encode(found.md5).decode()
    resource.update(
        (n, found.attributes[o]) for n, o in _ATTRIBUTES.items() if o in found.attributes
    )
    return resource
