"""URLs of objects that need no further credentials."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from botocore.config import Config

from airflow_multicloud.clouds.aws import NAME
from airflow_multicloud.clouds.aws.object_store.client import ObjectStoreBase
from airflow_multicloud.clouds.aws.object_store.errors import translated
from airflow_multicloud.clouds.aws.object_store.fields import ref_params
from airflow_multicloud.clouds.aws.object_store.keys import name_of
from airflow_multicloud.clouds.aws.object_store.terms import Terms
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import ObjectRef, SignedUrl

#: docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html (X-Amz-Expires)
_LONGEST = timedelta(days=7)
_SHORTEST = timedelta(seconds=1)
_OPERATIONS = {"GET": "get_object", "PUT": "put_object"}


class S3SignedUrls(ObjectStoreBase):
    """``SignedUrls``."""

    @cached_property
    def _signer(self) -> Any:
        # botocore signs URLs by the old version 2 unless it is told otherwise. An expected owner
        # would be a header that whoever uses the URL must send.
        terms = Terms(requester_pays=self._terms.requester_pays)
        return self._s3.client_for(config=Config(signature_version="s3v4"), terms=terms)

    def sign_url(self, ref: ObjectRef, *, method: str, expires_in: timedelta) -> SignedUrl:
        """A URL for ``GET`` or ``PUT``, signed by version 4, for one second to seven days.

        It ends earlier when the credentials it was signed with do (an assumed role's).
        """
        doing = f"signing a URL for {name_of(ref)}"
        operation = _OPERATIONS.get(method)
        if operation is None or not _SHORTEST <= expires_in <= _LONGEST:
            raise StorageError(
                f"{doing}: method={method!r}, expires_in={expires_in}; allowed are GET and PUT, "
                f"from {_SHORTEST} to {_LONGEST}",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        if method == "PUT":
            ref = ObjectRef(ref.bucket, ref.key)
        now = datetime.now(UTC)
        with translated(doing):
            url = self._signer.generate_presigned_url(
                operation, Params=ref_params(ref), ExpiresIn=int(expires_in.total_seconds())
            )
        return SignedUrl(url, now + expires_in)
