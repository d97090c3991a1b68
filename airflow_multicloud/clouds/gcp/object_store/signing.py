"""Signed URLs (V4): https://cloud.google.com/storage/docs/access-control/signed-urls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from google.auth.credentials import Signing

from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.errors import translated
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectRef, SignedUrl

if TYPE_CHECKING:
    from google.cloud.storage import Client

    from airflow_multicloud.clouds.gcp.object_store.client import JsonApi

_LONGEST = timedelta(days=7)
_METHODS = ("GET", "PUT")


def sign(
    api: JsonApi, client: Client, ref: ObjectRef, method: str, expires_in: timedelta, doing: str
) -> SignedUrl:
    """A URL for one object; without a private key, the IAM service signs it."""
    if method not in _METHODS:
        raise _invalid(f"{doing}: method {method!r}; allowed: {' or '.join(_METHODS)}")
    if not timedelta(0) < expires_in <= _LONGEST:
        raise _invalid(f"{doing}: expires_in {expires_in}; allowed: up to {_LONGEST}")
    expires_at = datetime.now(UTC) + expires_in
    with translated(doing):
        url = (
            client.bucket(ref.bucket)
            .blob(ref.key)
            .generate_signed_url(
                version="v4",
                method=method,
                expiration=expires_in,
                generation=ref.version,
                api_access_endpoint=api.endpoint,
                **_signer(api, doing),
            )
        )
    return SignedUrl(url, expires_at)


def _signer(api: JsonApi, doing: str) -> dict[str, str]:
    credentials = api.credentials
    if isinstance(credentials, Signing):
        return {}
    email = getattr(credentials, "service_account_email", None)
    if not email:
        raise StorageError(
            f"{doing}: credentials of type {type(credentials).__name__} can't sign; "
            "use a service account's",
            kind=ErrorKind.UNSUPPORTED,
            cloud=NAME,
        )
    api.ensure_fresh()
    return {"service_account_email": email, "access_token": str(credentials.token)}


def _invalid(message: str) -> StorageError:
    return StorageError(message, kind=ErrorKind.INVALID_ARGUMENT, cloud=NAME)
