"""Optional capabilities of the Azure object store that need no blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobSasPermissions, StandardBlobTier, generate_blob_sas

from airflow_multicloud.clouds.azure import NAME
from airflow_multicloud.clouds.azure.credentials import STORAGE_SCOPE, CredentialForm
from airflow_multicloud.clouds.azure.errors import error_code
from airflow_multicloud.clouds.azure.object_store import keys as rules
from airflow_multicloud.clouds.azure.object_store.base import NO_OPTIONS, AccountHook, name_of
from airflow_multicloud.clouds.azure.object_store.errors import translated
from airflow_multicloud.clouds.azure.object_store.listing import listed_object
from airflow_multicloud.clouds.azure.object_store.writing import RULES, condition_arguments
from airflow_multicloud.errors import ErrorKind, StorageError
from airflow_multicloud.ports.object_store import (
    ConditionKind,
    FittedAttributes,
    IfAbsent,
    ObjectAttributes,
    ObjectMeta,
    ObjectRef,
    SignedUrl,
    WriteOptions,
)

if TYPE_CHECKING:
    from azure.storage.blob import UserDelegationKey

# "Copy Blob From URL" (https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url).
_COPY_LIMIT = 256 << 20
# "Get User Delegation Key": a key lives seven days at most
# (https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key).
_LONGEST_DELEGATION = timedelta(days=7)
_CLOCK_SKEW = timedelta(minutes=5)
_COPY_GRANT = timedelta(minutes=15)
_PERMISSIONS = {
    "GET": BlobSasPermissions(read=True),
    "PUT": BlobSasPermissions(create=True, write=True),
}


class BlobCapabilities(AccountHook):
    """Conditions, versions, tags, copies, signed URLs, containers and key rules."""

    @property
    def write_conditions(self) -> frozenset[ConditionKind]:
        """Both conditions, on every kind of write and on deletion."""
        return frozenset(ConditionKind)

    def list_versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every version of every blob.

        An account without versioning lists the blobs as they are, with no ``version``.
        """
        blobs = self._listed(bucket, prefix, "metadata,versions")
        return (meta for blob in blobs if (meta := listed_object(bucket, blob)) is not None)

    def get_tags(self, ref: ObjectRef) -> Mapping[str, str]:
        """The blob's index tags."""
        blob = self.account.blob(ref)
        with translated(f"get the tags of {name_of(ref)}"):
            return dict(blob.get_blob_tags())

    def set_tags(self, ref: ObjectRef, tags: Mapping[str, str]) -> None:
        """Replace the blob's index tags (at most ten)."""
        blob = self.account.blob(ref)
        with translated(f"set the tags of {name_of(ref)}"):
            blob.set_blob_tags(dict(tags))

    def copy_within(
        self, source: ObjectRef, destination: ObjectRef, options: WriteOptions = NO_OPTIONS
    ) -> ObjectMeta:
        """Copy a blob of at most 256 MiB inside this account, in one synchronous request.

        "Copy Blob From URL" is the only copy that is atomic; the asynchronous "Copy Blob" shows
        an unfinished blob for as long as it runs.

        :raises StorageError: kind ``unsupported`` for a larger blob.
        """
        doing = f"copy {name_of(source)} to {name_of(destination)}"
        rules.check_key(destination.key)
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

    def sign_url(self, ref: ObjectRef, *, method: str, expires_in: timedelta) -> SignedUrl:
        """A shared access signature for one blob, by the account key or a delegated key.

        Whoever uses it for ``PUT`` must send ``x-ms-blob-type: BlockBlob`` ("Put Blob").

        :raises StorageError: kind ``unsupported`` when the connection itself holds only a
            signature or nothing, which can't sign; kind ``invalid_argument`` for another
            method, for no time at all, and for more than seven days by a delegated key.
        """
        doing = f"sign a URL for {name_of(ref)}"
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
        return SignedUrl(_of_version(_with_query(url, grant), ref.version), expires_at)

    def ensure_bucket(self, bucket: str, *, location: str | None = None) -> bool:
        """Create the container unless it exists.

        A container has nothing that the bill shows: there the tags are the storage account's.

        :param location: not Azure's to choose here: a container lies where its account does.
        :raises StorageError: kind ``invalid_argument`` when a location is given.
        """
        doing = f"create container {bucket}"
        if location is not None:
            raise StorageError(
                f"{doing}: location {location!r} can't be chosen, a container lies where its "
                "storage account does; leave it out",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=NAME,
            )
        service = self.account.service
        with translated(doing):
            try:
                service.create_container(bucket)
            except ResourceExistsError as err:
                if error_code(err) == "ContainerAlreadyExists":
                    return False
                raise
        return True

    def list_buckets(self) -> Iterator[str]:
        """The containers of the storage account."""
        with translated("list containers"):
            for container in self.account.service.list_containers():
                yield container.name

    def why_not_key(self, key: str) -> str | None:
        """Why no blob can be called exactly this, or ``None`` when one can."""
        return rules.why_not_key(key)

    def why_not_metadata_name(self, name: str) -> str | None:
        """Why no metadata can be called this, or ``None`` when it can."""
        return rules.why_not_metadata_name(name)

    def fit_attributes(self, attributes: ObjectAttributes) -> FittedAttributes:
        """What Azure can hold of attributes: 8 KiB of metadata; ASCII in all others."""
        return RULES.fit(attributes)

    def why_not_tag(self, name: str, value: str) -> str | None:
        """Why no blob can have this index tag, or ``None`` when one can."""
        return rules.why_not_tag(name, value)

    @property
    def most_tags(self) -> int:
        """Ten."""
        return rules.MOST_TAGS

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
                url = _with_query(url, service.credential.signature.lstrip("?"))
            case _:
                pass
        return _of_version(url, source.version)

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


def _with_query(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _of_version(url: str, version: str | None) -> str:
    return url if version is None else _with_query(url, f"versionid={quote(version, safe='')}")


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
