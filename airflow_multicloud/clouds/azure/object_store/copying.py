"""Copies inside one storage account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from azure.storage.blob import StandardBlobTier

from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.credentials import STORAGE_SCOPE, CredentialForm
from airflow_multicloud.clouds.azure.object_store.client import NO_OPTIONS
from airflow_multicloud.clouds.azure.object_store.errors import translated
from airflow_multicloud.clouds.azure.object_store.keys import check_key, name_of
from airflow_multicloud.clouds.azure.object_store.signing import (
    BlobSignedUrls,
    of_version,
    with_query,
)
from airflow_multicloud.clouds.azure.object_store.writing import condition_arguments
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import IfAbsent, ObjectMeta, ObjectRef, WriteOptions

# "Copy Blob From URL" (https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url).
_COPY_LIMIT = 256 << 20
_COPY_GRANT = timedelta(minutes=15)


class BlobCopies(BlobSignedUrls):
    """The port's ``ServerSideCopy``; a copy's source is authorised by a signed URL."""

    def copy_within(
        self, source: ObjectRef, destination: ObjectRef, options: WriteOptions = NO_OPTIONS
    ) -> ObjectMeta:
        """Copy a blob of at most 256 MiB inside this account, in one synchronous request.

        "Copy Blob From URL" is the only copy that is atomic; the asynchronous "Copy Blob" shows
        an unfinished blob for as long as it runs.

        :raises StorageError: kind ``unsupported`` for a larger blob.
        """
        doing = f"copying {name_of(source)} to {name_of(destination)}"
        check_key(destination.key)
        found = self._describe(source, doing)
        if found.size > _COPY_LIMIT:
            raise StorageError(
                f"{doing}: Azure copies at most {_COPY_LIMIT} bytes in one atomic request, the "
                f"source has {found.size}",
                kind=ErrorKind.UNSUPPORTED,
                cloud=NAME,
            )
        arguments: dict[str, Any] = condition_arguments(options.condition)
        if options.encryption_key is not None:
            arguments["encryption_scope"] = options.encryption_key
        if options.storage_class is not None:
            arguments["standard_blob_tier"] = _tier(options.storage_class, doing)
        with translated(doing, creating=isinstance(options.condition, IfAbsent)):
            url = self._source(source, arguments)
            answer: Mapping[str, Any] = self.account.blob(destination).start_copy_from_url(
                url, requires_sync=True, **arguments
            )
        return ObjectMeta(
            bucket=destination.bucket,
            key=destination.key,
            size=found.size,
            etag=str(answer["etag"]).strip('"'),
            last_modified=answer["last_modified"],
            version=answer.get("version_id"),
            digests=found.digests,
            storage_class=options.storage_class,
        )

    def _source(self, source: ObjectRef, arguments: dict[str, Any]) -> str:
        """The source's URL, authorised; a token goes into the arguments instead."""
        service = self.account.service
        url: str = service.get_blob_client(source.bucket, source.key).url
        match self.account.form:
            case CredentialForm.ACCOUNT_KEY:
                return self.sign_url(source, method="GET", expires_in=_COPY_GRANT).reveal()
            case CredentialForm.TOKEN:
                token = service.credential.get_token(STORAGE_SCOPE).token
                arguments["source_authorization"] = f"Bearer {token}"
            case CredentialForm.SHARED_ACCESS_SIGNATURE if hasattr(service.credential, "signature"):
                url = with_query(url, service.credential.signature.lstrip("?"))
            case _:
                pass
        return of_version(url, source.version)


def _tier(name: str, doing: str) -> StandardBlobTier:
    try:
        return StandardBlobTier(name)
    except ValueError as err:
        allowed = ", ".join(tier.value for tier in StandardBlobTier)
        raise StorageError(
            f"{doing}: storage_class {name!r} is no access tier; allowed: {allowed}",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=NAME,
        ) from err
