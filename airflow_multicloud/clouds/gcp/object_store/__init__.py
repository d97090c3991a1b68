"""Google Cloud Storage as an object store, on Airflow's official hook.

``ObjectMeta.etag`` and ``version`` are both the object's **generation**, in listings, reads and
writes alike. Objects under ``.airflow-multicloud/parts/`` are parts of uploads under way: a
listing shows them only when its prefix asks for them.

The connection's extra ``gcs.endpoint``, which Airflow's file system for Cloud Storage reads too,
or else the variable ``STORAGE_EMULATOR_HOST``, names another endpoint.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.google.cloud.hooks.gcs import GCSHook

from airflow_multicloud.adapters.answers import UNKNOWN_TIME
from airflow_multicloud.clouds.gcp.errors import credentials_read
from airflow_multicloud.clouds.gcp.object_store import buckets as _buckets
from airflow_multicloud.clouds.gcp.object_store import keys as _key_rules
from airflow_multicloud.clouds.gcp.object_store import parts as _parts
from airflow_multicloud.clouds.gcp.object_store import signing as _signing
from airflow_multicloud.clouds.gcp.object_store.client import JsonApi, object_path
from airflow_multicloud.clouds.gcp.object_store.errors import conditional as _conditional
from airflow_multicloud.clouds.gcp.object_store.errors import translated
from airflow_multicloud.clouds.gcp.object_store.fields import (
    RULES,
    check_digests,
    digest_fields,
    generation_match,
    generation_of,
    listed_of,
    meta_of,
    resource_of,
    why_not_metadata_name,
    with_crc32c,
    write_query,
)
from airflow_multicloud.clouds.gcp.object_store.reading import Reader
from airflow_multicloud.clouds.gcp.session import checked_extras
from airflow_multicloud.errors import CloudError
from airflow_multicloud.ports.object_store import (
    AttributeRules,
    BucketCreation,
    BucketListing,
    BucketMeta,
    ConditionalWrites,
    ConditionKind,
    Digests,
    FittedAttributes,
    IfUnchanged,
    KeyRules,
    LeftUpload,
    MetadataRules,
    ObjectAttributes,
    ObjectBody,
    ObjectMeta,
    ObjectRef,
    ObjectStore,
    ObjectVersions,
    Part,
    PartLimits,
    PartUpload,
    PartUploads,
    ServerSideCopy,
    SignedUrl,
    SignedUrls,
    UploadResumption,
    WriteOptions,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timedelta

    from google.api_core.client_options import ClientOptions
    from typing_extensions import Buffer

_NO_OPTIONS = WriteOptions()
_NO_DIGESTS = Digests()


class GCSObjectStoreHook(GCSHook):
    """Cloud Storage through the object store port.

    Takes every form of credentials that :class:`GCSHook` takes. The connection is read by the
    constructor and the first call; later calls may come from any thread.
    """

    def get_client_options(self, api_endpoint_override: str | None = None) -> ClientOptions:
        """The official hook's options, with the connection's ``gcs.endpoint`` if it has one."""
        endpoint = api_endpoint_override or self.extras.get("gcs.endpoint")
        return super().get_client_options(endpoint)

    @cached_property
    def _api(self) -> JsonApi:
        retries = checked_extras(self.gcp_conn_id, self.extras)
        with credentials_read(self.gcp_conn_id):
            endpoint, credentials = self.get_conn().api_endpoint, self.get_credentials()
        return JsonApi(endpoint=endpoint, credentials=credentials, retries=retries)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self._api)

    def list_objects(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every object under ``prefix`` with attributes and digests, 1,000 a request."""
        return self._listed(bucket, prefix, versions=False)

    def list_versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectMeta]:
        """Every generation that is kept, the live ones among them."""
        return self._listed(bucket, prefix, versions=True)

    def _listed(self, bucket: str, prefix: str, *, versions: bool) -> Iterator[ObjectMeta]:
        hidden = not prefix.startswith(_parts.PARTS_PREFIX)
        with translated(f"list_objects of {bucket!r} under {prefix!r}"):
            for resource in self._api.objects(bucket, prefix, versions=versions):
                if not (hidden and resource["name"].startswith(_parts.PARTS_PREFIX)):
                    yield listed_of(bucket, resource)

    def stat_object(self, ref: ObjectRef) -> ObjectMeta:
        """One object's metadata."""
        with translated(_doing("stat_object", ref)):
            found = self._api.call("GET", object_path(ref.bucket, ref.key), generation_of(ref))
        return meta_of(ref.bucket, found)

    def get_object(
        self, ref: ObjectRef, *, start: int = 0, end: int | None = None, if_etag: str | None = None
    ) -> ObjectBody:
        """Read a range as stored; the answer's generation is compared with ``if_etag``."""
        doing = _doing("get_object", ref)
        return self._reader.read(ref, start=start, end=end, if_etag=if_etag, doing=doing)

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = _NO_OPTIONS,
        *,
        digests: Digests = _NO_DIGESTS,
    ) -> ObjectMeta:
        """Write one object; Cloud Storage verifies its CRC32C before it shows."""
        _key_rules.check(ref.key)
        doing = _doing("put_object", ref)
        sent = with_crc32c(digests, body)
        attributes = RULES.fitted(options.attributes, doing)
        resource = {
            "name": ref.key,
            **resource_of(attributes, storage_class=options.storage_class),
            **digest_fields(sent),
        }
        with _conditional(doing, options.condition), translated(doing):
            stored = self._api.insert(ref.bucket, resource, body, write_query(options))
        meta = meta_of(ref.bucket, stored)
        check_digests(doing, sent, meta.digests)
        return meta

    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        """Delete the live object, or for good the generation that ``ref.version`` names."""
        query = generation_match(condition) | generation_of(ref)
        with translated(_doing("delete_object", ref)):
            self._api.call("DELETE", object_path(ref.bucket, ref.key), query)

    def stat_bucket(self, bucket: str) -> BucketMeta:
        """That the bucket may be read; its location where ``storage.buckets.get`` is granted."""
        return _buckets.stat(self._api, bucket)

    @property
    def write_conditions(self) -> frozenset[ConditionKind]:
        """Both: generations are compared on every write."""
        return frozenset(ConditionKind)

    @property
    def part_limits(self) -> PartLimits:
        """Cloud Storage's limits."""
        return _parts.LIMITS

    def begin_upload(self, ref: ObjectRef, options: WriteOptions = _NO_OPTIONS) -> PartUpload:
        """Start an upload; the store learns of it with its first part.

        Until completion the parts are encrypted with the bucket's default key, whatever
        ``options.encryption_key`` says.
        """
        _key_rules.check(ref.key)
        RULES.fitted(options.attributes, _doing("begin_upload", ref))
        return _parts.begin(ref)

    def put_part(
        self, upload: PartUpload, number: int, body: Buffer, *, digests: Digests = _NO_DIGESTS
    ) -> Part:
        """Store one part; Cloud Storage verifies its CRC32C."""
        doing = _doing(f"put_part {number}", upload.ref)
        sent = with_crc32c(digests, body)
        with translated(doing):
            part = _parts.put_part(self._api, upload, number, body, sent)
        check_digests(doing, sent, part.digests)
        return part

    def list_parts(self, upload: PartUpload) -> Sequence[Part]:
        """The parts stored, each with its CRC32C; none for an unknown upload."""
        with translated(_doing("list_parts", upload.ref)):
            return _parts.list_parts(self._api, upload)

    def complete_upload(
        self,
        upload: PartUpload,
        parts: Sequence[Part],
        options: WriteOptions = _NO_OPTIONS,
        *,
        late_metadata: Mapping[str, str] | None = None,
        digests: Digests = _NO_DIGESTS,
    ) -> ObjectMeta:
        """Compose the parts, verify the whole's CRC32C, show it under its key, clean up.

        A clean-up that fails does not undo a complete object: it is logged as a warning, and
        :meth:`list_uploads` shows what is left until :meth:`abort_upload` deletes it.
        """
        doing = _doing("complete_upload", upload.ref)
        metadata = {**options.attributes.metadata, **(late_metadata or {})}
        attributes = RULES.fitted(replace(options.attributes, metadata=metadata), doing)
        options = replace(options, attributes=attributes)
        with _conditional(doing, options.condition), translated(doing):
            meta = _parts.complete(self._api, upload, parts, options, digests)
        try:
            self.abort_upload(upload)
        except CloudError as err:
            self.log.warning("%s: complete, but parts of it are left behind: %s", doing, err)
        return meta

    def abort_upload(self, upload: PartUpload) -> None:
        """Delete an upload's parts."""
        with translated(_doing("abort_upload", upload.ref)):
            _parts.discard(self._api, upload)

    def list_uploads(self, bucket: str, prefix: str = "") -> Iterator[PartUpload]:
        """The uploads that have stored at least one part."""
        with translated(f"list_uploads of {bucket!r} under {prefix!r}"):
            yield from _parts.list_uploads(self._api, bucket, prefix)

    def left_uploads(self, ref: ObjectRef, options: WriteOptions) -> Sequence[LeftUpload]:  # noqa: ARG002  # completion takes them
        """Every upload to this key: all that an object has is given when it is completed."""
        with translated(_doing("left_uploads", ref)):
            found = list(_parts.uploads_to(self._api, ref))
        newest = sorted(found, key=lambda u: u.started or UNKNOWN_TIME, reverse=True)
        return [LeftUpload(upload, fits=True) for upload in newest]

    def copy_within(
        self, source: ObjectRef, destination: ObjectRef, options: WriteOptions = _NO_OPTIONS
    ) -> ObjectMeta:
        """Copy by rewriting, also between locations and storage classes."""
        _key_rules.check(destination.key)
        resource: dict[str, Any] | None = None
        if options.storage_class:
            # A body replaces all of the source's metadata, so it has to repeat them.
            found = self.stat_object(source)
            source = replace(source, version=found.version)
            if found.attributes:
                resource = resource_of(found.attributes, storage_class=options.storage_class)
        doing = f"copy_within of {source.key!r} in {source.bucket!r} to {destination.key!r}"
        with _conditional(doing, options.condition), translated(doing):
            return _parts.rewrite(self._api, source, destination, resource, options)

    def sign_url(self, ref: ObjectRef, *, method: str, expires_in: timedelta) -> SignedUrl:
        """A V4 signed URL, good for at most seven days.

        Credentials without a private key sign through the IAM service as their service account.

        :raises StorageError: kind ``unsupported`` when the credentials can't sign;
            ``invalid_argument`` when ``expires_in`` is too long.
        """
        return _signing.sign(
            self._api, self.get_conn(), ref, method, expires_in, _doing("sign_url", ref)
        )

    def ensure_bucket(self, bucket: str, *, location: str | None = None) -> bool:
        """Create the bucket in the connection's project, closed to the public.

        Its labels say which DAG and task it was made for.
        """
        return _buckets.ensure(self._api, bucket, project=self.project_id, location=location)

    def list_buckets(self) -> Iterator[str]:
        """The buckets of the connection's project."""
        return _buckets.list_names(self._api, project=self.project_id)

    def why_not_key(self, key: str) -> str | None:
        """Why Cloud Storage can't hold an object of this key, or this package reserves it."""
        return _key_rules.refusal(key)

    def why_not_metadata_name(self, name: str) -> str | None:
        """Why Cloud Storage can't hold user metadata of this name."""
        return why_not_metadata_name(name)

    def fit_attributes(self, attributes: ObjectAttributes) -> FittedAttributes:
        """What Cloud Storage can hold of attributes: 8 KiB of metadata; Unicode in most."""
        return RULES.fit(attributes)


def _doing(call: str, ref: ObjectRef) -> str:
    version = f" (generation {ref.version})" if ref.version else ""
    return f"{call} of {ref.key!r}{version} in {ref.bucket!r}"


#: What registry.resolve(ObjectStore, …) makes for Google Cloud connections.
Hook: type[ObjectStore] = GCSObjectStoreHook

if TYPE_CHECKING:  # mypy proves that the optional capabilities fit
    _POWERS: tuple[
        type[ConditionalWrites],
        type[PartUploads],
        type[ObjectVersions],
        type[ServerSideCopy],
        type[SignedUrls],
        type[BucketCreation],
        type[BucketListing],
        type[KeyRules],
        type[MetadataRules],
        type[AttributeRules],
        type[UploadResumption],
    ] = (GCSObjectStoreHook,) * 11
