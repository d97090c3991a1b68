"""Cloud Storage's JSON interface over google-auth's urllib3 transport.

google-cloud-storage spends several times as much of a core on a small upload and on a listed
object, so only signing is left to it.

Interface: https://cloud.google.com/storage/docs/json_api/v1
"""

from __future__ import annotations

import json
import secrets
import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import certifi
import requests
import urllib3
from google.api_core.exceptions import from_http_status
from google.auth.credentials import AnonymousCredentials, TokenState
from google.auth.transport.requests import Request as SessionRequest
from google.auth.transport.urllib3 import AuthorizedHttp, Request
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy

from airflow_multicloud import __version__
from airflow_multicloud.adapters.answers import MALFORMED, Tokens, not_an_answer, well_formed
from airflow_multicloud.adapters.plain_http import check_plain_http, goes_past_proxies
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.fields import OBJECT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.auth.credentials import Credentials
    from obstore.store import GCSCredential
    from typing_extensions import Buffer

CONNECT_SECONDS = 10
#: Where a connection is refused or a name unknown, more would only keep another copy waiting:
#: urllib3 repeats at once, then after a second.
CONNECT_RETRIES = 2
#: Between two bytes; google-cloud-storage's default.
READ_SECONDS = 60
#: Connections kept open per host: more than the threads a transfer uses.
_POOL_SIZE = 64
#: Bodies up to this many bytes are joined into one send.
_JOIN_LIMIT = 1 << 20
_PAGE_SIZE = 1000
_OBJECTS = "storage#objects"
# https://cloud.google.com/storage/docs/retry-strategy: the codes to retry. Every request of
# this package may be repeated: it either carries a generation condition, or writes the same
# bytes again, or deletes.
_RETRIED = frozenset({408, 429, 500, 502, 503, 504})
_OK = range(200, 300)


