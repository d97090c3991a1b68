"""Lists of Google's REST APIs for which Google has no client library here.

With google-auth's own session, which heeds the proxy and CA variables; the discovery client's
transport does not do so everywhere.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from google.api_core.exceptions import from_http_response, from_http_status
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import AuthorizedSession
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from airflow_multicloud.adapters.answers import MALFORMED, Tokens, well_formed
from airflow_multicloud.adapters.plain_http import check_plain_http, goes_past_proxies
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.client import CONNECT_RETRIES
from airflow_multicloud.errors import CostAnalysisError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.credentials import Credentials
    from requests import Response

_TIMEOUT_S = 60
# https://cloud.google.com/apis/design/errors#error_retries, and what proxies answer.
_RETRIED = frozenset({429, 500, 502, 503, 504})


class RestApi:
    """Read requests to one endpoint; a context manager.

    Raises google-api-core's exceptions for refusals, and requests' for what happens on the way.

    :param endpoint: scheme and host. :param retries: how often one request is repeated.
    """

    def __init__(self, endpoint: str, credentials: Credentials, *, retries: int) -> None:
        self._endpoint = endpoint.rstrip("/")
        if not isinstance(credentials, AnonymousCredentials):
            check_plain_http(self._endpoint, "Google's access token", cloud=NAME)
        self._session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
        if not isinstance(credentials, AnonymousCredentials) and goes_past_proxies(self._endpoint):
            self._session.trust_env = False
        retry = Retry(
            total=retries,
            connect=min(retries, CONNECT_RETRIES),
            status_forcelist=_RETRIED,
            backoff_factor=0.5,
            raise_on_status=False,
        )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def __enter__(self) -> Self:
        """Ready at once."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._session.close()  # type: ignore[no-untyped-call]

    def items(self, path: str, name: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The items of a list, page by page (https://google.aip.dev/158).

        :param name: of the list in each answer.
        """
        asked = dict(query)
        tokens = Tokens(f"listing {name}", NAME, area=CostAnalysisError)
        while True:
            response = self._session.get(
                f"{self._endpoint}/{path}", params=asked, timeout=_TIMEOUT_S, allow_redirects=False
            )
            if response.status_code != HTTPStatus.OK:
                raise _refusal(response)
            with well_formed(f"listing {name}", NAME, area=CostAnalysisError):
                answer = response.json()
                items = list(answer.get(name, ()))
                token = answer.get("nextPageToken")
            yield from items
            if not token:
                return
            tokens.note(token)
            asked["pageToken"] = token


def _refusal(response: Response) -> GoogleAPICallError:
    """google-api-core's exception for an answer that is no success."""
    try:
        error: GoogleAPICallError = from_http_response(response)  # type: ignore[no-untyped-call]
    except MALFORMED:  # a proxy's own JSON
        error = from_http_status(response.status_code, response.text[:300])  # type: ignore[no-untyped-call]
    return error
