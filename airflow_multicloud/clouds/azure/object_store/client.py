"""One storage account: the SDK's client, its pipeline for lean requests, and obstores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests.adapters
from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.core.pipeline.policies import RedirectPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from urllib3 import Retry

from airflow_multicloud.adapters.plain_http import check_plain_http, goes_past_proxies
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.credentials import (
    CredentialForm,
    credential_form,
    open_store,
    retry_policy_of,
    transport_of,
)

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineResponse
    from azure.core.rest import HttpResponse
    from azure.storage.blob import BlobClient, BlobServiceClient
    from obstore.store import AzureStore

    from airflow_multicloud.ports.object_store import ObjectRef

_CONNECTIONS = 64
_FIRST_WAIT = 0.25
_NO_RETRIES = Retry(total=False, redirect=False, raise_on_status=False)


class BlobAccount:
    """A storage account as the connection's ``BlobServiceClient`` reaches it.

    Safe for many threads at once, since nothing here changes after construction but a cache and
    a flag.
    """

    def __init__(self, service: BlobServiceClient) -> None:
        form = credential_form(service)
        bearer = form in (CredentialForm.TOKEN, CredentialForm.SHARED_ACCESS_SIGNATURE)
        if bearer:
            check_plain_http(service.url, f"the {form}", cloud=NAME)
        self.service = service
        #: Until it answers a block without the CRC64 it computed.
        self.verifies_crc64 = True
        self._requests: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            service.url,
            pipeline=service._pipeline,  # noqa: SLF001 - its auth, retries and timeouts, for send()
        )
        past_proxies = bearer and goes_past_proxies(service.url)
        _tune(transport_of(service), service.url, past_proxies=past_proxies)
        _shorten_waits(retry_policy_of(service))
        _follow_no_redirects(service)
        self._stores: dict[str, AzureStore | None] = {}
        self._lock = Lock()

    @property
    def form(self) -> CredentialForm:
        """How the connection proves who it is."""
        return credential_form(self.service)

    def blob(self, ref: ObjectRef) -> BlobClient:
        """The SDK's client for one blob, of one version when the reference names one."""
        return self.service.get_blob_client(ref.bucket, ref.key, version_id=ref.version)

    def store(self, bucket: str) -> AzureStore | None:
        """The obstore for one container; ``None`` where only the SDK may be used."""
        with self._lock:
            if bucket not in self._stores:
                self._stores[bucket] = open_store(self.service, bucket)
            return self._stores[bucket]

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | memoryview | None = None,
        stream: bool = False,
    ) -> HttpResponse:
        """One request through the SDK's pipeline, without the SDK's models.

        :raises HttpResponseError: for every answer that is no success.
        """
        request = self._request(method, url, params, headers, body)
        response = self._requests.send_request(request, stream=stream)
        _raise_for_error(response)
        return response

    def get_undecoded(self, url: str, params: Mapping[str, str]) -> bytes:
        """A whole XML answer, read within the SDK's retries but not yet parsed.

        Building the tree of a page costs more than all else in a listing, so the caller does it
        piece by piece.
        """
        request = self._request("GET", url, params, {"Accept": "application/xml"}, None)
        response = self._requests.send_request(request, raw_response_hook=_leave_undecoded)
        _raise_for_error(response)
        return response.read()

    def _request(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: bytes | memoryview | None,
    ) -> HttpRequest:
        every = {"x-ms-version": self.service.api_version, **(headers or {})}
        if body is not None:
            every["Content-Length"] = str(len(body))
        quoted = {name: quote(value, safe="") for name, value in (params or {}).items()}
        content: Any = body or None
        return HttpRequest(method, url, params=quoted, headers=every, content=content)


def _leave_undecoded(answer: PipelineResponse[HttpRequest, HttpResponse]) -> None:
    """Tell the SDK's decoding policy, which comes next, that this body is not for it."""
    if answer.http_response.status_code == HTTPStatus.OK:
        answer.context.options["stream"] = True


def _raise_for_error(response: HttpResponse) -> None:
    if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
        response.read()
        raise HttpResponseError(response=response)


def _follow_no_redirects(service: BlobServiceClient) -> None:
    """Azure answers with none, and another's would get the request: a path and headers."""
    # The SDK takes the option for a new client only, and Airflow's hook makes that.
    node: Any = service._pipeline._impl_policies[0]  # noqa: SLF001 - see above
    while node is not None:
        if isinstance(node, RedirectPolicy):
            node.allow = False
        node = getattr(node, "next", None)


def _shorten_waits(policy: Any) -> None:
    """Repeat within seconds what never reached the service.

    The SDK waits 15 seconds before it tries again, and more each time. That spares a service which
    is overloaded; where a connection is refused or a name unknown there is none to be spared, and
    another copy may be waiting.
    """
    usual: Callable[[dict[str, Any]], float] = policy.get_backoff_time

    def backoff(settings: dict[str, Any]) -> float:
        history = settings["history"]
        if history and isinstance(history[-1].error, ServiceRequestError):
            return float(_FIRST_WAIT * 2 ** len(history))
        return usual(settings)

    policy.get_backoff_time = backoff


def _tune(transport: object, url: str, *, past_proxies: bool) -> None:
    """Keep a connection for every thread, and read the environment once.

    requests keeps ten, and goes through the environment's variables for proxies and certificates
    at each request: as much work as all else in it.
    """
    if not isinstance(transport, RequestsTransport):
        return
    transport.open()
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=_CONNECTIONS, max_retries=_NO_RETRIES)
    session, config = transport.session, transport.connection_config
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    found = session.merge_environment_settings(url, {}, None, config.verify, None)
    session.trust_env = False
    session.proxies = {} if past_proxies else found["proxies"]
    config.verify = found["verify"]
