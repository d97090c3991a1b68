"""Google's JSON interfaces over google-auth's urllib3 transport.

For interfaces that no client library in use here covers, and for Cloud Storage, whose library is
too slow. Proxy and CA variables are honoured; redirects are not followed.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

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

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.auth.credentials import Credentials
    from typing_extensions import Buffer

    from airflow_multicloud.errors import CloudError

CONNECT_SECONDS = 10
#: Where a connection is refused or a name unknown, more would only keep another request waiting:
#: urllib3 repeats at once, then after a second.
CONNECT_RETRIES = 2
#: Between two bytes; google-cloud-storage's default.
READ_SECONDS = 60
#: Connections kept open per host: more than the threads a transfer uses.
_POOL_SIZE = 64
# https://cloud.google.com/apis/design/errors#error_retries and
# https://cloud.google.com/storage/docs/retry-strategy; 502 is what proxies answer.
_RETRIED = frozenset({408, 429, 500, 502, 503, 504})
_OK = range(200, 300)
#: Google compresses for those who say that they understand it, see
#: https://cloud.google.com/compute/docs/api/how-tos/performance
_USER_AGENT = f"airflow-multicloud/{__version__} (gzip)"


class RestApi:
    """Requests to one endpoint with one set of credentials; safe for many threads.

    Raises google-api-core's exceptions for refusals, and urllib3's for what happens on the way.

    :param endpoint: scheme and host, without a path.
    :param retries: how often one request is repeated.
    :param area: of the errors for answers that can't be read.
    :param repeats_all: whether a request of any method may be sent again; by default only one of
        a method that HTTP calls idempotent.
    """

    def __init__(
        self,
        endpoint: str,
        credentials: Credentials,
        *,
        retries: int,
        area: type[CloudError],
        repeats_all: bool = False,
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.retries = retries
        self.credentials = credentials
        self._area = area
        if not self.anonymous:
            check_plain_http(self.endpoint, "Google's access token", cloud=NAME)
        self._refreshing = threading.Lock()
        past_proxies = not self.anonymous and goes_past_proxies(self.endpoint)
        pool = urllib3.PoolManager(maxsize=_POOL_SIZE) if past_proxies else _pool(self.endpoint)
        # Tokens come from another host, so whether a proxy is used depends on that host.
        self._request = SessionRequest() if past_proxies else Request(pool)  # type: ignore[no-untyped-call]
        self._http = AuthorizedHttp(credentials, http=pool)  # type: ignore[no-untyped-call]
        self._timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._retry = urllib3.Retry(
            total=retries,
            connect=min(retries, CONNECT_RETRIES),
            allowed_methods=None if repeats_all else urllib3.Retry.DEFAULT_ALLOWED_METHODS,
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

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One JSON request; ``path`` begins with a slash and is already encoded."""
        headers = {"content-type": "application/json"} if body is not None else {}
        data = json.dumps(body).encode() if body is not None else None
        return self.read(method, path, query, body=data, headers=headers)

    def items(self, path: str, name: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The items of a list, page by page (https://google.aip.dev/158).

        :param name: of the list in each answer.
        """
        doing = f"listing {name}"
        for page in self.pages(path, query, doing):
            with well_formed(doing, NAME, area=self._area):
                items = list(page.get(name, ()))
            yield from items

    def pages(self, path: str, query: Mapping[str, Any], doing: str) -> Iterator[dict[str, Any]]:
        """The pages of a list; ``path`` as :meth:`ask` takes it."""
        asked = dict(query)
        tokens = Tokens(doing, NAME, area=self._area)
        while True:
            page = self.ask("GET", path, asked)
            yield page
            if not (token := page.get("nextPageToken")):
                return
            tokens.note(token)
            asked["pageToken"] = token

    def read(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        *,
        body: bytes | tuple[Buffer, ...] | None = None,
        headers: Mapping[str, str],
    ) -> dict[str, Any]:
        """One request whose answer is a JSON object, or nothing for a deletion."""
        # Lists of thousands of entries are a tenth as long compressed; the user agent asks, too.
        asked = {"accept-encoding": "gzip", **headers}
        response = self.send(method, path, query, headers=asked, body=body)
        if method == "DELETE":
            return {}  # nothing to tell, and stand-ins tell it each in its way
        doing = f"{method} {path}"
        with well_formed(doing, NAME, area=self._area):
            answer: dict[str, Any] = json.loads(response.data)
        if not isinstance(answer, dict):
            raise not_an_answer(doing, NAME, "it is no JSON object", area=self._area)
        return answer

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        *,
        headers: Mapping[str, str],
        **options: Any,
    ) -> urllib3.BaseHTTPResponse:
        """One request and its answer, which is a success."""
        self.ensure_fresh()
        url = f"{self.endpoint}{path}"
        if query:
            url += "?" + urlencode(query)
        response: urllib3.BaseHTTPResponse = self._http.urlopen(  # type: ignore[no-untyped-call]
            method,
            url,
            headers={"user-agent": _USER_AGENT, **headers},
            retries=self._retry,
            redirect=False,
            timeout=self._timeout,
            **options,
        )
        if response.status not in _OK:
            _refuse(response)
        return response

    def ensure_fresh(self) -> None:
        """Have a token that is good for some minutes, fetched by one thread at a time."""
        if self.anonymous or self.credentials.token_state is TokenState.FRESH:
            return
        with self._refreshing:
            if self.credentials.token_state is not TokenState.FRESH:
                self.credentials.refresh(self._request)  # type: ignore[no-untyped-call]


def _refuse(response: urllib3.BaseHTTPResponse) -> None:
    """Raise google-api-core's exception for an answer that is no success."""
    message = response.data.decode(errors="replace")[:300]
    told: dict[str, Any] = {}
    if response.headers.get("content-type", "").startswith("application/json"):
        with suppress(*MALFORMED):  # a proxy's own JSON
            error = json.loads(response.data)["error"]
            message = str(error["message"])
            told = {"errors": list(error.get("errors", ()))}
            told["details"] = details = list(error.get("details", ()))
            infos = (d for d in details if isinstance(d, dict) and "reason" in d)
            told["error_info"] = next(infos, None)
    text = message or str(response.reason)
    raise from_http_status(response.status, text, response=response, **told)  # type: ignore[no-untyped-call]


def _pool(endpoint: str) -> urllib3.PoolManager:
    """A connection pool that honours the proxy and CA variables that requests honours."""
    settings = requests.Session().merge_environment_settings(endpoint, {}, None, None, None)
    authorities = settings["verify"] if isinstance(settings["verify"], str) else certifi.where()
    place = "ca_cert_dir" if Path(authorities).is_dir() else "ca_certs"
    tls: dict[str, Any] = {place: authorities, "cert_reqs": "CERT_REQUIRED"}
    proxy = select_proxy(endpoint, settings["proxies"])
    if not proxy:
        return urllib3.PoolManager(maxsize=_POOL_SIZE, **tls)
    adapter = HTTPAdapter(pool_maxsize=_POOL_SIZE)
    manager: urllib3.PoolManager = adapter.proxy_manager_for(proxy, **tls)
    return manager
