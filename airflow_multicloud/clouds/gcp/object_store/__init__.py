"""Google Cloud Storage as an object store, on Airflow's official hook.

``ObjectMeta.etag`` and ``version`` are both the object's **generation**, in listings, reads and
writes alike. Objects under ``.airflow-multicloud/parts/`` are parts of uploads under way: a
listing shows them only when its prefix asks for them.

The connection's extra ``gcs.endpoint``, which Airflow's file system for Cloud Storage reads too,
or else the variable ``STORAGE_EMULATOR_HOST``, names another endpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.clouds.gcp.object_store.buckets import GCSBuckets
from airflow_multicloud.clouds.gcp.object_store.copying import GCSCopies
from airflow_multicloud.clouds.gcp.object_store.keys import GCSKeys
from airflow_multicloud.clouds.gcp.object_store.listing import GCSListing
from airflow_multicloud.clouds.gcp.object_store.parts import GCSPartUploads
from airflow_multicloud.clouds.gcp.object_store.plain import GCSPlainObjects
from airflow_multicloud.clouds.gcp.object_store.reading import GCSReads
from airflow_multicloud.clouds.gcp.object_store.signing import GCSSigning
from airflow_multicloud.clouds.gcp.object_store.writing import GCSWrites
from airflow_multicloud.ports.object_store import (
    AttributeRules,
    BucketCreation,
    BucketListing,
    ConditionalWrites,
    KeyRules,
    MetadataRules,
    ObjectStore,
    ObjectVersions,
    PartUploads,
    PlainObjects,
    ServerSideCopy,
    SignedUrls,
    StoreName,
    UploadResumption,
)


class GCSObjectStoreHook(
    GCSListing,
    GCSReads,
    GCSWrites,
    GCSPartUploads,
    GCSPlainObjects,
    GCSCopies,
    GCSSigning,
    GCSBuckets,
    GCSKeys,
):
    """Cloud Storage through the object store port, on any Google connection.

    Takes every form of credentials that Airflow's hook takes. The connection is read by the
    constructor; the first call and later ones may come from any thread.
    """


#: What registry.resolve(ObjectStore, …) makes for Google Cloud connections.
Hook: type[ObjectStore] = GCSObjectStoreHook

if TYPE_CHECKING:
    # The type checker proves every optional capability, too.
    _CAPABILITIES: tuple[
        type[ConditionalWrites],
        type[PartUploads],
        type[PlainObjects],
        type[ObjectVersions],
        type[ServerSideCopy],
        type[SignedUrls],
        type[BucketCreation],
        type[BucketListing],
        type[KeyRules],
        type[MetadataRules],
        type[AttributeRules],
        type[UploadResumption],
        type[StoreName],
    ] = (GCSObjectStoreHook,) * 13
