"""Writing and deleting single objects.

Plain ones are written through obstore, which speaks the XML interface, at a fraction of what the
JSON one costs in Python: https://cloud.google.com/storage/docs/xml-api/put-object-upload
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_multicloud.adapters import obstore as _obstore
from airflow_multicloud.adapters.digests import check_digests
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.clouds.gcp.object_store.client import (
    NO_DIGESTS,
    NO_OPTIONS,
    ObjectStoreBase,
    name_of,
)
from airflow_multicloud.clouds.gcp.object_store.errors import conditional, translated
from airflow_multicloud.clouds.gcp.object_store.fields import (
    ABSENT,
    check_reported,
    checked_generation,
    condition_generation,
    digest_fields,
    generation_match,
    generation_of,
    meta_of,
    resource_of,
    with_crc32c,
    write_query,
)
from airflow_multicloud.clouds.gcp.object_store.headers import known_generation, obstore_attributes
from airflow_multicloud.clouds.gcp.object_store.json_api import object_path
from airflow_multicloud.clouds.gcp.object_store.keys import RULES, check_key
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.ports.object_store import (
    ConditionKind,
    Digests,
    IfUnchanged,
    ObjectMeta,
    ObjectRef,
    WriteOptions,
)

if TYPE_CHECKING:
    from obstore import Attributes, PutMode
    from obstore.store import GCSStore
    from typing_extensions import Buffer

# What a second request at once would only make worse; any other refusal JSON explains best.
_TROUBLE = frozenset({ErrorKind.TIMEOUT, ErrorKind.UNAVAILABLE, ErrorKind.THROTTLED})
_UNMET = frozenset({ErrorKind.ALREADY_EXISTS, ErrorKind.PRECONDITION_FAILED})


class GCSWrites(ObjectStoreBase):
    """Writes in one request, and deletions."""

    def put_object(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions = NO_OPTIONS,
        *,
        digests: Digests = NO_DIGESTS,
    ) -> ObjectMeta:
        """Write one object in one request.

        With ``digests.md5`` Cloud Storage verifies the bytes before they show, and the result
        says so. Without, a plain object goes through obstore, and the result has no digests: the
        next listing or stat has those that Cloud Storage computed. What that way refuses, or
        answers without a generation, is sent once more as JSON, whose answers tell the cause.
        Where JSON succeeds, as with servers that lack the XML interface, the session's later
        writes to the bucket are JSON from the start.
        """
        check_key(ref.key)
        doing = f"writing {name_of(ref)}"
        options = replace(options, attributes=RULES.fitted(options.attributes, doing))
        mode = _put_mode(options)
        attributes = obstore_attributes(options.attributes)
        store = self._lean_store(ref, options, digests) if attributes is not None else None
        if store is None or attributes is None:
            return self._put_verified(ref, body, options, digests, doing)
        check_digests(body, digests, doing, cloud=NAME)
        try:
            return self._put_lean(store, attributes, mode, ref, body, doing)
        except CloudError as err:
            if err.kind in _TROUBLE and not _obstore.unreadable_headers(err):
                raise
            refused = err.kind
        meta = self._put_verified(ref, body, options, digests, doing)
        if refused not in _UNMET:
            self._api.without_xml.add(ref.bucket)
        return meta

    def _lean_store(
        self, ref: ObjectRef, options: WriteOptions, digests: Digests
    ) -> GCSStore | None:
        """The bucket for obstore, where it can write what is asked for."""
        if (
            options.storage_class
            or options.encryption_key
            or digests.md5
            or not _obstore.is_plain_key(ref.key)
            # object_store signs every write, also without credentials.
            or self._api.anonymous
            or ref.bucket in self._api.without_xml
        ):
            return None
        return self._store(ref.bucket)

    def _put_lean(
        self,
        store: GCSStore,
        attributes: Attributes,
        mode: PutMode,
        ref: ObjectRef,
        body: Buffer,
        doing: str,
    ) -> ObjectMeta:
        data = memoryview(body).cast("B")
        with translated(doing):
            self._api.ensure_fresh()
        with _obstore.translated(NAME, doing):
            result = _obstore.put(store, ref.key, data, attributes, mode)
        generation = checked_generation(known_generation(result["version"], doing))
        return ObjectMeta(
            bucket=ref.bucket,
            key=ref.key,
            size=data.nbytes,
            etag=generation,
            version=generation,
            last_modified=datetime.now(UTC),
        )

    def _put_verified(
        self,
        ref: ObjectRef,
        body: Buffer,
        options: WriteOptions,
        digests: Digests,
        doing: str,
    ) -> ObjectMeta:
        sent = with_crc32c(digests, body)
        resource = {
            "name": ref.key,
            **resource_of(options.attributes, storage_class=options.storage_class),
            **digest_fields(sent),
        }
        with conditional(doing, options.condition), translated(doing):
            stored = self._api.insert(ref.bucket, resource, body, write_query(options))
        meta = meta_of(ref.bucket, stored)
        check_reported(doing, sent, meta.digests)
        return meta

    def delete_object(self, ref: ObjectRef, *, condition: IfUnchanged | None = None) -> None:
        """Delete the live object, or for good the generation that ``ref.version`` names."""
        query = generation_match(condition) | generation_of(ref)
        with translated(f"deleting {name_of(ref)}"):
            self._api.ask("DELETE", object_path(ref.bucket, ref.key), query)

    @property
    def write_conditions(self) -> frozenset[ConditionKind]:
        """Both: generations are compared on every write."""
        return frozenset(ConditionKind)


def _put_mode(options: WriteOptions) -> PutMode:
    wanted = condition_generation(options.condition)
    if wanted is None:
        return "overwrite"
    return "create" if wanted == ABSENT else {"version": wanted}
