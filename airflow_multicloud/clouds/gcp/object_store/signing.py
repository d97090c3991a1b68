"""Signed URLs (V4): https://cloud.google.com/storage/docs/access-control/signed-urls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.auth.credentials import Signing

from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.client import ObjectStoreBase, name_of
from airflow_multicloud.clouds.gcp.object_store.errors import translated
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectRef, SignedUrl

_LONGEST = timedelta(days=7)
_METHODS = ("GET", "PUT")


class GCSSigning(ObjectStoreBase):
    """URLs that work by themselves for some time."""

    def sign_url(self, ref: ObjectRef, *, method: str, expires_in: timedelta) -> SignedUrl:
        """A V4 signed URL, good for at most seven days.

        Credentials without a private key sign through the IAM service as their service account.

        :raises StorageError: kind ``unsupported`` when the credentials can't sign;
            ``invalid_argument`` when ``expires_in`` is too long.
        """
        doing = f"signing a URL for {name_of(ref)}"
        if method not in _METHODS:
            raise _invalid(f"{doing}: method {method!r}; allowed: {' or '.join(_METHODS)}")
        if not timedelta(0) < expires_in <= _LONGEST:
            raise _invalid(f"{doing}: expires_in {expires_in}; allowed: up to {_LONGEST}")
        expires_at = datetime.now(UTC) + expires_in
        with translated(doing):
            url = (
                self._official_client()
                .bucket(ref.bucket)
                .blob(ref.key)
                .generate_signed_url(
                    version="v4",
                    method=method,
                    expiration=expires_in,
                    generation=ref.version,
                    api_access_endpoint=self._api.endpoint,
                    **self._signer(doing),
                )
            )
        return SignedUrl(url, expires_at)

    def _signer(self, doing: str) -> dict[str, str]:
        credentials = self._api.credentials
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
        self._api.ensure_fresh()
        return {"service_account_email": email, "access_token": str(credentials.token)}


def _invalid(message: str) -> StorageError:
    return StorageError(message, kind=ErrorKind.INVALID_ARGUMENT, cloud=NAME)
