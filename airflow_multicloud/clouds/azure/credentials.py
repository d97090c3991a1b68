"""Which credentials a ``BlobServiceClient`` works with, and obstore's view of the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from azure.core.credentials import AzureSasCredential
from obstore.store import AzureStore

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.clouds.azure.seams import proxies_of, transport_of

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient
    from obstore.store import AzureCredential, ClientConfig, RetryConfig

#: The token audience of every storage account
#: (https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory).
STORAGE_SCOPE = "https://storage.azure.com/.default"

_RETRY: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(minutes=3)}


class CredentialForm(StrEnum):
    """How a connection proves who it is."""

    ACCOUNT_KEY = "account key"
    SHARED_ACCESS_SIGNATURE = "shared access signature"
    TOKEN = "Microsoft Entra token"  # noqa: S105 - a name, not a token
    ANONYMOUS = "anonymous"


def credential_form(service: BlobServiceClient) -> CredentialForm:
    """The form of the client's credentials."""
    credential = service.credential
    if hasattr(credential, "account_key"):
        return CredentialForm.ACCOUNT_KEY
    if hasattr(credential, "get_token"):
        return CredentialForm.TOKEN
    if isinstance(credential, AzureSasCredential) or "sig=" in urlsplit(service.url).query:
        return CredentialForm.SHARED_ACCESS_SIGNATURE
    return CredentialForm.ANONYMOUS


def open_store(service: BlobServiceClient, container: str) -> AzureStore | None:
    """An obstore for one container with the client's endpoint, credentials and TLS.

    ``None`` behind a proxy, see :func:`_obstore.only_to`.
    """
    parts = urlsplit(service.url)
    options = _client_options(service)
    if options is None:
        return None
    provider = _provider(service)
    account: Any = service.account_name or "account"
    return AzureStore(
        container,
        account_name=account,
        endpoint=urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", "")),
        # Said outright, because obstore would otherwise look into AZURE_* variables.
        use_emulator=False,
        skip_signature=provider is None,
        credential_provider=provider,
        client_options=options,
        retry_config=_RETRY,
    )


def _provider(service: BlobServiceClient) -> Callable[[], AzureCredential] | None:
    credential = service.credential
    match credential_form(service):
        case CredentialForm.ACCOUNT_KEY:
            return lambda: {"access_key": credential.account_key, "expires_at": None}
        case CredentialForm.TOKEN:

            def fresh_token() -> AzureCredential:
                token = credential.get_token(STORAGE_SCOPE)
                expires_at = datetime.fromtimestamp(token.expires_on, UTC)
                return {"token": token.token, "expires_at": expires_at}

            return fresh_token
        case CredentialForm.SHARED_ACCESS_SIGNATURE:
            sas = getattr(credential, "signature", None) or urlsplit(service.url).query
            return lambda: {"sas_token": sas.lstrip("?"), "expires_at": None}
        case CredentialForm.ANONYMOUS:
            return None


def _client_options(service: BlobServiceClient) -> ClientConfig | None:
    connection = transport_of(service).connection_config
    alone = _obstore.only_to(service.url)
    if alone is None or proxies_of(service).get(urlsplit(service.url).scheme):
        return None
    options: ClientConfig = {
        **alone,
        "connect_timeout": timedelta(seconds=connection.timeout),
        # Between two arrivals of data; the whole request may take as long as it moves.
        "read_timeout": timedelta(seconds=connection.read_timeout),
        "timeout": timedelta(days=1),
    }
    if isinstance(connection.verify, str):
        options["root_certificate"] = Path(connection.verify).read_bytes()
    elif not connection.verify:
        options["allow_invalid_certificates"] = True
    return options
