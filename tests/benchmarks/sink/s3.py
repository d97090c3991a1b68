"""S3's XML dialect, path-style; with generations also Cloud Storage's XML interface.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import base64
import itertools
import time
from collections.abc import Generator
from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from tests.benchmarks.sink import checksum
from tests.benchmarks.sink.answers import (
    attributes_in,
    content,
    etag_refused,
    http_date,
    iso_date,
    metadata_in,
    xml,
)
from tests.benchmarks.sink.http import Request, Response, Wait
from tests.benchmarks.sink.store import Digest, Part, Store, Stored, Upload

_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_PAGE = 1000


def error(code: str, status: int) -> Response:
    """An error as S3 words it."""
    return xml(f"<Error><Code>{code}</Code><Message>{code}</Message></Error>", status)


class S3:
    """One request at a time over a store."""

    def __init__(self, store: Store, *, generations: bool = False) -> None:
        self._store = store
        self._generations = generations

    def handle(self, request: Request) -> Generator[Wait, None, Response]:
        """Serve a request."""
        bucket, _, key = request.path.lstrip("/").partition("/")
        key = unquote(key)
        if not key:
            return (yield from self._bucket(request, bucket))
        query = request.query
        match request.method:
            case "GET" | "HEAD" if "uploadId" not in query and "tagging" not in query:
                return self._read(request, self._store.find(bucket, key))
            case "GET" if "uploadId" in query:
                return self._list_parts(query["uploadId"])
            case "GET":
                return xml(f"<Tagging {_NAMESPACE}><TagSet></TagSet></Tagging>")
            case "PUT" if "partNumber" in query:
                return (yield from self._put_part(request))
            case "PUT" if "tagging" in query:
                return Response()
            case "PUT":
                return (yield from self._put(request, bucket, key))
            case "POST" if "uploads" in query:
                return self._begin(request, bucket, key)
            case "POST" if "uploadId" in query:
                return (yield from self._complete(request, bucket, key))
            case "DELETE" if "uploadId" in query:
                self._store.uploads.pop(query["uploadId"], None)
                return Response(204)
            case "DELETE":
                self._store.delete(bucket, key)
                return Response(204)
        return error("NotImplemented", 501)

    def _bucket(self, request: Request, bucket: str) -> Generator[Wait, None, Response]:
        query = request.query
        match request.method:
            case "GET" if not bucket:
                return xml("<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>")
            case "GET" if "location" in query:
                return xml(f"<LocationConstraint {_NAMESPACE}/>")
            case "GET" if "versioning" in query:
                return xml(f"<VersioningConfiguration {_NAMESPACE}/>")
            case "GET" if "uploads" in query:
                return self._list_uploads(bucket, query.get("prefix", ""))
            case "GET":
                return self._list(bucket, query)
            case "POST" if "delete" in query:
                body = yield from request.read()
                for named in ET.fromstring(body).iter():
                    if named.tag.rpartition("}")[2] == "Key" and named.text:
                        self._store.delete(bucket, named.text)
                return xml(f"<DeleteResult {_NAMESPACE}/>")
            case "HEAD" | "PUT":
                self._store.buckets.setdefault(bucket, {})
                return Response(headers={"x-amz-bucket-region": "us-east-1"})
        return error("NotImplemented", 501)

    def _headers(self, found: Stored) -> dict[str, str]:
        headers = {
            **found.attributes,
            "etag": f'"{found.etag}"',
            "last-modified": http_date(int(found.modified)),
            "accept-ranges": "bytes",
        }
        if self._generations:
            headers["x-goog-generation"] = str(found.generation)
            headers["x-goog-stored-content-length"] = str(found.size)
            headers["x-goog-hash"] = _goog_hash(found)
        for name, value in found.metadata.items():
            headers[f"x-{'goog' if self._generations else 'amz'}-meta-{name}"] = value
        return headers

    def _read(self, request: Request, found: Stored | None) -> Response:
        if found is None:
            return error("NoSuchKey", 404)
        if etag_refused(request.headers, found):
            return error("PreconditionFailed", 412)
        headers = self._headers(found)
        if (
            request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"
            and not request.ranged
        ):
            headers["x-amz-checksum-crc32c"] = checksum.base64_of(found.crc32c)
            headers["x-amz-checksum-type"] = "FULL_OBJECT"
        return content(request, found, headers)

    def _digest(self, request: Request, key: str) -> Digest:
        return self._store.digest(key, request.length)

    def _metadata(self, request: Request) -> dict[str, str]:
        headers = request.headers
        return metadata_in(headers, "x-amz-meta-") | metadata_in(headers, "x-goog-meta-")

    def _put(self, request: Request, bucket: str, key: str) -> Generator[Wait, None, Response]:
        digest = self._digest(request, key)
        yield from request.receive(digest.feed)
        found = self._store.find(bucket, key)
        if etag_refused(request.headers, found) or self._other_generation(request, found):
            return error("PreconditionFailed", 412)
        if wrong := _mismatch(request, digest):
            return error(wrong, 400)
        stored = self._store.put(
            bucket, key, digest, attributes_in(request.headers), self._metadata(request)
        )
        headers = self._written(stored.crc32c, stored.etag)
        if self._generations:
            # https://cloud.google.com/storage/docs/xml-api/put-object-upload
            headers["x-goog-generation"] = str(stored.generation)
            headers["x-goog-metageneration"] = "1"
            headers["x-goog-hash"] = _goog_hash(stored)
            headers["x-goog-stored-content-length"] = str(stored.size)
        return Response(headers=headers)

    def _other_generation(self, request: Request, found: Stored | None) -> bool:
        wanted = request.headers.get("x-goog-if-generation-match")
        if not self._generations or wanted is None:
            return False
        return int(wanted) != (found.generation if found else 0)

    def _written(self, crc: int, etag: str) -> dict[str, str]:
        return {"etag": f'"{etag}"', "x-amz-checksum-crc32c": checksum.base64_of(crc)}

    def _begin(self, request: Request, bucket: str, key: str) -> Response:
        upload_id = f"{self._store.serial():x}"
        self._store.uploads[upload_id] = Upload(
            bucket, key, time.time(), attributes_in(request.headers), self._metadata(request)
        )
        return xml(
            f"<InitiateMultipartUploadResult {_NAMESPACE}><Bucket>{bucket}</Bucket>"
            f"<Key>{escape(key)}</Key><UploadId>{upload_id}</UploadId>"
            "</InitiateMultipartUploadResult>"
        )

    def _put_part(self, request: Request) -> Generator[Wait, None, Response]:
        digest = Digest()
        yield from request.receive(digest.feed)
        upload = self._store.uploads.get(request.query["uploadId"])
        if upload is None:
            return error("NoSuchUpload", 404)
        if wrong := _mismatch(request, digest):
            return error(wrong, 400)
        number = int(request.query["partNumber"])
        etag = f"{digest.crc32c:08x}{self._store.serial():016x}"
        upload.parts[number] = Part(str(number), digest.size, digest.crc32c, etag)
        return Response(headers=self._written(digest.crc32c, etag))

    def _complete(self, request: Request, bucket: str, key: str) -> Generator[Wait, None, Response]:
        body = yield from request.read()
        upload = self._store.uploads.get(request.query["uploadId"])
        if upload is None:
            return error("NoSuchUpload", 404)
        if etag_refused(request.headers, self._store.find(bucket, key)):
            return error("PreconditionFailed", 412)
        named = [e for e in ET.fromstring(body).iter() if e.tag.rpartition("}")[2] == "PartNumber"]
        numbers = [int(e.text or 0) for e in named]
        if any(number not in upload.parts for number in numbers):
            return error("InvalidPart", 400)
        parts = tuple(upload.parts[number] for number in numbers)
        stored = self._store.compose(bucket, key, parts, upload.attributes, upload.metadata)
        del self._store.uploads[request.query["uploadId"]]
        return xml(
            f"<CompleteMultipartUploadResult {_NAMESPACE}><Bucket>{bucket}</Bucket>"
            f"<Key>{escape(key)}</Key><ETag>&quot;{stored.etag}&quot;</ETag>"
            f"<ChecksumCRC32C>{checksum.base64_of(stored.crc32c)}</ChecksumCRC32C>"
            "<ChecksumType>FULL_OBJECT</ChecksumType></CompleteMultipartUploadResult>"
        )

    def _list(self, bucket: str, query: dict[str, str]) -> Response:
        prefix = query.get("prefix", "")
        second = query.get("list-type") == "2"
        after = query.get("continuation-token" if second else "marker") or query.get(
            "start-after", ""
        )
        limit = min(int(query.get("max-keys", _PAGE)), _PAGE)
        keys = list(itertools.islice(self._store.keys(bucket, prefix, after), limit + 1))
        encode = quote if query.get("encoding-type") == "url" else escape
        objects = self._store.buckets.get(bucket, {})
        entries = "".join(
            f"<Contents><Key>{encode(key)}</Key>"
            f"<LastModified>{iso_date(int(objects[key].modified))}</LastModified>"
            f"<ETag>&quot;{objects[key].etag}&quot;</ETag><Size>{objects[key].size}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for key in keys[:limit]
        )
        more = len(keys) > limit
        token = encode(keys[limit - 1]) if more else ""
        names = "NextContinuationToken" if second else "NextMarker"
        return xml(
            f"<ListBucketResult {_NAMESPACE}><Name>{bucket}</Name><Prefix>{encode(prefix)}</Prefix>"
            f"<KeyCount>{min(len(keys), limit)}</KeyCount><MaxKeys>{limit}</MaxKeys>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>"
            + (f"<{names}>{token}</{names}>" if more else "")
            + ("<EncodingType>url</EncodingType>" if encode is quote else "")
            + f"{entries}</ListBucketResult>"
        )

    def _list_parts(self, upload_id: str) -> Response:
        upload = self._store.uploads.get(upload_id)
        if upload is None:
            return error("NoSuchUpload", 404)
        entries = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{part.etag}&quot;</ETag>"
            f"<Size>{part.size}</Size>"
            f"<ChecksumCRC32C>{checksum.base64_of(part.crc32c)}</ChecksumCRC32C></Part>"
            for number, part in sorted(upload.parts.items())
        )
        return xml(
            f"<ListPartsResult {_NAMESPACE}><IsTruncated>false</IsTruncated>"
            f"<ChecksumType>FULL_OBJECT</ChecksumType>{entries}</ListPartsResult>"
        )

    def _list_uploads(self, bucket: str, prefix: str) -> Response:
        entries = "".join(
            f"<Upload><Key>{escape(u.key)}</Key><UploadId>{upload_id}</UploadId>"
            f"<Initiated>{iso_date(int(u.started))}</Initiated></Upload>"
            for upload_id, u in self._store.uploads.items()
            if u.bucket == bucket and u.key.startswith(prefix)
        )
        return xml(
            f"<ListMultipartUploadsResult {_NAMESPACE}><IsTruncated>false</IsTruncated>"
            f"{entries}</ListMultipartUploadsResult>"
        )


def _goog_hash(found: Stored) -> str:
    told = f"crc32c={checksum.base64_of(found.crc32c)}"
    return told if found.md5 is None else f"{told},md5={base64.b64encode(found.md5).decode()}"


def _mismatch(request: Request, digest: Digest) -> str | None:
    """The error for a checksum in the headers that the body does not have."""
    headers = request.headers
    sent = headers.get("x-amz-checksum-crc32c")
    if sent is not None and sent != checksum.base64_of(digest.crc32c):
        return "BadDigest"
    md5 = headers.get("content-md5")
    if md5 is not None and digest.md5 is not None and base64.b64decode(md5) != digest.md5:
        return "BadDigest"
    return None
