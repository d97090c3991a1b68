"""Cloud Storage's XML interface for uploads, before a server that has only the JSON one.

fake-gcs-server takes no upload of the XML interface that is not signed. What is one is checked
against what Google documents, sent on as JSON and answered as the XML interface does; everything
else is passed on as it is. Beside that it gives the token that such uploads must carry.

https://cloud.google.com/storage/docs/xml-api/put-object-upload and
https://cloud.google.com/storage/docs/xml-api/reference-headers
"""

from __future__ import annotations

import base64
import http.client
import json
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote, unquote, urlsplit
from xml.sax.saxutils import escape

from airflow_multicloud.testing.local_clouds.gcp.service_account import TOKEN_PATH
from airflow_multicloud.testing.local_clouds.kit.http import (
    Answer,
    HttpServer,
    headers_of,
    target_of,
)

if TYPE_CHECKING:
    from types import TracebackType

    from werkzeug import Request

#: Of the JSON interface, and of the server's own.
_OTHERS: Final = ("/storage/v1/", "/upload/", "/download/", "/batch/", "/_internal/")
#: Stored with the object: header → field of the JSON resource.
_ATTRIBUTES: Final = {
    "content-type": "contentType",
    "content-encoding": "contentEncoding",
    "content-language": "contentLanguage",
    "content-disposition": "contentDisposition",
    "cache-control": "cacheControl",
}
_METADATA: Final = "x-goog-meta-"
_MATCH: Final = "x-goog-if-generation-match"
#: About the request alone. All further ones that Google documents are not served here.
_OF_REQUEST: Final = frozenset(
    {
        *("accept", "accept-encoding", "authorization", "connection", "content-length"),
        *("date", "host", "user-agent", "x-goog-user-project"),
    }
)
#: Of one connection (RFC 9110, 7.6.1), or made again by whoever sends.
_HOP: Final = frozenset({"connection", "transfer-encoding", "host", "content-length"})


class XmlInterface:
    """Serves in a thread of this process; a context manager.

    :param backend: the base URL of the server with the JSON interface.
    """

    def __init__(self, backend: str) -> None:
        self._backend = urlsplit(backend).netloc
        self._token = secrets.token_urlsafe()
        self._server = HttpServer(self._respond)
        #: How many uploads came, refused ones too.
        self.uploads = 0

    @property
    def endpoint(self) -> str:
        """The base URL, without a trailing slash."""
        return self._server.endpoint

    def __enter__(self) -> Self:
        """Serve."""
        self._server.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self._server.__exit__(exc_type, exc, traceback)

    def _respond(self, request: Request) -> Answer:
        target = target_of(request)
        if target == TOKEN_PATH:
            token = {"access_token": self._token, "expires_in": 3600, "token_type": "Bearer"}
            return Answer(body=token)
        # A query is a signature's, which is passed on with it.
        if request.method == "PUT" and "?" not in target and not target.startswith(_OTHERS):
            self.uploads += 1
            return self._upload(request, target)
        headers = {n: v for n, v in headers_of(request).items() if n not in _HOP}
        return self._ask(request.method, target, request.get_data(), headers)

    def _upload(self, request: Request, target: str) -> Answer:
        headers = headers_of(request)
        if headers.get("authorization") != f"Bearer {self._token}":
            return _error(HTTPStatus.UNAUTHORIZED, "AuthenticationRequired", "no known token")
        fields = {n: v for n, v in headers.items() if n not in _OF_REQUEST}
        if odd := [name for name, value in fields.items() if not value.isascii()]:
            return _error(HTTPStatus.BAD_REQUEST, "InvalidArgument", f"not ASCII: {odd}")
        match = fields.pop(_MATCH, None)
        if match is not None and not match.isdigit():
            return _error(HTTPStatus.BAD_REQUEST, "InvalidArgument", f"{_MATCH}: {match}")
        resource: dict[str, Any] = {
            field: fields.pop(name) for name, field in _ATTRIBUTES.items() if name in fields
        }
        resource["metadata"] = {
            name.removeprefix(_METADATA): fields.pop(name)
            for name in list(fields)
            if name.startswith(_METADATA)
        }
        if fields:
            return _error(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented", f"header {list(fields)}")
        bucket, _, key = target.lstrip("/").partition("/")
        resource["name"] = unquote(key)
        condition = "" if match is None else f"&ifGenerationMatch={match}"
        return _as_xml(self._insert(unquote(bucket), resource, request.get_data(), condition))

    def _insert(
        self, bucket: str, resource: dict[str, Any], content: bytes, condition: str
    ) -> Answer:
        boundary = secrets.token_hex(16)
        kind = resource.get("contentType", "application/octet-stream")
        head = (
            f"--{boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n"
            f"{json.dumps(resource)}\r\n--{boundary}\r\ncontent-type: {kind}\r\n\r\n"
        )
        return self._ask(
            "POST",
            f"/upload/storage/v1/b/{quote(bucket, safe='')}/o?uploadType=multipart{condition}",
            head.encode() + content + f"\r\n--{boundary}--".encode(),
            {"content-type": f"multipart/related; boundary={boundary}"},
        )

    def _ask(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(self._backend)
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            told = {n: v for n, v in answer.getheaders() if n.lower() not in _HOP}
            if method == "HEAD":
                told["content-length"] = answer.headers.get("content-length", "0")
            return Answer(status=answer.status, body=answer.read(), headers=told)
        finally:
            connection.close()


def _as_xml(answer: Answer) -> Answer:
    told = json.loads(answer.body) if isinstance(answer.body, bytes) else {}
    if answer.status == HTTPStatus.NOT_FOUND:
        return _error(answer.status, "NoSuchBucket", "The specified bucket does not exist.")
    if answer.status == HTTPStatus.PRECONDITION_FAILED:
        return _error(answer.status, "PreconditionFailed", "A precondition did not hold.")
    if answer.status != HTTPStatus.OK:
        return _error(answer.status, "InternalError", told["error"]["message"])
    return Answer(
        body=b"",
        headers={
            # That of an object written in one request is its MD5.
            "ETag": f'"{base64.b64decode(told["md5Hash"]).hex()}"',
            "x-goog-generation": told["generation"],
            "x-goog-metageneration": told["metageneration"],
            "x-goog-hash": f"crc32c={told['crc32c']},md5={told['md5Hash']}",
            "x-goog-stored-content-length": told["size"],
        },
    )


def _error(status: int, code: str, message: str) -> Answer:
    text = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return Answer(
        status=status,
        body=f"<?xml version='1.0' encoding='UTF-8'?>{text}".encode(),
        headers={"content-type": "application/xml; charset=UTF-8"},
    )