class JsonApi:
    """Requests to one endpoint with one set of credentials; safe for many threads.

    Raises google-api-core's exceptions for refusals, and urllib3's for what happens on the way.

    :param endpoint: scheme and host, without a path.
    :param retries: how often one request is repeated.
    """

    def __init__(self, *, endpoint: str, credentials: Credentials, retries: int) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.retries = retries
        self.credentials = credentials
        if not self.anonymous:
            check_plain_http(self.endpoint, "Google's access token", cloud=NAME)
        self._refreshing = threading.Lock()
        past_proxies = not self.anonymous and goes_past_proxies(self.endpoint)
        pool = urllib3.PoolManager(maxsize=_POOL_SIZE) if past_proxies else _pool(self.endpoint)
        # Tokens are not the store's to give: whether a proxy is asked goes by where they are.
        self._request = SessionRequest() if past_proxies else Request(pool)  # type: ignore[no-untyped-call]
        self._http = AuthorizedHttp(credentials, http=pool)  # type: ignore[no-untyped-call]
        self._timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._retry = urllib3.Retry(
            total=retries,
            connect=min(retries, CONNECT_RETRIES),
            allowed_methods=None,
            status_forcelist=_RETRIED,
            backoff_factor=0.5,
            backoff_jitter=0.5,
            backoff_max=32,
            raise_on_status=False,
        )

    @property
    def anonymous(self) -> bool:
        """Whether requests go out unsigned."""
        return isinstance(self.credentials, AnonymousCredentials)

    @property
    def quota_project(self) -> str | None:
        """The project that is billed for requests, when it is not the bucket's."""
        project: str | None = getattr(self.credentials, "quota_project_id", None)
        return project

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One JSON request; ``path`` is below ``/storage/v1`` and already encoded."""
        headers = {"content-type": "application/json"} if body is not None else {}
        data = json.dumps(body).encode() if body is not None else None
        return self._json(method, f"/storage/v1{path}", query, data, headers)

    def insert(
        self, bucket: str, resource: Mapping[str, Any], content: Buffer, query: Mapping[str, str]
    ) -> dict[str, Any]:
        """Upload one object with its metadata in one request (``uploadType=multipart``)."""
        boundary = secrets.token_hex(16)
        content_type = resource.get("contentType", "application/octet-stream")
        head = (
            f"--{boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n"
            f"{json.dumps(resource)}\r\n--{boundary}\r\ncontent-type: {content_type}\r\n\r\n"
        ).encode()
        tail = f"\r\n--{boundary}--".encode()
        view = memoryview(content).cast("B")
        chunks = (head, view, tail)
        length = len(head) + len(view) + len(tail)
        return self._json(
            "POST",
            f"/upload/storage/v1/b/{quote(bucket, safe='')}/o",
            {**query, "uploadType": "multipart"},
            b"".join(chunks) if length <= _JOIN_LIMIT else chunks,
            {
                "content-type": f"multipart/related; boundary={boundary}",
                "content-length": str(length),
            },
        )

    def objects(
        self, bucket: str, prefix: str, *, versions: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The object resources under ``prefix``, page by page."""
        query = {
            "prefix": prefix,
            "maxResults": str(_PAGE_SIZE),
            "fields": f"kind,items({OBJECT_FIELDS}),nextPageToken",
        }
        doing = f"listing gs://{bucket}/{prefix}"
        if versions:
            query["versions"] = "true"
        for page in self.pages(f"/b/{quote(bucket, safe='')}/o", query, doing):
            with well_formed(doing, NAME):
                found = [_named(resource) for resource in page.get("items", ())]
            # JSON leaves out what is empty, and stand-ins the kind; a page of neither is none.
            if page and page.get("kind", _OBJECTS if "items" in page else None) != _OBJECTS:
                raise not_an_answer(doing, NAME, f"it is no {_OBJECTS}")
            yield from found

    def pages(self, path: str, query: Mapping[str, str], doing: str) -> Iterator[dict[str, Any]]:
        """The pages of a listing; ``path`` as :meth:`call` takes it."""
        asked = dict(query)
        tokens = Tokens(doing, NAME)
        while True:
            page = self.call("GET", path, asked)
            yield page
            if not (token := page.get("nextPageToken")):
                return
            tokens.note(token)
            asked["pageToken"] = token

    def media(
        self, bucket: str, key: str, query: Mapping[str, str], byte_range: str | None
    ) -> urllib3.BaseHTTPResponse:
        """The open response of a download, its body as stored and not yet read."""
        # "gzip" asks for the stored bytes of objects whose Content-Encoding is gzip, see
        # https://cloud.google.com/storage/docs/transcoding
        headers = {"accept-encoding": "gzip"} | ({"range": byte_range} if byte_range else {})
        response = self._send(
            "GET",
            f"/storage/v1{object_path(bucket, key)}",
            {**query, "alt": "media"},
            headers=headers,
            preload_content=False,
        )
        if response.status not in _OK:
            response.read(decode_content=True)
            _check(response)
        return response

    def ensure_fresh(self) -> None:
        """Have a token that is good for some minutes, fetched by one thread at a time."""
        if self.anonymous or self.credentials.token_state is TokenState.FRESH:
            return
        with self._refreshing:
            if self.credentials.token_state is not TokenState.FRESH:
                self.credentials.refresh(self._request)  # type: ignore[no-untyped-call]

    def obstore_credential(self) -> GCSCredential:
        """The current token, for obstore; :meth:`ensure_fresh` renews it."""
        expiry: datetime | None = self.credentials.expiry
        return {
            "token": str(self.credentials.token),
            "expires_at": expiry.replace(tzinfo=UTC) if expiry else None,
        }

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: bytes | tuple[Buffer, ...] | None,
        headers: dict[str, str],
    ) -> dict[str, Any]:
        response = self._send(method, path, query, headers=headers, body=body)
        if response.status not in _OK:
            _check(response)
        if method == "DELETE":
            return {}  # nothing to tell, and stand-ins tell it each in its way
        doing = f"{method} {path}"
        with well_formed(doing, NAME):
            answer: dict[str, Any] = json.loads(response.data) if response.data else {}
        if not isinstance(answer, dict):
            raise not_an_answer(doing, NAME, "it is no JSON object")
        return answer

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        *,
        headers: dict[str, str],
        **options: Any,
    ) -> urllib3.BaseHTTPResponse:
        self.ensure_fresh()
        url = f"{self.endpoint}{path}"
        if query:
            url += "?" + urlencode(query)
        response: urllib3.BaseHTTPResponse = self._http.urlopen(  # type: ignore[no-untyped-call]
            method,
            url,
            headers={"user-agent": f"airflow-multicloud/{__version__}", **headers},
            retries=self._retry,
            redirect=False,
            timeout=self._timeout,
            **options,
        )
        return response


def _named(resource: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(resource["name"], str):
        raise TypeError("an object without a name")
    # JSON can write what UTF-8 can't (half of a pair of surrogates), and no request can name.
    resource["name"] = resource["name"].encode(errors="backslashreplace").decode()
    return resource


def object_path(bucket: str, key: str) -> str:
    """An object's path below ``/storage/v1``."""
    return f"/b/{quote(bucket, safe='')}/o/{quote(key, safe='')}"


def _check(response: urllib3.BaseHTTPResponse) -> None:
    """Raise google-api-core's exception for an answer that is no success."""
    message, errors = response.data.decode(errors="replace")[:300], []
    if response.headers.get("content-type", "").startswith("application/json"):
        with suppress(*MALFORMED):  # a proxy's own JSON
            error = json.loads(response.data)["error"]
            message, errors = str(error["message"]), list(error.get("errors", []))
    text = message or str(response.reason)
    raise from_http_status(response.status, text, errors=errors)  # type: ignore[no-untyped-call]


def _pool(endpoint: str) -> urllib3.PoolManager:
    """A connection pool that heeds the proxy and CA variables which requests heeds."""
    settings = requests.Session().merge_environment_settings(endpoint, {}, None, None, None)
    authorities = settings["verify"] if isinstance(settings["verify"], str) else certifi.where()
    tls: dict[str, Any] = {"ca_certs": authorities, "cert_reqs": "CERT_REQUIRED"}
    proxy = select_proxy(endpoint, settings["proxies"])
    if not proxy:
        return urllib3.PoolManager(maxsize=_POOL_SIZE, **tls)
    adapter = HTTPAdapter(pool_maxsize=_POOL_SIZE)
    manager: urllib3.PoolManager = adapter.proxy_manager_for(proxy, **tls)
    return manager
