"""One storage account: the SDK's client, its pipeline for lean requests, and obstores."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests.adapters
from airflow.providers.microsoft.azure.hooks.wasb import WasbHook
from airflow.sdk import Connection
from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from urllib3 import Retry

from airflow_multicloud.adapters.names import store_name
from airflow_multicloud.adapters.plain_http import check_plain_http, goes_past_proxies
from airflow_multicloud.adapters.secret_text import check_control_characters
from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.credentials import (
    CredentialForm,
    credential_form,
    open_store,
)
from airflow_multicloud.clouds.azure.errors import STORAGE, translated
from airflow_multicloud.clouds.azure.seams import (
    leave_undecoded,
    pipeline_of,
    retry_policy_of,
    transport_of,
)
from airflow_multicloud.errors import CredentialsError, ErrorKind, StorageError

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineResponse
    from azure.core.rest import HttpResponse
    from azure.storage.blob import BlobClient, BlobServiceClient
    from obstore.store import AzureStore

    from airflow_multicloud.ports.object_store import ObjectRef

#: The type of a storage account's connection.
CONN_TYPE = WasbHook.conn_type

# learn.microsoft.com/azure/storage/common/storage-account-overview, "Storage account endpoints",
# .../storage-private-endpoints and .../network-routing-preference; a DNS zone is a part of the
# name. Microsoft's own clients take these endings off as well, in any order.
_ADDRESS = re.compile(
    r"^([a-z0-9]+)(?:-(?:secondary|microsoftrouting|internetrouting|ipv6|dualstack))*"
    r"\.(?:privatelink\.)?(z\d+\.)?(?:blob|dfs)\."
)
_CONNECTIONS = 64
_FIRST_WAIT = 0.25
_NO_RETRIES = Retry(total=False, redirect=False, raise_on_status=False)


class StorageAccount:
    """A storage account as the connection's ``BlobServiceClient`` reaches it.

    Safe for many threads at once, since nothing here changes after construction but two caches
    and a flag.
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
            service.url, pipeline=pipeline_of(service)
        )
        past_proxies = bearer and goes_past_proxies(service.url)
        _tune(transport_of(service), service.url, past_proxies=past_proxies)
        _shorten_waits(retry_policy_of(service))
        self._stores: dict[str, AzureStore | None] = {}
        self._lock = Lock()
        self._urls = lru_cache(_CONNECTIONS)(lambda ref: self.blob(ref).url)

    @property
    def form(self) -> CredentialForm:
        """How the connection proves who it is."""
        return credential_form(self.service)

    @property
    def name(self) -> str:
        """The account's host, the same for all its addresses: secondary, private, by a route."""
        name = store_name(self.service.url)
        return _ADDRESS.sub(r"\1.\2blob.", name, count=1)

    def blob(self, ref: ObjectRef) -> BlobClient:
        """The SDK's client for one blob, of one version when the reference names one."""
        return self.service.get_blob_client(ref.bucket, ref.key, version_id=ref.version)

    def url(self, ref: ObjectRef) -> str:
        """A blob's URL, with the signature that is a part of it if there is one.

        Kept for the latest blobs: it takes one of the SDK's clients to make it, and a blob of many
        blocks would need one for each.
        """
        return self._urls(ref)

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
        response = self._requests.send_request(request, raw_response_hook=_leave_whole)
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


def open_account(connection: Connection, conn_id: str, *, public_read: bool) -> StorageAccount:
    """The storage account of a connection, with credentials as Airflow's own hook reads them.

    :param connection: its fields.
    :param conn_id: what it is called.
    :param public_read: read anonymously, without credentials.
    :raises CredentialsError: kind ``invalid_argument`` when the connection can't be used.
    """
    if connection.conn_type != CONN_TYPE:
        raise _unusable(
            f"connection {conn_id!r} has type {connection.conn_type!r}; Azure Blob Storage needs "
            f"type {CONN_TYPE!r}"
        )
    fields = {
        "login": connection.login,
        "password": connection.password,
        "host": connection.host,
        **connection.extra_dejson,
    }
    check_control_characters(conn_id, fields, cloud=NAME)
    doing = f"opening connection {conn_id!r}"
    try:
        with translated(doing, table=STORAGE, area=StorageError):
            account = StorageAccount(_service(connection, conn_id, public_read=public_read))
    except ValueError as err:
        # The SDK says what is wrong with a connection string or URL, then may quote it.
        raise _unusable(f"{doing}: {str(err).partition(':')[0]}") from None
    # Airflow's hook makes a URL of the login when the host names no account, also of none:
    # https://None.blob.core.windows.net, somebody's account that would get our signature.
    if not connection.login and account.service.account_name == str(None):
        raise _unusable(
            f"{doing}: nothing names the storage account; expected host "
            "https://ACCOUNT.blob.core.windows.net, or a connection_string in the extra"
        )
    return account


def _service(connection: Connection, conn_id: str, *, public_read: bool) -> BlobServiceClient:
    # Azure answers with no redirects, and another's would get the request: a path and headers.
    extra = {**connection.extra_dejson, "permit_redirects": False}
    told = Connection(
        conn_id=conn_id,
        conn_type=connection.conn_type,
        host=connection.host,
        login=connection.login,
        password=connection.password,
        extra=json.dumps(extra),
    )
    hook = WasbHook(wasb_conn_id=conn_id, public_read=public_read)
    # Else Airflow would be asked for the connection a second time.
    hook.get_connection = lambda _: told  # type: ignore[method-assign, assignment]
    return hook.get_conn()


def _unusable(message: str) -> CredentialsError:
    return CredentialsError(message, kind=ErrorKind.INVALID_ARGUMENT, cloud=NAME)


def _leave_whole(answer: PipelineResponse[HttpRequest, HttpResponse]) -> None:
    if answer.http_response.status_code == HTTPStatus.OK:
        leave_undecoded(answer)


def _raise_for_error(response: HttpResponse) -> None:
    if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
        response.read()
        raise HttpResponseError(response=response)


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
