"""Writing and deleting single objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.gcp.object_store.client import (
    NO_DIGESTS,
    NO_OPTIONS,
    ObjectStoreBase,
    name_of,
)
from airflow_multicloud.clouds.gcp.object_store.errors import conditional, translated
from airflow_multicloud.clouds.gcp.object_store.fields import (
    check_reported,
    digest_fields,
    generation_match,
    generation_of,
    meta_of,
    resource_of,
    with_crc32c,
    write_query,
)
from airflow_multicloud.clouds.gcp.object_store.json_api import object_path
from airflow_multicloud.clouds.gcp.object_store.keys import RULES, check_key
from airflow_multicloud.ports.object_store import (
    ConditionKind,
    Digests,
    IfUnchanged,
    ObjectMeta,
    ObjectRef,
    WriteOptions,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer


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
        """Write one object; Cloud Storage verifies its CRC32C before it shows."""
        check_key(ref.key)
        doing = f"writing {name_of(ref)}"
        sent = with_crc32c(digests, body)
        attributes = RULES.fitted(options.attributes, doing)
        resource = {
            "name": ref.key,
            **resource_of(attributes, storage_class=options.storage_class),
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
