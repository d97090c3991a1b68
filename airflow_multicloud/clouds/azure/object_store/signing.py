"""Signed URLs: shared access signatures for one blob."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from azure.storage.blob import BlobSasPermissions, generate_blob_sas

from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.credentials import CredentialForm
from airflow_multicloud.clouds.azure.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.azure.object_store.errors import translated
from airflow_multicloud.clouds.azure.object_store.keys import name_of
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectRef, SignedUrl

if TYPE_CHECKING:
    from azure.storage.blob import UserDelegationKey

# "Get User Delegation Key": a key lives seven days at most
# (https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key).
_LONGEST_DELEGATION = timedelta(days=7)
_CLOCK_SKEW = timedelta(minutes=5)
_PERMISSIONS = {
    "GET": BlobSasPermissions(read=True),
    "PUT": BlobSasPermissions(create=True, write=True),
}


class BlobSignedUrls(ObjectStoreBase):
    """The port's ``SignedUrls``."""

    def sign_url(self, ref: ObjectRef, *, method: str, expires_in: timedelta) -> SignedUrl:
        """A shared access signature for one blob, by the account key or a delegated key.

        Whoever uses it for ``PUT`` must send ``x-ms-blob-type: BlockBlob`` ("Put Blob").

        :raises StorageError: kind ``unsupported`` when the connection itself holds only a
            signature or nothing, which can't sign; kind ``invalid_argument`` for another
            method, for no time at all, and for more than seven days by a delegated key.
        """
        doing = f"signing a URL for {name_of(ref)}"
        if expires_in <= timedelta(0):
            raise StorageError(
                f"{doing}: expires_in must be above zero, not {expires_in}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        if method not in _PERMISSIONS:
            raise StorageError(
                f"{doing}: method {method!r} is not one of {', '.join(_PERMISSIONS)}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        expires_at = datetime.now(UTC) + expires_in
        with translated(doing):
            grant = self._signature(ref, method, expires_at, doing)
            url = self.account.service.get_blob_client(ref.bucket, ref.key).url
        return SignedUrl(of_version(with_query(url, grant), ref.version), expires_at)

    def _signature(self, ref: ObjectRef, method: str, expires_at: datetime, doing: str) -> str:
        account = self.account
        service = account.service
        key: str | None = None
        delegated: UserDelegationKey | None = None
        start = datetime.now(UTC) - _CLOCK_SKEW
        if account.form is CredentialForm.ACCOUNT_KEY:
            key = service.credential.account_key
        elif account.form is CredentialForm.TOKEN:
            if expires_at - start > _LONGEST_DELEGATION:
                raise StorageError(
                    f"{doing}: expires_in is beyond the {_LONGEST_DELEGATION.days} days that a "
                    "delegated key may live",
                    kind=ErrorKind.INVALID_ARGUMENT,
                    cloud=NAME,
                )
            delegated = service.get_user_delegation_key(start, expires_at)
        else:
            raise StorageError(
                f"{doing}: the connection's credentials ({account.form}) can't sign; use an "
                "account key or Microsoft Entra",
                kind=ErrorKind.UNSUPPORTED,
                cloud=NAME,
            )
        return generate_blob_sas(
            account_name=str(service.account_name),
            container_name=ref.bucket,
            blob_name=ref.key,
            account_key=key,
            user_delegation_key=delegated,
            permission=_PERMISSIONS[method],
            start=start,
            expiry=expires_at,
            protocol="https,http" if service.scheme == "http" else "https",
            version_id=ref.version,
        )


def with_query(url: str, query: str) -> str:
    """The URL with one more parameter."""
    return f"{url}{'&' if '?' in url else '?'}{query}"


def of_version(url: str, version: str | None) -> str:
    """The URL of one version of what it leads to; ``None``: as it is."""
    return url if version is None else with_query(url, f"versionid={quote(version, safe='')}")
